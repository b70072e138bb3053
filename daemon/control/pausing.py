"""Endpoints that pause runs and let them go on, and who paused one."""

from starlette.requests import Request
from starlette.responses import Response

from ...protocol.names import RunState
from ...storage.contract import Storage
from ...storage.records import HistoryEntry, TaskRun
from .answers import json_answer
from .auditing import changed
from .errors import ControlError
from .questions import (
    json_body,
    line_of,
    no_other_keys,
    operator_of,
    refuse_if_ended,
    run_asked_for,
    who_asks,
)
from .shapes.runs import PausedRunView, PauseView
from .views import run_view


async def pause_run(request: Request) -> Response:
    """Let nobody new in until the run is resumed; who is at work goes on. `why` is kept in history."""
    return await _pause(request, paused=True)


async def resume_run(request: Request) -> Response:
    """Let workers in again. `why` is kept in history."""
    return await _pause(request, paused=False)


async def pause_of(storage: Storage, run: TaskRun) -> PauseView | None:
    """Since when the run is paused, by whom and why; None when it is not."""
    last: HistoryEntry | None = None
    while run.paused and (found := await storage.history("pause", run.id, after=last.id if last else 0)):
        last = found[-1]
    return None if last is None else {"at": last.at, "who": last.who, "why": last.why}


async def _pause(request: Request, paused: bool) -> Response:
    operator, run = operator_of(request), await run_asked_for(request)
    body = await json_body(request)
    no_other_keys(body, {"why"})
    why = line_of(body, "why") or ("paused by staff" if paused else "resumed by staff")
    refuse_if_ended(run)
    if run.state is RunState.DRAINING:
        raise ControlError(409, "run_stopping", f"Run {run.label!r} is being stopped: it takes nobody new.")
    await operator.pause(run.id, paused, who_asks(request), why)
    states = ("open", "paused")
    changed(request, states[run.paused], f"{states[paused]}: {why}")
    now = await operator.storage.run(run.id)
    view: PausedRunView = {**await run_view(operator, now), "changed": run.paused is not paused}
    return json_answer(view)
