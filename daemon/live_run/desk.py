"""What admission may ask of a held run. Knows who is let in at present; decides about nobody."""

from collections.abc import Callable

from ...protocol.names import AgentId, Reason, RunState, WorkerId
from ...storage.records import Agent
from ..course import Course
from ..error_notes import PLUG_IN, ErrorNotes
from ..follow_ups import FollowUps


class RunDesk:
    """One per LiveRun: its `admission_tools.Desk`."""

    def __init__(
        self,
        course: Course,
        follow_ups: FollowUps,
        errors: ErrorNotes,
        due_changed: Callable[[Agent], None],
    ) -> None:
        self._course = course
        self._follow_ups = follow_ups
        self._errors = errors
        self._due_changed = due_changed
        self._is_shut = False

    def shut(self) -> None:
        """Let nobody new in: the daemon is stopping."""
        self._is_shut = True

    def closed(self) -> Reason | None:
        """Why nobody is let in at present, or None."""
        match self._course.state:
            case RunState.RUNNING:
                return Reason.TRY_LATER if self._is_shut else None
            case RunState.LAUNCHING:
                return Reason.TRY_LATER
            case _:
                return Reason.RUN_ENDED

    async def settled(self, worker_id: WorkerId) -> None:
        """Return once all that the worker submitted is judged."""
        await self._follow_ups.settled(worker_id)

    def judged(self) -> int | None:
        """Grows with each answer that is judged; None while any is to be (see `admission_tools.Desk`)."""
        return self._follow_ups.judged

    async def caught_up(self) -> bool:
        """Return once what is being saved now is saved; whether there was any."""
        return await self._follow_ups.caught_up()

    def due_changed(self, agent: Agent) -> None:
        """An agent was made, or its time changed."""
        self._due_changed(agent)

    async def failed(self, doing: str, error: Exception, agent_id: AgentId | None = None) -> None:
        """A plug-in failed at something: note it with the run."""
        await self._errors.note(PLUG_IN, doing, error, agent_id)
