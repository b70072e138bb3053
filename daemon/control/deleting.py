"""Endpoints that delete ended runs for good, and say before what goes."""

from starlette.requests import Request
from starlette.responses import Response

from ...protocol.names import UNFINISHED_RUN
from ...storage.records import TaskRun
from ..deletion import DeletionFailed, Stock
from .answers import json_answer
from .auditing import changed
from .errors import ControlError
from .questions import operator_of, run_asked_for, who_asks
from .shapes.runs import DeletedView, StockView


async def get_stock(request: Request) -> Response:
    """What would go if the run were deleted."""
    operator, run = operator_of(request), await run_asked_for(request)
    return json_answer(_view(run, await operator.stock(run.id)))


async def delete_run(request: Request) -> Response:
    """Delete an ended run, its records and files; answers what it had, and what others may still have of it.

    Once begun it is gone on with.
    """
    operator, run = operator_of(request), await run_asked_for(request)
    label = run.label
    if run.state in UNFINISHED_RUN:
        message = f"Run {label!r} has not ended: it is {run.state.value}. Nothing was deleted."
        raise ControlError(409, "run_not_ended", message, f"Stop it first: crowdctl stop {label}")
    if owed := operator.owed(run.id):
        decisions = "1 decision" if len(owed) == 1 else f"{len(owed)} decisions"
        message = f"The provider of run {label!r} is still to be told of {decisions}."
        hint = f"Nothing was deleted. `crowdctl show {label}` says what keeps it; delete the run after that."
        raise ControlError(409, "provider_owed", message, hint)
    try:
        stock, left = await operator.delete(run.id, who_asks(request))
    except DeletionFailed as exc:
        message = f"Run {label!r} is going, but not all of it could be removed: {exc}."
        hint = "Mend that and delete it again; else the next start of the daemon tries again."
        raise ControlError(409, "not_deleted", message, hint) from exc
    changed(request, f"run {run.id}, {run.state.value}, {stock.submissions} submissions", "deleted")
    deleted: DeletedView = {**_view(run, stock), "left": [*left]}
    return json_answer(deleted)


def _view(run: TaskRun, stock: Stock) -> StockView:
    return {
        "id": run.id,
        "label": run.label,
        "state": run.state.value,
        "units": stock.units,
        "submissions": stock.submissions,
        "files": stock.files,
        "bytes": stock.bytes,
    }
