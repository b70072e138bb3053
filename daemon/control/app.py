"""The control API's table of endpoints."""

import functools
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from ...protocol.names import AgentStatus, RunState, UnitStatus
from ..answer_loss import AnswerLoss
from ..roles import Role, Staff
from .answers import json_answer
from .audit import list_audit
from .backup import make_backup
from .blocks import block, unblock
from .deleting import delete_run, get_stock
from .disk import get_disk
from .drain import DrainRequests
from .endpoint import Endpoint, Query, routes
from .errors import HANDLERS, lost_store_answer
from .events import tell_events
from .export import export_run
from .extending import extend_run
from .files import get_uploaded_file
from .launch import launch_run, plan_run
from .lists import list_agents, list_errors, list_late, list_owed, list_units
from .log import set_log, show_log
from .needs import Operator
from .openapi import LINES, openapi_document
from .options import KINDS, show_folder_options, show_options
from .pausing import pause_run, resume_run
from .people import list_agents_of_worker, list_workers, show_worker
from .qualifications import (
    create_qualification,
    delete_qualification,
    grant,
    list_holders,
    list_qualifications,
    revoke,
    show_qualification,
)
from .questions import NUMBER_MAX, PAGE_ROWS, PAGE_ROWS_MAX
from .reloading import reload_configuration
from .restarting import restart_daemon
from .reviews import review
from .revoking import revoke_link, revoke_link_of
from .runs import expire_run, get_status, list_runs, make_links, show_run, stop_run
from .shapes.audit import AuditView
from .shapes.history import EventView, PositionView, WhyView
from .shapes.links import LinksView, NamedLinksBody, NewLinksBody, RevokeBody, RevokedLinkView, RevokeOfBody
from .shapes.people import BlockBody, BlocksView, UnblockBody, WorkerDetailsView, WorkersView
from .shapes.plans import OptionsView, PlanView
from .shapes.qualifications import (
    DeletedQualificationView,
    GrantBody,
    GrantedListView,
    HoldersView,
    QualificationBody,
    QualificationDetailsView,
    QualificationsView,
    QualificationView,
    RevokeGrantBody,
)
from .shapes.reviews import ReviewBody, ReviewsView
from .shapes.runs import (
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
from .shapes.service import (
    DiskView,
    LogBody,
    LogPartView,
    LogView,
    ReloadedView,
    RestartBody,
    RestartView,
    StatusView,
)
from .shapes.work import AgentsView, DebtsView, ErrorNotesView, LatesView, RecordView, UnitsView, WorksView
from .watch import watch_run
from .why import why_agent, why_unit, why_worker

Number = Annotated[int, {"minimum": 0, "maximum": NUMBER_MAX}]
PAGE = (
    Query("after", Number, "The last number that was seen; 0 from the beginning."),
    Query(
        "limit",
        Annotated[int, {"minimum": 1, "maximum": PAGE_ROWS_MAX, "default": PAGE_ROWS}],
        "At most so many.",
    ),
)
WORKER = Query(
    "worker", str, "A worker's number, PROVIDER:NAME, or a name that only one of them has.", needed=True
)
IN_RUN = Query("run", str, "Only in this run, by number or label.")
OF_WORKER = Query("worker", str, "Only those of this worker, named as everywhere.")
NAME = Query("name", str, "A qualification's name.", needed=True)

OVERRIDES = Query("set", str, "KEY=VALUE instead of what task.toml says.", many=True)
PROVIDER = Query("provider", str, "Only those who came through it.")


def _status(kind: Any) -> Query:
    return Query("status", kind, "Only these.", many=True)


ENDPOINTS: Sequence[Endpoint] = (
    Endpoint("GET", "/status", Role.VIEW, get_status, StatusView),
    Endpoint("GET", "/disk", Role.VIEW, get_disk, DiskView),
    Endpoint(
        "GET",
        "/audit",
        Role.VIEW,
        list_audit,
        AuditView,
        query=(*PAGE, Query("subject", str, "Only what was about this: a run, by its label.")),
    ),
    Endpoint("GET", "/backup", Role.PAY, make_backup, bytes, media_type="application/x-tar", audited=False),
    Endpoint("GET", "/log", Role.VIEW, show_log, LogView),
    Endpoint("POST", "/log", Role.OPERATE, set_log, LogPartView, body=LogBody, also=(404,), audited=False),
    Endpoint(
        "POST",
        "/reload",
        Role.OPERATE,
        reload_configuration,
        ReloadedView,
        body=NothingBody,
        also=(422,),
        audited=False,
    ),
    Endpoint(
        "POST",
        "/restart",
        Role.OPERATE,
        restart_daemon,
        RestartView,
        body=RestartBody,
        also=(409,),
        audited=False,
    ),
    Endpoint("GET", "/runs", Role.VIEW, list_runs, RunsView, query=(_status(RunState),)),
    Endpoint(
        "POST",
        "/runs",
        Role.PAY,
        launch_run,
        RunView,
        status=201,
        body=bytes,
        body_type="application/gzip",
        query=(
            OVERRIDES,
            Query("launch_id", str, "The same id again gives the run that it made."),
        ),
        also=(422,),
    ),
    Endpoint(
        "POST",
        "/plan",
        Role.PAY,
        plan_run,
        PlanView,
        audited=False,
        body=bytes,
        body_type="application/gzip",
        query=(OVERRIDES,),
        also=(422,),
    ),
    Endpoint(
        "GET",
        "/options",
        Role.VIEW,
        show_options,
        OptionsView,
        query=(
            Query("kind", Annotated[str, {"enum": KINDS}], "A kind of plug-in; `task`: task.toml itself."),
            Query("name", str, "The one plug-in of the kind with this name."),
        ),
        also=(404,),
    ),
    Endpoint(
        "POST",
        "/options",
        Role.PAY,
        show_folder_options,
        OptionsView,
        audited=False,
        body=bytes,
        body_type="application/gzip",
        also=(422,),
    ),
    Endpoint("GET", "/runs/{run}", Role.VIEW, show_run, RunDetailsView),
    Endpoint(
        "GET", "/runs/{run}/units", Role.VIEW, list_units, UnitsView, query=(*PAGE, _status(UnitStatus))
    ),
    Endpoint(
        "GET",
        "/runs/{run}/agents",
        Role.VIEW,
        list_agents,
        AgentsView,
        query=(*PAGE, _status(AgentStatus), OF_WORKER),
        also=(409,),
    ),
    Endpoint("GET", "/runs/{run}/owed", Role.VIEW, list_owed, DebtsView, query=PAGE),
    Endpoint("GET", "/runs/{run}/late", Role.VIEW, list_late, LatesView, query=PAGE),
    Endpoint("GET", "/runs/{run}/errors", Role.VIEW, list_errors, ErrorNotesView, query=PAGE),
    Endpoint(
        "POST",
        "/runs/{run}/links",
        Role.OPERATE,
        make_links,
        LinksView,
        status=201,
        body=NamedLinksBody | NewLinksBody,
        also=(502,),
    ),
    Endpoint(
        "POST",
        "/links/revoke",
        Role.OPERATE,
        revoke_link,
        RevokedLinkView,
        body=RevokeBody,
        also=(404, 409, 502),
    ),
    Endpoint(
        "POST",
        "/runs/{run}/links/revoke",
        Role.OPERATE,
        revoke_link_of,
        RevokedLinkView,
        body=RevokeOfBody,
        also=(502,),
    ),
    Endpoint("POST", "/runs/{run}/stop", Role.OPERATE, stop_run, RunView, body=StopBody, also=(502,)),
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
    Endpoint("GET", "/runs/{run}/stock", Role.VIEW, get_stock, StockView),
    Endpoint("DELETE", "/runs/{run}", Role.PAY, delete_run, DeletedView),
    Endpoint("POST", "/runs/{run}/pause", Role.OPERATE, pause_run, PausedRunView, body=WhyBody),
    Endpoint("POST", "/runs/{run}/resume", Role.OPERATE, resume_run, PausedRunView, body=WhyBody),
    Endpoint(
        "POST", "/runs/{run}/expire", Role.OPERATE, expire_run, ExpiredView, body=NothingBody, also=(502,)
    ),
    Endpoint(
        "GET",
        "/runs/{run}/export",
        Role.VIEW,
        export_run,
        RecordView,
        media_type=LINES,
        other_types=("text/csv",),
        also=(422,),
        query=(
            Query("format", Annotated[str, {"enum": ["jsonl", "csv"]}], "jsonl, or csv as text/csv."),
            Query("after", Number, "The last agent's number that was seen; 0 from the beginning."),
            Query("limit", Annotated[int, {"minimum": 1, "maximum": NUMBER_MAX}], "At most so many."),
        ),
    ),
    Endpoint(
        "GET",
        "/runs/{run}/files/{sha256}",
        Role.VIEW,
        get_uploaded_file,
        bytes,
        also=(410,),
        media_type="application/octet-stream",
    ),
    Endpoint(
        "GET",
        "/events",
        Role.VIEW,
        tell_events,
        EventView | PositionView,
        media_type=LINES,
        query=(
            Query("run", str, "Only what happens in this run, by number or label, until it has ended."),
            Query("after", Number, "The last position that was seen; 0 from the beginning, none from now."),
        ),
        also=(404,),
    ),
    Endpoint("GET", "/runs/{run}/watch", Role.VIEW, watch_run, SnapshotView, media_type=LINES),
    Endpoint(
        "GET",
        "/workers",
        Role.VIEW,
        list_workers,
        WorkersView,
        query=(*PAGE, PROVIDER),
    ),
    Endpoint("POST", "/workers/block", Role.OPERATE, block, BlocksView, body=BlockBody, also=(404,)),
    Endpoint("POST", "/workers/unblock", Role.OPERATE, unblock, BlocksView, body=UnblockBody, also=(404,)),
    Endpoint("POST", "/workers/grant", Role.OPERATE, grant, GrantedListView, body=GrantBody, also=(404,)),
    Endpoint(
        "POST", "/workers/revoke", Role.OPERATE, revoke, GrantedListView, body=RevokeGrantBody, also=(404,)
    ),
    Endpoint("GET", "/qualifications", Role.VIEW, list_qualifications, QualificationsView),
    Endpoint(
        "POST",
        "/qualifications",
        Role.OPERATE,
        create_qualification,
        QualificationView,
        status=201,
        body=QualificationBody,
    ),
    Endpoint(
        "GET",
        "/qualification",
        Role.VIEW,
        show_qualification,
        QualificationDetailsView,
        query=(NAME,),
        also=(404,),
    ),
    Endpoint(
        "DELETE",
        "/qualification",
        Role.PAY,
        delete_qualification,
        DeletedQualificationView,
        query=(NAME,),
        also=(404,),
    ),
    Endpoint(
        "GET",
        "/qualification/workers",
        Role.VIEW,
        list_holders,
        HoldersView,
        query=(NAME, *PAGE),
        also=(404,),
    ),
    Endpoint("GET", "/why/worker", Role.VIEW, why_worker, WhyView, query=(WORKER, IN_RUN), also=(404, 409)),
    Endpoint("GET", "/why/unit/{unit}", Role.VIEW, why_unit, WhyView),
    Endpoint("GET", "/why/agent/{agent}", Role.VIEW, why_agent, WhyView),
    Endpoint("POST", "/reviews", Role.PAY, review, ReviewsView, body=ReviewBody, also=(404, 502)),
    Endpoint("GET", "/worker", Role.VIEW, show_worker, WorkerDetailsView, query=(WORKER,), also=(404, 409)),
    Endpoint(
        "GET",
        "/worker/agents",
        Role.VIEW,
        list_agents_of_worker,
        WorksView,
        query=(WORKER, *PAGE),
        also=(404, 409),
    ),
)
"""All of the API. The OpenAPI document is made of this table: CONTRIBUTING.md says how to add a row."""


def control_app(operator: Operator, staff: Staff) -> ASGIApp:
    """The application; `state.peer` of each connection must say who asks."""
    mounted = Mount("/v1", routes=routes(ENDPOINTS))
    app = Starlette(routes=[Route("/openapi.json", _show_document), mounted], exception_handlers=HANDLERS)
    app.state.operator = operator
    app.state.staff = staff
    return DrainRequests(AnswerLoss(app, operator.loss, lost_store_answer))


async def _show_document(_request: Request) -> Response:
    return json_answer(_document())


@functools.cache
def _document() -> Mapping[str, Any]:
    """Made when somebody asks for it: a daemon that starts has workers who wait."""
    return openapi_document(ENDPOINTS)
