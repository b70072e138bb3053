"""Runs as wholes: how they are, and what staff do to them."""

from collections.abc import Sequence
from typing import Annotated

from ....protocol.names import RunState
from ...roles import Role
from ..deleting import delete_run, get_stock
from ..endpoint import Endpoint, Query
from ..extending import extend_run
from ..openapi import LINES
from ..parameters import OVERRIDES, statuses
from ..pausing import pause_run, resume_run
from ..runs import expire_run, list_runs, show_run, stop_run
from ..shapes.runs import (
    DeletedView,
    ExpiredView,
    ExtendedView,
    NothingBody,
    PausedRunView,
    RunDetailsView,
    RunsView,
    RunView,
    SnapshotView,
    StockView,
    StopBody,
    WhyBody,
)
from ..watch import watch_run

RUNS: Sequence[Endpoint] = (
    Endpoint("GET", "/runs", Role.VIEW, list_runs, RunsView, query=(statuses(RunState),)),
    Endpoint("GET", "/runs/{run}", Role.VIEW, show_run, RunDetailsView),
    Endpoint("GET", "/runs/{run}/watch", Role.VIEW, watch_run, SnapshotView, media_type=LINES),
    Endpoint("POST", "/runs/{run}/stop", Role.OPERATE, stop_run, RunView, body=StopBody, also=(502,)),
    Endpoint("POST", "/runs/{run}/pause", Role.OPERATE, pause_run, PausedRunView, body=WhyBody),
    Endpoint("POST", "/runs/{run}/resume", Role.OPERATE, resume_run, PausedRunView, body=WhyBody),
    Endpoint(
        "POST",
        "/runs/{run}/extend",
        Role.PAY,
        extend_run,
        ExtendedView,
        body=bytes,
        body_type="application/octet-stream",
        query=(
            OVERRIDES,
            Query("rows", str, "What the file in the body is called: NAME.jsonl, .json or .csv."),
            Query("request_id", str, "The same id again adds no rows twice."),
            Query("present", Annotated[str, {"enum": ["0", "1"]}], "1: those at work get more time, too."),
        ),
        also=(422,),
    ),
    Endpoint(
        "POST", "/runs/{run}/expire", Role.OPERATE, expire_run, ExpiredView, body=NothingBody, also=(502,)
    ),
    Endpoint("GET", "/runs/{run}/stock", Role.VIEW, get_stock, StockView),
    Endpoint("DELETE", "/runs/{run}", Role.PAY, delete_run, DeletedView),
)
