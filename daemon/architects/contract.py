"""What an architect is: how the routers of a run come to be, and how they are taken down."""

import abc
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import attrs

from ...storage.records import TaskRun
from ..channel import Channel
from ..routers import Routers
from .processes import RouterProcesses


@attrs.frozen
class Ground:
    """What is known of a run's place before the run is made."""

    routers: Routers
    """The routers that the daemon was told of."""
    label: str
    shared_origin: bool


@attrs.frozen
class Site:
    """What an architect may use: the run, its private folder, and the routers that the daemon knows."""

    run: TaskRun
    folder: Path
    """The run's own folder under the daemon's data directory; exists, mode 0700."""
    routers: Routers = attrs.Factory(Routers)
    processes: RouterProcesses = attrs.Factory(RouterProcesses)
    """What starts routers of this machine."""

    @property
    def ground(self) -> Ground:
        """The place of the run that was made."""
        return Ground(self.routers, self.run.label, bool(self.run.config.get("shared_origin", False)))


class Architect(abc.ABC):
    """Opened once per LiveRun, closed when the run or the daemon ends. May be opened again after a crash."""

    name: ClassVar[str]
    Options: ClassVar[type[Any]]
    """A frozen attrs class with defaults; `[architect]` of task.toml is structured into it."""
    uses_known_routers: ClassVar[bool] = False
    """Whether it takes routers of the daemon's routers.toml: without a daemon nobody can judge those."""

    def __init__(self, options: Any, site: Site) -> None:
        self.options = options
        self.site = site

    @classmethod
    def check(cls, options: Any, ground: Ground) -> list[str]:
        """Everything that keeps a run with these options from being launched here, one "path: what" each.

        Blocking; called in a thread.
        """
        return []

    @classmethod
    def address(cls, options: Any, ground: Ground) -> str:
        """Where workers would find the run, as far as that is known before it is made; empty: not at all.

        Blocking; called for what `check` finds nothing wrong with.
        """
        return ""

    @abc.abstractmethod
    async def deploy(self) -> Sequence[Channel]:
        """Start the routers, or find them running already, and give the way to each. Idempotent.

        OSError or LinkRefused when it cannot be done. Cancelled: what was started may run on; `deploy`
        of the next daemon finds it.
        """

    async def lasting(self) -> Sequence[Channel]:
        """The way to each router that is there after its runs, and may keep something of one that has ended.

        Asked when the run is deleted; starts nothing. LinkRefused: they are not known.
        """
        return ()

    @classmethod  # noqa: B027 - most start nothing there
    async def end_left_behind(cls, folder: Path) -> None:
        """End what runs still in this run's folder. Asked when a run is deleted that cannot be held.

        Then nobody knows its options. OSError: it cannot be ended; the deletion is tried again.
        """

    @abc.abstractmethod
    async def watch(self) -> None:
        """Keep the routers running until cancelled: one that died is started again at its address."""

    @abc.abstractmethod
    async def shutdown(self) -> None:
        """Take the routers down for good: the run has ended."""
