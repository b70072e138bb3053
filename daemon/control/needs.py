"""What the control API needs of the daemon, as protocols."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

from ...protocol.names import AgentId, RunId, WorkerId
from ...storage.contract import Storage
from ...storage.records import TaskRun
from ..blocks import BlockSet
from ..checking import Plan
from ..deletion import Stock
from ..departure import Departure
from ..disk_use import DiskUse
from ..errands import Errand
from ..grouping import Room
from ..late_pay import LatePaid
from ..launching import Warn
from ..registry import Registry
from ..reloading import Reloaded
from ..review import Reviewed
from ..revocation import Revocation
from ..store_loss import StoreLoss
from ..task_options import FolderOptions
from ..terms import Extended, Wish
from ..verdict import Verdict
from .shapes.service import HeldView


class RouterState(Protocol):
    """How the link to one router of a run stands."""

    @property
    def name(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def up(self) -> bool: ...
    @property
    def since(self) -> datetime: ...
    @property
    def addition(self) -> str: ...
    @property
    def outbox(self) -> Mapping[str, int]: ...


class LiveRun(Protocol):
    """A run that is being carried out at present."""

    @property
    def address(self) -> str | None:
        """Where workers find its pages, once a router serves them."""
        ...

    def routers(self) -> Sequence[RouterState]: ...

    async def rooms(self) -> Sequence[Room]:
        """The groups in which workers wait for others."""
        ...

    def counters(self) -> Mapping[str, int]:
        """What was handled, refused and failed since the run was taken up, by name."""
        ...

    def watch(self) -> AsyncIterator[None]:
        """A tick whenever something about the run has changed, coalesced; ends with the run."""
        ...


class Backup(Protocol):
    """A backup that is ready to be read."""

    def pieces(self) -> AsyncGenerator[bytes]: ...


class Operator(Protocol):
    """Who launches and stops runs."""

    @property
    def storage(self) -> Storage: ...

    @property
    def loss(self) -> StoreLoss:
        """Whom to tell that the store is lost."""
        ...

    @property
    def departure(self) -> Departure:
        """Whom to tell that the daemon is to go."""
        ...

    @property
    def suspend_s(self) -> float:
        """How long routers keep pages calm while the daemon is away on purpose."""
        ...

    async def launch(
        self, folder: Path, overrides: Mapping[str, str], launch_id: str, who: str, warn: Warn
    ) -> TaskRun: ...

    async def plan(self, folder: Path, overrides: Mapping[str, str]) -> Plan: ...

    async def folder_options(self, folder: Path) -> FolderOptions: ...

    @property
    def plug_ins(self) -> Registry: ...

    def live(self, run_id: RunId) -> LiveRun | None: ...

    async def stop(self, run_id: RunId, now: bool, who: str) -> None: ...

    async def pause(self, run_id: RunId, paused: bool, who: str, why: str) -> None: ...

    async def extend(self, run_id: RunId, wish: Wish, who: str) -> Extended: ...

    async def expire(self, run_id: RunId, who: str) -> int: ...

    async def links(self, run_id: RunId, workers: Sequence[str]) -> list[tuple[str, str]]: ...

    async def revoke_link(self, link: str, now: bool, who: str) -> Revocation: ...

    async def revoke_link_of(self, run_id: RunId, worker: str, now: bool, who: str) -> Revocation: ...

    @property
    def scratch(self) -> Path:
        """Where a task folder is unpacked for the time of a request; may not be there yet."""
        ...

    def uploads(self, run_id: RunId) -> Path:
        """The folder of the files that workers of the run uploaded, by sha256."""
        ...

    def wall(self) -> datetime:
        """The time, for what is written."""
        ...

    async def review(
        self, agents: Sequence[AgentId], verdict: Verdict, note: str | None, who: str
    ) -> Sequence[Reviewed]: ...

    async def pay_late(
        self, late: Sequence[int], cents: int | None, note: str | None, who: str
    ) -> Sequence[LatePaid]: ...

    async def set_blocked(
        self, workers: Sequence[WorkerId], blocked: bool, reason: str, who: str
    ) -> Sequence[BlockSet]: ...

    def owed(self, run_id: RunId) -> Sequence[Errand]:
        """What the run's provider is still to be told, oldest first."""
        ...

    async def stock(self, run_id: RunId) -> Stock: ...

    async def delete(self, run_id: RunId, who: str) -> tuple[Stock, Sequence[str]]: ...

    async def backup(self) -> Backup:
        """A backup of everything. StorageFull, StorageRefused."""
        ...

    async def disk_use(self) -> DiskUse: ...

    async def reload(self) -> Reloaded:
        """Read the configuration again. Faults: everything stays as it was."""
        ...

    def status(self) -> HeldView: ...
