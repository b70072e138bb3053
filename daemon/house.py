"""What all runs of a daemon share. Opened by the service, handed down, never changed."""

import hashlib
import random
from collections.abc import Sequence
from pathlib import Path

import attrs

from ..protocol.names import RunId
from ..storage.contract import Storage
from .architects.processes import RouterProcesses
from .clock import Wall
from .degraded import Degraded
from .metrics.families import Metrics
from .pace import Pace
from .routers import Routers
from .store_loss import StoreLoss
from .user_code import UserCode

SCRATCH = "scratch"  # in the data folder: unpacking then meets the same disk as keeping


def _nothing_missing(house: "House") -> Degraded:
    return Degraded(house.wall)


def _not_lost(house: "House") -> StoreLoss:
    return StoreLoss(house.degraded)


@attrs.frozen
class House:
    """The daemon's storage, clock, chance, threads and folder."""

    storage: Storage
    wall: Wall
    rng: random.Random
    user_code: UserCode
    data: Path
    link_secrets: Sequence[bytes] = attrs.field(repr=False)
    """For personal links, kept over restarts: the first signs, any is believed."""
    pace: Pace = attrs.Factory(Pace)
    end_routers: bool = False
    """False: at a stop, routers of unfinished runs go on: they tell pages to wait, and are adopted later."""
    routers: Routers = attrs.Factory(Routers)
    """Those that run already, for the architect `remote`."""
    router_processes: RouterProcesses = attrs.Factory(RouterProcesses)
    """What starts routers of this machine, for the architect `local`."""
    metrics: Metrics = attrs.Factory(Metrics)
    degraded: Degraded = attrs.Factory(_nothing_missing, takes_self=True)
    """What is not as it should be."""
    loss: StoreLoss = attrs.Factory(_not_lost, takes_self=True)
    """What happens when the store is lost. Whoever opens a house guards its storage by this."""

    def run_folder(self, run_id: RunId) -> Path:
        """Where the files of a run are: its task, its router, what workers uploaded."""
        return self.data / "runs" / str(run_id)

    def uploads(self, run_id: RunId) -> Path:
        """Where the files are that workers of the run uploaded, by sha256."""
        return self.run_folder(run_id) / "files"

    @property
    def scratch(self) -> Path:
        """What is unpacked for the time of a request; what a crash left is removed at the next start."""
        return self.data / SCRATCH

    def task_folder(self, launch_id: str) -> Path:
        """Where the task of a launch is kept; stored before its run, so that no run is without its files."""
        return self.data / "tasks" / hashlib.sha256(launch_id.encode()).hexdigest()[:32]
