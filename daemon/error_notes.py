"""Keeps with a run what its hooks and plug-ins raised, for `crowdctl errors`. Decides nothing."""

import logging
import traceback

from ..protocol.names import AgentId, RunId
from ..storage.contract import Storage
from ..storage.errors import NotFound, StorageFull
from .causes import causes, whole_characters, words_of
from .clock import Wall

log = logging.getLogger(__name__)

HOOK, PLUG_IN = "hook", "plug-in"
"""Where an error came from: the functions of a task's task.py, or a blueprint, architect or provider."""
ERROR_NOTES_MAX = 1000  # of a run while it is held; what fails at every request must not fill the disk
MESSAGE_CHARACTERS_MAX = 500
TRACEBACK_CHARACTERS_MAX = 8000  # the end of it, where the error is


class ErrorNotes:
    """One per run that is held."""

    def __init__(self, run_id: RunId, storage: Storage, wall: Wall) -> None:
        self._run_id = run_id
        self._storage = storage
        self._wall = wall
        self._left = ERROR_NOTES_MAX

    async def note(
        self, source: str, doing: str, error: BaseException, agent_id: AgentId | None = None
    ) -> None:
        """Store the error. The log alone has it past the limit, on a full disk, and of a deleted run."""
        if not self._left:
            return
        self._left -= 1
        data = error_data(doing, error)
        try:
            await self._storage.add_error(self._run_id, agent_id, source, data, self._wall())
        except (StorageFull, NotFound) as exc:
            log.warning("an error could not be noted: %s", exc, extra={"run": self._run_id})


def error_data(doing: str, error: BaseException) -> dict[str, str]:
    """An error as it is stored: what was being done, what was said, and from where."""
    first = causes(error)[0]
    said = f"{doing}: {words_of(first) or type(first).__name__}"
    lines = "".join(traceback.format_exception(error))
    return {
        "error_type": type(first).__name__,
        "message": whole_characters(said)[:MESSAGE_CHARACTERS_MAX],
        "stack": whole_characters(lines)[-TRACEBACK_CHARACTERS_MAX:],
    }
