"""What is asked of the daemon as a whole: how it is, its log, its configuration, backups, what happens."""

from collections.abc import Sequence

from ...roles import Role
from ..audit import list_audit
from ..backup import make_backup
from ..disk import get_disk
from ..endpoint import Endpoint, Query
from ..events import tell_events
from ..log import set_log, show_log
from ..openapi import LINES
from ..parameters import PAGE, Number
from ..reloading import reload_configuration
from ..restarting import restart_daemon
from ..runs import get_status
from ..shapes.audit import AuditView
from ..shapes.history import EventView, PositionView
from ..shapes.runs import NothingBody
from ..shapes.service import (
    DiskView,
    LogBody,
    LogPartView,
    LogView,
    ReloadedView,
    RestartBody,
    RestartView,
    StatusView,
)

SERVICE: Sequence[Endpoint] = (
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
)
