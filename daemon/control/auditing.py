"""Changes that staff ask for are written down before they are carried out, and how they went after."""

import logging
from collections.abc import Awaitable, Callable

import attrs
from starlette.requests import Request
from starlette.responses import Response

from ...storage.contract import Storage
from ...storage.errors import LeaseLost, StorageError, StorageFailed, StorageFull
from ...storage.records import AuditRow
from .errors import ControlError
from .needs import Operator
from .peer import Peer

log = logging.getLogger(__name__)

Handler = Callable[[Request], Awaitable[Response]]
WORDS_CHARACTERS_MAX = 1000  # of what a row says about before and after: for people, not a copy of the data


@attrs.define(eq=False)
class _Change:
    """What the handler says about what it changes."""

    subject: str
    before: str | None = None
    after: str | None = None


def about(request: Request, subject: str) -> None:
    """Say, for the audit, what the request is about."""
    change = _change_of(request)
    if change is not None:
        change.subject = subject[:WORDS_CHARACTERS_MAX]


def changed(request: Request, before: str | None, after: str) -> None:
    """Say in words, for the audit, what changed; never a secret, never a personal link."""
    change = _change_of(request)
    if change is not None:
        change.before, change.after = _short(before), _short(after)


def _change_of(request: Request) -> _Change | None:
    change: _Change | None = getattr(request.state, "change", None)
    return change


async def audited(what: str, handler: Handler, request: Request) -> Response:
    """Carry out what is asked, between two notes of it. StorageFull: nothing was done, without the first."""
    operator: Operator = request.app.state.operator
    peer: Peer = request.state.peer
    change = request.state.change = _Change(str(request.path_params.get("run", "")))
    row = await operator.storage.begin_audit(
        peer.uid, peer.pid, peer.who, what, change.subject, operator.wall()
    )
    try:
        answer = await handler(request)
    except (LeaseLost, StorageFailed):
        raise  # the store takes no notes any more
    except ControlError as exc:
        await _end(operator.storage, row, f"refused: {exc.code}", change)
        raise
    except StorageError as exc:
        await _end(operator.storage, row, f"refused: {type(exc).__name__}", change)
        raise
    except Exception:
        await _end(operator.storage, row, "failed", change)
        raise
    await _end(operator.storage, row, "done", change)
    return answer


async def _end(storage: Storage, row: AuditRow, outcome: str, change: _Change) -> None:
    try:
        await storage.end_audit(row.id, outcome, change.subject, change.before, change.after)
    except StorageFull:
        log.warning("audit row %d stays open, the disk is full: %s %s", row.id, row.what, outcome)


def _short(words: str | None) -> str | None:
    return None if words is None else words[:WORDS_CHARACTERS_MAX]
