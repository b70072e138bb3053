"""Endpoints that block workers and let them in again."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from ..blocks import BlockSet
from .answers import json_answer
from .auditing import about, changed
from .errors import bad_request
from .questions import json_body, line_of, no_other_keys, operator_of, who_asks
from .shapes.people import BlocksView, BlockView
from .views import RunLabels, worker_view
from .worker_words import workers_of_body


async def block(request: Request) -> Response:
    """Let these workers have nothing new, in any run; who is at work keeps their unit and may submit it."""
    body = await json_body(request)
    no_other_keys(body, {"workers", "reason"})
    reason = line_of(body, "reason")
    if not reason:
        raise bad_request("A block needs a reason.", "One line, for history and for the provider.")
    return await _set(request, body, True, reason)


async def unblock(request: Request) -> Response:
    """Let these workers in again."""
    body = await json_body(request)
    no_other_keys(body, {"workers", "reason"})
    return await _set(request, body, False, line_of(body, "reason") or "unblocked by staff")


async def _set(request: Request, body: dict[str, Any], blocked: bool, reason: str) -> Response:
    operator = operator_of(request)
    workers = await workers_of_body(operator.storage, body.get("workers"))
    numbers = [worker.id for worker in workers]
    outcomes = await operator.set_blocked(numbers, blocked, reason, who_asks(request))
    about(request, "workers " + ", ".join(str(each.worker.id) for each in outcomes))
    changed(request, None, f"{'blocked' if blocked else 'unblocked'}: {reason}")
    labels = RunLabels(operator.storage)
    found: BlocksView = {"workers": [await _view(each, labels) for each in outcomes]}
    return json_answer(found)


async def _view(outcome: BlockSet, labels: RunLabels) -> BlockView:
    return {
        **worker_view(outcome.worker),
        "changed": outcome.changed,
        "holds": [
            {"run": await labels.of(unit.run_id), "unit_id": unit.id, "agent_id": unit.agent_id}
            for unit in outcome.holds
        ],
        "owed": outcome.owed,
    }
