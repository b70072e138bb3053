"""What a SIGHUP does: the configuration is read again, and what a running daemon can change is taken up."""

import logging
import signal
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress

import attrs
import trio

from ..logs.output import write_log
from ..logs.parts import levels_now, read_levels, set_levels
from ..supervision.tasks import NoThread
from .config_layers import Asked, Configured, Setting
from .metrics.door import MetricsDoor
from .metrics.service import MetricsAddressTaken
from .options import toml_text
from .roles import Staff
from .routers import Routers
from .status_line import StatusLine
from .structuring import Faults
from .threads import in_thread

log = logging.getLogger(__name__)


@attrs.frozen
class Change:
    """An option that has another value now than the daemon runs with."""

    before: Setting
    after: Setting

    def __str__(self) -> str:
        where = self.after.source.where or "the default"
        return f"{self.after.path}: {_shown(self.before)} is now {_shown(self.after)} ({where})"


def changes(before: Configured, after: Configured) -> Iterator[Change]:
    """What differs, in the order of the options."""
    for was, is_now in zip(before.settings, after.settings, strict=True):
        if was.value != is_now.value:
            yield Change(was, is_now)


@attrs.frozen
class Reloaded:
    """How a reload went, in words that name each option, its values, and who said the new one."""

    taken_up: tuple[str, ...] = ()
    needs_restart: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


Reload = Callable[[], Awaitable[Reloaded]]


class Reloader:
    """Holds what the daemon runs with at present. Systemd is told when a reload begins and ends."""

    def __init__(
        self,
        asked: Asked,
        configured: Configured,
        door: MetricsDoor,
        routers: Routers,
        staff: Staff,
        status: StatusLine,
    ) -> None:
        self._asked = asked
        self._running = configured
        self._door = door
        self._routers = routers
        self._staff = staff
        self._status = status
        self._one_at_a_time = trio.Lock()

    async def serve(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Reload at every SIGHUP until cancelled; what is wrong is in the log."""
        with trio.open_signal_receiver(signal.SIGHUP) as signals:
            task_status.started()
            async for _ in signals:
                try:
                    with suppress(Faults):
                        await self.reload()
                except NoThread as exc:
                    log.error("not reloaded: %s", exc.strerror)

    async def reload(self) -> Reloaded:
        """Take up what can be; said in the log, too. Faults, NoThread: everything stays as it was."""
        async with self._one_at_a_time:
            now_usec = time.monotonic_ns() // 1000
            self._status.say("reloading", reloading=1, monotonic_usec=now_usec)
            said = "the configuration was not reloaded: the log says why"
            try:
                done = await self._reload()
                waiting = [words.partition(":")[0] for words in done.needs_restart]
                said = f"needs a restart: {', '.join(waiting)}" if waiting else "reloaded"
                return done
            finally:
                self._status.say(said, ready=1)

    async def _reload(self) -> Reloaded:
        try:
            after = await in_thread(self._asked.configure)
            await in_thread(self._routers.find, ())
        except Faults as exc:
            for problem in exc.problems:
                log.error("not reloaded: %s", problem)
            raise
        for warning in after.warnings:
            log.warning("%s", warning)
        found = list(changes(self._running, after))
        late = [change for change in found if not await self._take_up(change, after)]
        self._running = _without(self._running, after, late)
        log.info("reloaded: %d taken up, %d need a restart", len(found) - len(late), len(late))
        taken_up = tuple(str(change) for change in found if change not in late)
        return Reloaded(taken_up, tuple(map(str, late)), tuple(after.warnings))

    async def _take_up(self, change: Change, after: Configured) -> bool:
        """Whether the daemon runs with the new value now."""
        match change.after.path:
            case "log.level":
                set_levels(read_levels(after.config.log.level))
            case "log.format":
                write_log(after.config.log.format.value, read_levels(levels_now()))
            case "roles.view" | "roles.operate" | "roles.pay" | "roles.others":
                for words in await in_thread(self._staff.take_up, after.config.roles):
                    log.warning("%s", words)
            case "metrics":
                try:
                    await self._door.move(after.config.metrics)
                except MetricsAddressTaken as exc:
                    log.error("not taken up: %s: %s", change, exc)
                    return False
            case _:
                log.warning("needs a restart: %s", change)
                return False
        log.info("taken up: %s", change)
        return True


def _without(running: Configured, after: Configured, late: list[Change]) -> Configured:
    """What the daemon runs with, once all but `late` was taken up."""
    waiting = {change.after.path for change in late}
    settings = [
        was if was.path in waiting else is_now
        for was, is_now in zip(running.settings, after.settings, strict=True)
    ]
    return attrs.evolve(after, settings=tuple(settings))


def _shown(setting: Setting) -> str:
    return "nothing" if setting.value is None else toml_text(setting.value)
