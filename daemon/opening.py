"""Opens what all runs of a daemon share: folders, secrets, storage."""

import errno
import logging
import random
import shutil
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from ..storage.errors import StorageFailed, StorageRefused
from ..storage.opening import open_storage
from ..storage.sqlite import OnStep
from .architects.processes import RouterProcesses
from .backup import remove_left_copies
from .clock import wall_clock
from .daemon_config import DaemonConfig
from .degraded import Degraded
from .house import SCRATCH, House
from .metrics.families import Metrics
from .metrics.storage_calls import time_calls
from .routers import ROUTERS_NAME, Routers
from .secrets import load_or_make_secrets
from .store_loss import StoreLoss, guard_calls
from .user_code import UserCode

log = logging.getLogger(__name__)

DATABASE = "crowdd.db"
DISK_FAILS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO})


@asynccontextmanager
async def open_house(config: DaemonConfig, on_step: OnStep | None = None) -> AsyncGenerator[House]:
    """Open storage, secrets and folders; closed when left. `on_step` hears of a migration, on a thread."""
    with _disk_of(config.data):
        for folder in (config.data, config.data / "runs", config.data / "tasks"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        link_secrets = _link_secrets(config.data)
    metrics = Metrics()
    async with open_storage(config.data / DATABASE, on_commit=metrics.committed, on_step=on_step) as storage:
        remove_left_copies(config.data)
        shutil.rmtree(config.data / SCRATCH, ignore_errors=True)
        degraded = Degraded(wall_clock)
        loss = StoreLoss(degraded)
        yield House(
            storage=guard_calls(time_calls(storage, metrics), loss, degraded),
            wall=wall_clock,
            rng=random.SystemRandom(),
            user_code=UserCode(),
            data=config.data.absolute(),
            link_secrets=link_secrets,
            pace=config.pace,
            end_routers=config.end_routers,
            routers=Routers((config.routers or config.data / ROUTERS_NAME).absolute()),
            router_processes=RouterProcesses(config.data.absolute(), config.spare_router),
            metrics=metrics,
            degraded=degraded,
            loss=loss,
        )


@contextmanager
def _disk_of(data: Path) -> Generator[None]:
    """Whether a start can help: not where the folder cannot be used, but where room may be made."""
    try:
        yield
    except OSError as exc:
        if exc.errno in DISK_FAILS:
            raise StorageFailed(f"{data}: {exc.strerror}: make room, or look at the disk") from exc
        raise StorageRefused(f"{data} cannot be used: {exc.strerror}; name another with --data") from exc


def _link_secrets(data: Path) -> Sequence[bytes]:
    path = data / "secrets" / "links"
    if (data / DATABASE).exists() and not path.exists():
        log.warning("%s was not there: a new one is made, and personal links from before open nothing", path)
    return load_or_make_secrets(path)
