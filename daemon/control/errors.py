"""Errors of the control API: {"error": {"code", "message", "hint"}}, with a status that means something."""

import errno
import itertools
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from ...storage.errors import (
    Duplicate,
    InvalidRecord,
    LeaseLost,
    NotFound,
    StaleWrite,
    StorageFailed,
    StorageFull,
)
from ...supervision.tasks import WORDS, NoThread, is_lack_of_threads
from ..full_disk import is_full
from ..providers.contract import ProviderFailed
from ..structuring import near_name
from .answers import json_answer
from .shapes.refusals import ErrorView, RefusalView

_DISK_FAILED = frozenset({errno.EIO, errno.EROFS})
COMPARED_MAX = 1000  # names that a wrong one is compared with: some milliseconds
RETRY_AFTER_S = 5  # a daemon that ends is started again by systemd


class ControlError(Exception):
    """A request that gets no for an answer: why, and what to do next."""

    def __init__(
        self, status: int, code: str, message: str, hint: str = "", problems: Sequence[str] = ()
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.hint = hint
        self.problems = list(problems)


def no_such_run(name: str, labels: Iterable[str]) -> ControlError:
    """The answer for a run that is not there; `labels` are of those that are."""
    hint = near_hint(name, labels) + "`crowdctl runs` lists them."
    return ControlError(404, "no_such_run", f"There is no run {name!r}.", hint)


def near_hint(name: str, known: Iterable[str]) -> str:
    """What a hint begins with after a slip in a name: the known one that was probably meant, or ""."""
    near = near_name(name, itertools.islice(known, COMPARED_MAX))
    return "" if near is None else f"Did you mean {near!r}? "


def bad_request(message: str, hint: str = "") -> ControlError:
    """The answer for a request that makes no sense."""
    return ControlError(400, "bad_request", message, hint)


def needs_role(needed: str, has: str, name: str) -> ControlError:
    """The answer for somebody whose role does not cover what they ask."""
    message = f"This needs the role {needed}; {name} has {has}. Nothing was done."
    hint = f"Whoever runs the daemon gives it: {name!r} in roles.{needed} of its crowdd.toml, then a reload."
    return ControlError(403, "needs_role", message, hint)


def _refused(error: ControlError) -> Response:
    why: RefusalView = {"code": error.code, "message": error.message, "hint": error.hint}
    if error.problems:
        why["problems"] = error.problems
    content: ErrorView = {"error": why}
    answer = json_answer(content, error.status)
    if error.status == 503:
        answer.headers["Retry-After"] = str(RETRY_AFTER_S)
    return answer


def _control_error(_request: Request, exc: Exception) -> Response:
    assert isinstance(exc, ControlError)
    return _refused(exc)


def _http_exception(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, HTTPException)
    if exc.status_code == 404:
        return _refused(ControlError(404, "no_such_path", f"There is nothing at {request.url.path}."))
    code = {405: "method_not_allowed", 413: "too_large"}.get(exc.status_code, "bad_request")
    answer = _refused(ControlError(exc.status_code, code, exc.detail))
    answer.headers.update(exc.headers or {})
    return answer


def _storage_error(_request: Request, exc: Exception) -> Response:
    match exc:
        case NotFound():
            return _refused(ControlError(404, "not_found", str(exc) or "There is no such record."))
        case StaleWrite():
            message = "It has changed meanwhile."
            return _refused(ControlError(409, "changed_meanwhile", message, "Look, then try again."))
        case StorageFull():
            message = "There is no space left on the daemon's disk."
            return _refused(ControlError(507, "storage_full", message, "Make room, then try again."))
        case _:
            return _refused(ControlError(409, "refused", str(exc)))


def _disk_error(_request: Request, exc: Exception) -> Response:
    """Of files beside the store. What has nothing to do with the disk is raised again: a bug."""
    assert isinstance(exc, OSError)
    if is_full(exc):
        return _storage_error(_request, StorageFull(str(exc)))
    if exc.errno not in _DISK_FAILED:
        raise exc
    message = f"The daemon's disk failed: {exc.strerror}. Whether this was done is not known."
    return _refused(ControlError(503, "disk_failed", message, "Look at the disk, then ask again."))


def _no_thread(_request: Request, exc: Exception) -> Response:
    """Of any other RuntimeError nothing is known: a bug."""
    if not isinstance(exc, NoThread) and not is_lack_of_threads(exc):
        raise exc
    message = f"This could not be done: {WORDS}. Those at work go on."
    return _refused(ControlError(503, "no_thread", message, "Raise the limit, or try again in a while."))


def _provider_failed(_request: Request, exc: Exception) -> Response:
    message = f"The crowd provider failed: {exc}. Whether it did what was asked is not known."
    return _refused(ControlError(502, "provider_failed", message, "Look, then try again."))


def _failure(_request: Request, exc: Exception) -> Response:
    """Answered, then raised again: a bug is logged, a lost store ends the daemon."""
    match exc:
        case LeaseLost() | StorageFailed():
            return lost_store_answer()
        case _:
            return _refused(ControlError(500, "internal", "The daemon failed at this.", "Its log says more."))


def lost_store_answer() -> Response:
    """What is said while the daemon ends because its store is lost."""
    message = "The daemon lost its storage and ends; whether this was done is not known."
    return _refused(ControlError(503, "storage_failed", message, "Once it is back, look."))


Handler = Callable[[Request, Exception], Awaitable[Response]]
_ANSWERS: Mapping[Any, Callable[[Request, Exception], Response]] = {
    ControlError: _control_error,
    HTTPException: _http_exception,
    NotFound: _storage_error,
    StaleWrite: _storage_error,
    Duplicate: _storage_error,
    InvalidRecord: _storage_error,
    StorageFull: _storage_error,
    OSError: _disk_error,
    NoThread: _no_thread,
    RuntimeError: _no_thread,
    ProviderFailed: _provider_failed,
    Exception: _failure,
}


def _in_the_loop(handler: Callable[[Request, Exception], Response]) -> Handler:
    async def answer(request: Request, exc: Exception) -> Response:
        return handler(request, exc)

    return answer


HANDLERS: Mapping[Any, Handler] = {kind: _in_the_loop(handler) for kind, handler in _ANSWERS.items()}
"""Starlette would give each answer of a plain function a thread: no refusal may need one."""
