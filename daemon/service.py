"""The daemon as a process: opens what all runs share, listens, holds the runs, ends in order."""

import functools
import logging
import os
import signal
import socket
from pathlib import Path

import trio

from ..storage.sqlite.lane import CLOSE_S
from ..supervision.garbage import LOOK_S, GarbageSearch
from ..supervision.notify import Notifier
from ..supervision.open_files import raise_open_files
from ..supervision.sockets import SocketsRefused, take_sockets
from .config_layers import Asked, Configured
from .control import serve_control
from .daemon_config import DaemonConfig
from .departure import Departure, Manner
from .disk_space import DiskSpace
from .house import House
from .metrics.door import MetricsDoor
from .opening import open_house
from .operator import Operator
from .registry import installed_plug_ins
from .reloading import Reloader
from .roles import Staff
from .status_line import StatusLine
from .watchdog import Watchdog, extend_stop

log = logging.getLogger(__name__)

CONTROL = "control"  # the name of systemd's socket for it: FileDescriptorName= in crowdd.socket
MIGRATION_STEP_S = 1800.0  # a start that takes longer for one step is stuck
CUT_S = 5.0  # after a second signal, the process ends within this time
LEAVE_S = 5.0  # besides graces and goodbyes, all tasks of all runs end within this time
EXIT_STUCK = 70  # the stop took longer than anything in it may: ended by force, as by a crash


async def serve_daemon(
    configured: Configured, asked: Asked | None = None, notifier: Notifier | None = None
) -> Manner | None:
    """Run until told to go, by a signal or by staff; returns how it left. SIGHUP: `asked` is read again.

    StorageRefused: the store cannot be opened. StorageFailed, LeaseLost (in a group): the store was lost.
    Nesting is the order of shutdown: runs first, then control, then storage.
    """
    notifier, config = notifier or Notifier.from_environment(), configured.config
    _tell_configured(configured)
    raise_open_files()  # each run takes two, and 1024 are what one usually begins with
    handed = _control_socket()
    watchdog, departure = Watchdog(notifier), Departure(restarts=notifier.is_heard)
    async with trio.open_nursery() as upkeep:
        upkeep.start_soon(watchdog.serve)
        async with open_house(config, functools.partial(tell_step, notifier)) as house:
            operator, staff = Operator(house, installed_plug_ins(), departure), _staff_of(config)
            async with trio.open_nursery() as services:
                status = await _start_services(services, operator, house, config, notifier)
                control: Path = await services.start(
                    serve_control, operator, config.control_path, staff, handed
                )
                door = MetricsDoor(operator)
                await services.start(door.serve, config.metrics)
                if asked is not None:
                    reloader = Reloader(asked, configured, door, house.routers, staff, status)
                    operator.reloads_with(reloader.reload)
                    await services.start(reloader.serve)
                with watchdog.probing(house.storage.check_lease):
                    async with trio.open_nursery() as runs:
                        await runs.start(operator.serve)
                        runs.start_soon(_tell_ready, operator, status, control)
                services.cancel_scope.cancel(reason="all runs have been left")
                notifier.say(extend_timeout_usec=int((CLOSE_S + LEAVE_S) * 1e6))
        upkeep.cancel_scope.cancel(reason="the store is closed")
    log.info("goodbye")
    return departure.manner


async def _start_services(
    services: trio.Nursery, operator: Operator, house: House, config: DaemonConfig, notifier: Notifier
) -> StatusLine:
    """What goes on beside the runs for as long as they are held; signals are heard when this returns."""
    departure, status = operator.departure, StatusLine(notifier, house.degraded)
    space = DiskSpace(house.data, house.storage, house.degraded)
    await services.start(watch_signals, departure, config.on_sigterm)
    services.start_soon(status.keep)
    services.start_soon(space.serve, departure.told)
    services.start_soon(_keep_garbage_small)
    services.start_soon(_tell_going, departure, status)
    services.start_soon(bound_stop, operator, notifier)
    return status


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


async def _keep_garbage_small() -> None:
    """A search for garbage that grew with all that lives would hold up the loop."""
    search = GarbageSearch()
    search.begin()
    while True:
        await trio.sleep(LOOK_S)
        search.look()


def tell_step(notifier: Notifier, number: int, of: int) -> None:
    """A step may rewrite a table of millions of rows: systemd is not to take that for a hang."""
    log.info("the store is migrated: step %d of %d", number, of)
    status = f"migrating the store: step {number} of {of}"
    notifier.say(status=status, extend_timeout_usec=int(MIGRATION_STEP_S * 1e6))


async def _tell_going(departure: Departure, status: StatusLine) -> None:
    await departure.told.wait()
    if departure.manner is Manner.SUSPEND:
        log.info("suspended: nobody is told, pages are kept calm for the next start")
        status.say("going away for a restart; pages are kept calm", stopping=1)
    else:
        log.info("stopping: no new workers; those at work have their grace")
        status.say("saying goodbye to everybody at work", stopping=1)


def _staff_of(config: DaemonConfig) -> Staff:
    staff = Staff(config.roles)
    for words in staff.unknown:
        log.warning("%s", words)
    return staff


async def bound_stop(operator: Operator, notifier: Notifier) -> None:
    """Have systemd wait for a stop as long as its parts may take; one that takes longer is ended by force.

    What could hold it up is user code that swallows its cancellation.
    """
    await extend_stop(notifier, operator.departure.told, lambda: operator.longest_stop_s() + LEAVE_S)
    log.error(
        "the stop is stuck, perhaps in a task's own code: ended by force; nothing that is stored is lost"
    )
    os._exit(EXIT_STUCK)


def _control_socket() -> socket.socket | None:
    """What systemd hands over for crowdctl, if it does. SocketsRefused."""
    handed = take_sockets()
    sockets = handed.pop(CONTROL, [])
    if handed or len(sockets) > 1:
        strange = [*handed, *[CONTROL] * (len(sockets) - 1)]
        raise SocketsRefused(
            f"systemd handed over {', '.join(strange)}: crowdd.socket needs one ListenStream=, "
            f"and FileDescriptorName={CONTROL}"
        )
    return sockets[0] if sockets else None


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


async def _tell_ready(operator: Operator, status: StatusLine, control: Path) -> None:
    count = len(await operator.unfinished())
    log.info("ready: control socket %s, lease epoch %d", control, operator.storage.epoch)
    status.say(f"holding {count} runs", ready=1)
