"""Named functions that pages call: run side by side, within their limits, answered once. Not journaled.

A call is a stored update `{request_id, target, args}`, its answer one that `handles` it. After
a crash calls without a stored answer are executed again: at least once, and answered exactly once.
"""

import inspect
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import attrs
import orjson
import trio

from ...protocol.names import AgentId
from ...storage.records import LiveUpdate
from ..causes import causes, words_of
from ..user_code import UserCode, UserCodeFailed
from .errors import CallRefused

log = logging.getLogger(__name__)

ANSWER_CHARACTERS_MAX = 1_000_000  # as what user code sends; more belongs into the page's files
CALLS_WAITING_MAX = 256  # of one agent; a page that asks for more has run away


@attrs.frozen
class CallTools:
    """What calls are carried out with."""

    functions: Mapping[str, Callable[..., Any]]
    limit_s: float
    at_once_max: int
    user_code: UserCode
    caller: Callable[[AgentId], Any]
    """What a function is shown of who calls it."""
    answer: Callable[[AgentId, Mapping[str, Any]], None]
    """Store and send the answer."""
    failed: Callable[[str, BaseException, AgentId], Awaitable[None]]
    """Keep an error of the author's code, and what it was doing."""


def is_call(update: Mapping[str, Any]) -> bool:
    """Whether an update calls a named function."""
    return isinstance(update.get("request_id"), str) and isinstance(update.get("target"), str)


def unanswered(heard: Iterable[LiveUpdate], sent: Iterable[LiveUpdate]) -> list[LiveUpdate]:
    """The calls among what was heard that nothing that was sent answers."""
    answered = {str(update.update.get("handles")) for update in sent}
    return [
        update for update in heard if is_call(update.update) and update.update["request_id"] not in answered
    ]


class _NotCallable(Exception):
    """The page asks for what there is not; says why."""


class Calls:
    """The calls of one piece."""

    def __init__(self, tools: CallTools, nursery: trio.Nursery) -> None:
        self._t = tools
        self._nursery = nursery
        self._limiters: dict[AgentId, trio.CapacityLimiter] = {}
        self._open: dict[AgentId, int] = {}

    def take(self, call: LiveUpdate) -> None:
        """Carry out a call, in a task of its own; it waits for its turn among those of its agent."""
        if self._open.get(call.agent_id, 0) >= CALLS_WAITING_MAX:
            self._say(call, error=f"more than {CALLS_WAITING_MAX} calls at once")
            return
        self._open[call.agent_id] = self._open.get(call.agent_id, 0) + 1
        self._nursery.start_soon(self._carry_out, call)

    async def _carry_out(self, call: LiveUpdate) -> None:
        limiter = self._limiters.setdefault(call.agent_id, trio.CapacityLimiter(self._t.at_once_max))
        try:
            async with limiter:
                self._say(call, response=await self._response(call))
        except _NotCallable as exc:
            self._say(call, error=str(exc))
        except (UserCodeFailed, TypeError, ValueError) as exc:
            await self._failed(call, exc)
        finally:
            self._open[call.agent_id] -= 1

    async def _response(self, call: LiveUpdate) -> str:
        function = self._t.functions.get(call.update["target"])
        if function is None:
            raise _NotCallable(f"there is no function {call.update['target']!r}")
        args, caller = _args(call.update.get("args")), self._t.caller(call.agent_id)
        run = self._t.user_code.run_async if _is_async(function) else self._t.user_code.run_sync
        text = orjson.dumps(await run(function, caller, args, limit_s=self._t.limit_s)).decode()
        if len(text) > ANSWER_CHARACTERS_MAX:
            raise ValueError(f"its answer has {len(text)} characters of JSON, more than a page can be sent")
        return text

    async def _failed(self, call: LiveUpdate, exc: Exception) -> None:
        """What the function says to the worker is passed on; an error's own words may hold what is secret."""
        name, cause = call.update["target"], causes(exc.__cause__ or exc)[0]
        if isinstance(cause, CallRefused):
            self._say(call, error=words_of(cause))
            return
        log.warning("the call of %s failed: %s", name, exc, extra={"agent": call.agent_id})
        self._say(call, error=f"{name} did not work just now. What went wrong is noted; please try again.")
        await self._t.failed(f"calling {name}", exc, call.agent_id)

    def _say(self, call: LiveUpdate, response: str = "null", error: str | None = None) -> None:
        answer = {"handles": call.update["request_id"], "response": response}
        self._t.answer(call.agent_id, answer if error is None else {**answer, "error": error})


@asynccontextmanager
async def open_calls(tools: CallTools) -> AsyncGenerator[Calls]:
    """Calls are carried out until this is left; those under way are cancelled, and not answered."""
    async with trio.open_nursery() as nursery:
        yield Calls(tools, nursery)
        nursery.cancel_scope.cancel(reason="nobody is left to call")


def _is_async(function: Callable[..., Any]) -> bool:
    call = getattr(function, "__call__", None)  # noqa: B004  # an object with an async __call__
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(call)


def _args(args: Any) -> Any:
    """Pages write them as JSON text."""
    try:
        return orjson.loads(args) if isinstance(args, str) else args
    except orjson.JSONDecodeError as exc:
        raise _NotCallable(f"args are not JSON: {exc}") from exc
