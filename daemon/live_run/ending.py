"""How a run ends by itself: once nothing is left to do in it."""

import trio

from ...protocol.names import RunState
from ...storage.contract import Storage
from ..course import Course
from ..follow_ups import FollowUps
from ..full_disk import with_space
from ..launcher import TaskLauncher, nothing_left
from ..onboarding import RunOnboarding


class Ending:
    """One per LiveRun. Whoever does what may have been the last has it look again."""

    def __init__(
        self,
        course: Course,
        storage: Storage,
        launcher: TaskLauncher,
        follow_ups: FollowUps,
        onboarding: RunOnboarding | None,
    ) -> None:
        self._course = course
        self._storage = storage
        self._launcher = launcher
        self._follow_ups = follow_ups
        self._onboarding = onboarding
        self._look = trio.Event()

    def look_again(self) -> None:
        """Something ended: it may have been the last."""
        self._look.set()

    async def watch(self) -> None:
        """Return once the run has ended, and whoever watches its course is told."""
        while not await with_space(f"run {self._course.run.id}", self._has_ended):
            await self._look.wait()

    async def _has_ended(self) -> bool:
        self._look = trio.Event()
        if not self._follow_ups.idle:
            return False  # not counted while answers come: after the last of them this looks again
        if not await self._moved():
            return False
        if self._onboarding is not None:
            await self._onboarding.lives.end_all()
        self._course.end()
        return True

    async def _moved(self) -> bool:
        """Move the run to its end, if nothing is left; a run that has ended stays as it is."""
        async with self._course.deciding:  # nobody adds rows between looking and ending
            all_rows_made = self._launcher.rows_done  # before counting: the last rows count then
            counts = await self._storage.counts(self._course.run.id)
            if not nothing_left(counts) or not self._follow_ups.idle:
                return False
            if self._course.state is RunState.RUNNING and not all_rows_made:
                return False
            move = self._course.move_decided
            await move(RunState.RUNNING, RunState.COMPLETED, "daemon", "every unit has ended")
            await move(RunState.DRAINING, RunState.STOPPED, "daemon", "everybody has finished")
            return True
