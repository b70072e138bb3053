"""The contract of storage about workers, qualifications and grants."""

import abc
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from ...protocol.names import WorkerId
from ..records import Grant, Qualification, Worker


class PeopleContract(abc.ABC):
    """What `Storage` promises about workers, qualifications and grants."""

    @abc.abstractmethod
    async def register_worker(
        self, provider: str, name: str, provider_data: dict[str, Any], now: datetime
    ) -> Worker:
        """Find the worker (provider, name) or make it. InvalidRecord: empty name."""

    @abc.abstractmethod
    async def set_blocked(
        self, worker_id: WorkerId, blocked: bool, now: datetime, who: str, why: str
    ) -> None:
        """Block or unblock a worker."""

    @abc.abstractmethod
    async def worker(self, worker_id: WorkerId) -> Worker: ...
    @abc.abstractmethod
    async def worker_by_name(self, provider: str, name: str) -> Worker: ...

    @abc.abstractmethod
    async def workers(self, provider: str | None = None, after: int = 0, limit: int = 1000) -> list[Worker]:
        """Of any provider, or of one."""

    @abc.abstractmethod
    async def workers_among(self, numbers: Collection[WorkerId], names: Collection[str]) -> list[Worker]:
        """Who has one of these ids or names, at whatever provider, read at one moment; each once.

        The cost depends on how many are asked for.
        """

    @abc.abstractmethod
    async def create_qualification(
        self, name: str, description: str | None, now: datetime, who: str = "daemon"
    ) -> Qualification:
        """Duplicate, InvalidRecord (empty name, description over 500)."""

    @abc.abstractmethod
    async def ensure_qualifications(self, descriptions: Mapping[str, str | None], now: datetime) -> None:
        """Make the qualifications of these names that are not there, with their descriptions."""

    @abc.abstractmethod
    async def delete_qualification(self, name: str, now: datetime, who: str) -> None:
        """Remove a qualification and all its grants."""

    @abc.abstractmethod
    async def qualification(self, name: str) -> Qualification: ...
    @abc.abstractmethod
    async def qualifications(self) -> list[Qualification]: ...

    @abc.abstractmethod
    async def grant(
        self, name: str, worker_id: WorkerId, value: int, now: datetime, who: str, why: str
    ) -> Grant:
        """Give (or replace) a worker's value of a qualification."""

    @abc.abstractmethod
    async def revoke(self, name: str, worker_id: WorkerId, now: datetime, who: str, why: str) -> None:
        """Take a grant away; NotFound when there is none."""

    @abc.abstractmethod
    async def grants(
        self, worker_id: WorkerId | None = None, qualification: str | None = None
    ) -> list[Grant]: ...
