"""The contract of storage about being held: whether this opening may still write."""

import abc


class LeaseContract(abc.ABC):
    """What `Storage` promises about its lease."""

    @abc.abstractmethod
    async def check_lease(self) -> None:
        """Read that this opening still holds the store: the cheapest proof that it can be read. LeaseLost;
        StorageFailed also when it failed since the last write, and nothing can be written any more."""

    @abc.abstractmethod
    async def renew_lease(self) -> None:
        """Write the lease anew, as it is: the cheapest proof that it can be written. LeaseLost."""
