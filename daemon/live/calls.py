"""Named functions that pages call: run side by side, within their limits, answered once. Not journaled.

A call is a stored update `{request_id, target, args}`, its answer one that `handles` it (§2.11). After
a crash calls without a stored answer are executed again: at least once, and answered exactly once.
"""

import logging
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import attrs
import orjson
import trio

from ...protocol.names import AgentId
from ...storage.records import LiveUpdate
from ..function_shapes import is_async
from ..user_code import UserCode, UserCodeFailed

log = logging.getLogger(__name__)

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


def is_call(update: Mapping[str, Any]) -> bool:
    """Whether an update calls a named function."""
    return isinstance(update.get("request_id"), str) and isinstance(update.get("target"), str)


def unanswered(heard: Iterable[LiveUpdate], sent: Iterable[LiveUpdate]) -> list[LiveUpdate]:
    """The calls among what was heard that nothing that was sent answers."""
    answered = {update.update.get("handles") for update in sent}
    return [
        update for update in heard if is_call(update.update) and update.update["request_id"] not in answered
    ]


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
                response = await self._call(call)
            text = orjson.dumps(response).decode()
        except (UserCodeFailed, TypeError, ValueError) as exc:
            log.warning("the call of %s failed: %s", call.update["target"], exc)
            self._say(call, error=str(exc))
        else:
            self._say(call, response=text)
        finally:
            self._open[call.agent_id] -= 1

    async def _call(self, call: LiveUpdate) -> Any:
        function = self._t.functions.get(call.update["target"])
        if function is None:
            raise ValueError(f"there is no function {call.update['target']!r}")
        args, caller = _args(call.update.get("args")), self._t.caller(call.agent_id)
        run = self._t.user_code.run_async if is_async(function) else self._t.user_code.run_sync
        return await run(function, caller, args, limit_s=self._t.limit_s)

    def _say(self, call: LiveUpdate, response: str = "null", error: str | None = None) -> None:
        answer = {"handles": call.update["request_id"], "response": response}
        self._t.answer(call.agent_id, answer if error is None else {**answer, "error": error})


@asynccontextmanager
async def open_calls(tools: CallTools) -> AsyncGenerator[Calls]:
    """Calls are carried out until this is left; those under way are cancelled, and not answered."""
    async with trio.open_nursery() as nursery:
        yield Calls(tools, nursery)
        nursery.cancel_scope.cancel(reason="nobody is left to call")


def _args(args: Any) -> Any:
    """Pages of `mephisto-task` write them as JSON text."""
    return orjson.loads(args) if isinstance(args, str) else args
