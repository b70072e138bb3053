"""The control API as an application: its table of endpoints and its OpenAPI document, served."""

import functools
from collections.abc import Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from ..answer_loss import AnswerLoss
from ..roles import Staff
from .answers import json_answer
from .drain import DrainRequests
from .endpoint import routes
from .endpoints import ENDPOINTS
from .errors import HANDLERS, lost_store_answer
from .needs import Operator
from .openapi import openapi_document


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
