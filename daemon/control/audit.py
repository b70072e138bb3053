"""The endpoint that tells what staff asked for, and how it went."""

from starlette.requests import Request
from starlette.responses import Response

from ...storage.records import AuditRow
from .answers import json_answer
from .questions import operator_of, page_asked_for
from .shapes.audit import AuditRowView, AuditView


async def list_audit(request: Request) -> Response:
    """What staff changed, oldest first: who, from which process, and how it went."""
    after, limit = page_asked_for(request)
    rows = await operator_of(request).storage.audit(request.query_params.get("subject"), after, limit)
    found: AuditView = {
        "audit": [_view(row) for row in rows],
        "next": rows[-1].id if len(rows) == limit else None,
    }
    return json_answer(found)


def _view(row: AuditRow) -> AuditRowView:
    return {
        "id": row.id,
        "at": row.at,
        "uid": row.uid,
        "pid": row.pid,
        "who": row.who,
        "what": row.what,
        "subject": row.subject,
        "before": row.before,
        "after": row.after,
        "outcome": row.outcome,
    }
