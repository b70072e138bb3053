"""A channel: the way to one router. The contract, and nothing of any transport."""

import abc
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path


class LinkLost(Exception):
    """The connection to the router is gone or could not be made; try again later."""


class LinkRefused(Exception):
    """The router (or we) refused the link for a reason that retrying will not change soon."""


class Wire(abc.ABC):
    """One open connection: whole frames in order, either way, until it is lost."""

    @abc.abstractmethod
    async def send(self, frame: bytes) -> None:
        """Hand one frame over, one at a time. LinkLost when it is gone, or an earlier one is on its way.

        A cancelled send ends the connection for good.
        """

    @property
    def is_free(self) -> bool:
        """Whether a frame may be `put` now; never, where nothing can be written without waiting."""
        return False

    def put(self, frame: bytes) -> bool:
        """Write a frame without waiting. False: not all of it went, and `settle` is to be called next."""
        raise NotImplementedError

    async def settle(self) -> None:
        """Send what is left of the frame that was put. LinkLost; cancelled it ends the connection."""
        raise NotImplementedError

    @abc.abstractmethod
    async def receive(self) -> bytes:
        """The next frame, or LinkLost."""


class Channel(abc.ABC):
    """How the daemon reaches one router of one run. Opened again and again; holds no connection itself."""

    name: str
    """For logs and status, e.g. the router's address; without secrets."""
    url: str
    """Where workers find the run's pages through this router."""
    secrets: Sequence[bytes]
    """What daemon and router prove themselves with."""

    @abc.abstractmethod
    def connect(self) -> AbstractAsyncContextManager[Wire]:
        """Open a connection for the link; LinkLost or LinkRefused when it cannot be had."""

    @abc.abstractmethod
    async def put_bundle(self, label: str, sha256: str, bundle: bytes) -> None:
        """Deploy the pages (a tar.gz) under the label; again: no change. LinkLost, LinkRefused."""

    @abc.abstractmethod
    async def fetch_file(self, label: str, sha256: str, into: Path) -> None:
        """Store an uploaded file as `into`, complete and fsynced on return. LinkLost, LinkRefused."""

    @abc.abstractmethod
    async def undeploy(self, label: str, discard: bool = False) -> None:
        """Take the run's pages, key and files off the router. LinkLost.

        LinkRefused: it keeps answers that we do not have; unless those are to be discarded with the run.
        """
