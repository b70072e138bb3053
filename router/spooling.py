"""Carries out what the outboxes want of the disk, in threads, and tells their desks what came of it."""

import logging
from collections import deque

import anyio
import attrs

from .commands import Command, Load, SetAside, Spool, SpoolCommand, Unspool
from .desk import Desk
from .limits import SPOOLING_AT_ONCE_MAX
from .spool import Damaged, SpoolFolder
from .threads import in_thread

log = logging.getLogger(__name__)


@attrs.frozen
class _Job:
    desk: Desk
    folder: SpoolFolder
    command: SpoolCommand


class Spooling:
    """Of a whole router. What waits is bounded by what outboxes may hold."""

    def __init__(self) -> None:
        self._jobs: deque[_Job] = deque()
        self._news = anyio.Event()

    def hand_in(self, folder: SpoolFolder, desk: Desk, command: SpoolCommand) -> None:
        """Do this soon. Things of one number wait for each other; their desk sees to that."""
        self._jobs.append(_Job(desk, folder, command))
        self._news.set()

    async def serve(self) -> None:
        """Work until cancelled: what is begun then is carried through, and what it was for is not told."""
        places = anyio.CapacityLimiter(SPOOLING_AT_ONCE_MAX)
        async with anyio.create_task_group() as tasks:
            while True:
                while self._jobs:
                    tasks.start_soon(_do, self._jobs.popleft(), places)
                self._news = anyio.Event()
                await self._news.wait()


async def _do(job: _Job, places: anyio.CapacityLimiter) -> None:
    """Whatever the disk says is told to the desk in one step with what the pure side makes of it."""
    match job.command:
        case Spool():
            commands = await _spool(job, job.command, places)
        case Load():
            commands = await _load(job, job.command, places)
        case Unspool() | SetAside():
            commands = await _remove(job, job.command, places)
    job.desk.carry_out(commands)


async def _spool(job: _Job, command: Spool, places: anyio.CapacityLimiter) -> list[Command]:
    number, trouble = command.kept.number, None
    try:
        await in_thread(job.folder.write, command.kept, command.packet, limiter=places)
    except OSError as exc:
        trouble = _words(exc)
    return job.desk.run.spooled(number, trouble, job.desk.clock())


async def _load(job: _Job, command: Load, places: anyio.CapacityLimiter) -> list[Command]:
    number, run = command.kept.number, job.desk.run
    try:
        packet = await in_thread(job.folder.read, command.kept, limiter=places)
    except Damaged:
        return run.not_loaded(number, None, job.desk.clock())
    except OSError as exc:
        return run.not_loaded(number, _words(exc), job.desk.clock())
    return run.loaded(number, packet, job.desk.clock())


async def _remove(job: _Job, command: Unspool | SetAside, places: anyio.CapacityLimiter) -> list[Command]:
    """What cannot be removed is delivered once more after the next start: the daemon knows it then."""
    number = command.kept.number
    try:
        if isinstance(command, Unspool):
            await in_thread(job.folder.remove, command.kept, limiter=places)
        else:
            await in_thread(job.folder.set_aside, command.kept, command.why, limiter=places)
    except OSError as exc:
        log.error(
            "what was kept as %d cannot be removed: %s", number, exc, extra={"label": job.desk.run.label}
        )
    return job.desk.run.unspooled(number, job.desk.clock())


def _words(exc: OSError) -> str:
    return exc.strerror or str(exc)
