"""The work of a run: its units, its agents, what they handed in, what became of that."""

from collections.abc import Sequence
from typing import Annotated

from ....protocol.names import AgentStatus, UnitStatus
from ...roles import Role
from ..endpoint import Endpoint, Query
from ..export import export_run
from ..files import get_uploaded_file
from ..late_pay import pay_late
from ..lists import list_agents, list_errors, list_late, list_owed, list_units
from ..openapi import LINES
from ..parameters import PAGE, Number, statuses
from ..questions import NUMBER_MAX
from ..reviews import review
from ..shapes.late import LatesPaidView, LatesView, PayLateBody
from ..shapes.reviews import ReviewBody, ReviewsView
from ..shapes.work import AgentsView, DebtsView, ErrorNotesView, RecordView, UnitsView

OF_WORKER = Query("worker", str, "Only those of this worker, named as everywhere.")

WORK: Sequence[Endpoint] = (
    Endpoint(
        "GET", "/runs/{run}/units", Role.VIEW, list_units, UnitsView, query=(*PAGE, statuses(UnitStatus))
    ),
    Endpoint(
        "GET",
        "/runs/{run}/agents",
        Role.VIEW,
        list_agents,
        AgentsView,
        query=(*PAGE, statuses(AgentStatus), OF_WORKER),
        also=(409,),
    ),
    Endpoint("GET", "/runs/{run}/owed", Role.VIEW, list_owed, DebtsView, query=PAGE),
    Endpoint("GET", "/runs/{run}/late", Role.VIEW, list_late, LatesView, query=PAGE),
    Endpoint("POST", "/runs/{run}/late/pay", Role.PAY, pay_late, LatesPaidView, body=PayLateBody),
    Endpoint("GET", "/runs/{run}/errors", Role.VIEW, list_errors, ErrorNotesView, query=PAGE),
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
    Endpoint("POST", "/reviews", Role.PAY, review, ReviewsView, body=ReviewBody, also=(404, 502)),
)
