"""The daemon as a process: opens what all runs share, listens, holds the runs, ends in order."""

import logging
import os
import random
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import trio

from ..protocol.names import UNFINISHED_RUN
from ..storage.errors import StorageRefused
from ..storage.opening import open_storage
from .clock import wall_clock
from .config_layers import Asked, Configured
from .control import serve_control
from .daemon_config import DaemonConfig
from .departure import Departure, Manner
from .house import House
from .metrics.door import MetricsDoor
from .metrics.families import Metrics
from .metrics.storage_calls import time_calls
from .notify import Notifier
from .operator import Operator
from .registry import installed_plug_ins
from .reloading import Reloader
from .roles import Staff
from .routers import ROUTERS_NAME, Routers
from .secrets import load_or_make_secret
from .user_code import UserCode

log = logging.getLogger(__name__)

DATABASE = "crowdd.db"
CUT_S = 5.0  # after a second signal, the process ends within this time


async def serve_daemon(
    configured: Configured, asked: Asked | None = None, notifier: Notifier | None = None
) -> Manner | None:
    """Run until told to go, by a signal or by staff; returns how it left. SIGHUP: `asked` is read again.

    StorageRefused: the store cannot be opened. StorageFailed, LeaseLost (in a group): the store was lost.
    Nesting is the order of shutdown: runs first, then control, then storage.
    """
    notifier, config = notifier or Notifier.from_environment(), configured.config
    _tell_configured(configured)
    async with open_house(config) as house:
        departure = Departure(restarts=notifier.is_heard)
        operator = Operator(house, installed_plug_ins(), departure)
        staff = _staff_of(config)
        async with trio.open_nursery() as services:
            await services.start(watch_signals, departure, config.on_sigterm)
            services.start_soon(notifier.keep_watchdog)
            services.start_soon(notifier.extend_stop, departure.told)
            services.start_soon(_tell_going, departure, notifier)
            await services.start(serve_control, operator, config.control_path, staff)
            door = MetricsDoor(operator)
            await services.start(door.serve, config.metrics)
            if asked is not None:
                reloader = Reloader(asked, configured, door, house.routers, staff)
                await services.start(reloader.serve, notifier)
            async with trio.open_nursery() as runs:
                await runs.start(operator.serve)
                runs.start_soon(_tell_ready, operator, notifier, config)
            services.cancel_scope.cancel(reason="all runs have been left")
    log.info("goodbye")
    return departure.manner


@asynccontextmanager
async def open_house(config: DaemonConfig) -> AsyncGenerator[House]:
    """Open storage, secrets and folders; closed when left."""
    try:
        for folder in (config.data, config.data / "runs", config.data / "tasks"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as exc:
        raise StorageRefused(
            f"{config.data} cannot be used: {exc.strerror}; name another with --data"
        ) from exc
    link_secret = load_or_make_secret(config.data / "secrets" / "links")
    metrics = Metrics()
    async with open_storage(config.data / DATABASE, on_commit=metrics.committed) as storage:
        yield House(
            storage=time_calls(storage, metrics),
            wall=wall_clock,
            rng=random.SystemRandom(),
            user_code=UserCode(),
            data=config.data.absolute(),
            link_secret=link_secret,
            pace=config.pace,
            end_routers=config.end_routers,
            routers=Routers((config.routers or config.data / ROUTERS_NAME).absolute()),
            metrics=metrics,
        )


async def watch_signals(
    departure: Departure,
    on_sigterm: Manner,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """SIGTERM: leave as configured; SIGINT: stop gracefully. While leaving: end within CUT_S."""
    manners = {signal.SIGTERM: on_sigterm, signal.SIGINT: Manner.STOP}
    with trio.open_signal_receiver(*manners) as signals:
        task_status.started()
        async for number in signals:
            name = signal.Signals(number).name
            if not departure.leave(manners[signal.Signals(number)]):
                log.warning("%s while leaving: ending at once", name)
                departure.cut.set()
                await trio.sleep(CUT_S)
                os._exit(1)
            log.info("heard %s", name)


async def _tell_going(departure: Departure, notifier: Notifier) -> None:
    await departure.told.wait()
    if departure.manner is Manner.SUSPEND:
        log.info("suspended: nobody is told, pages are kept calm for the next start")
        notifier.say(stopping=1, status="going away for a restart; pages are kept calm")
    else:
        log.info("stopping: no new workers; those at work have their grace")
        notifier.say(stopping=1, status="saying goodbye to everybody at work")


def _staff_of(config: DaemonConfig) -> Staff:
    staff = Staff(config.roles)
    for words in staff.unknown:
        log.warning("%s", words)
    return staff


def _tell_configured(configured: Configured) -> None:
    """Which file was read, and what nobody heard: a value that does nothing is a puzzle later."""
    if configured.file is not None:
        log.info("configuration: %s", configured.file)
    for warning in configured.warnings:
        log.warning("%s", warning)
    for setting in configured.settings:
        for source in setting.unused:
            log.info(
                "%s: %s is not used: %s goes before it", source.where, setting.path, setting.source.where
            )


async def _tell_ready(operator: Operator, notifier: Notifier, config: DaemonConfig) -> None:
    count = len(await operator.storage.runs(UNFINISHED_RUN))
    log.info("ready: control socket %s, lease epoch %d", config.control_path, operator.storage.epoch)
    notifier.say(ready=1, status=f"holding {count} runs")
