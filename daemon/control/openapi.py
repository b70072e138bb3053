"""The OpenAPI document of the control API, made of the endpoints' declarations."""

import inspect
import re
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from ...protocol.json_schema import Schemas
from .endpoint import Endpoint, Query
from .shapes.refusals import ErrorView

LINES = "application/x-ndjson"
"""A stream of JSON documents, one a line."""

_WRITES = ("POST", "PUT", "PATCH", "DELETE")
_REFUSALS: Mapping[int, str] = {
    400: "The request makes no sense; the message says what is wrong with it.",
    403: "The peer's role does not cover this (`x-role`).",
    404: "There is no such run, or no other thing of this name.",
    408: "The body did not come in time.",
    409: "It does not go with how things stand; look, then ask again.",
    410: "It was here, and is damaged now.",
    413: "The body is too large.",
    422: "What was sent is refused: `problems` are all that was found.",
    500: "The daemon failed at this; its log says more.",
    502: "The crowd provider failed; whether it did what was asked is not known.",
    503: "Too many programs are connected, or the daemon lost its storage and ends: ask again later.",
    507: "There is no space left on the daemon's disk; nothing was done.",
}


def openapi_document(endpoints: Sequence[Endpoint]) -> dict[str, Any]:
    """The document; the same endpoints give the same."""
    schemas = Schemas()
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        operation = _operation(endpoint, schemas)
        paths.setdefault(f"/v1{endpoint.path}", {})[endpoint.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "crowdd control API",
            "version": version("crowdd"),
            "description": "Spoken over the daemon's Unix socket `control`. Times are ISO 8601 in UTC.",
        },
        "paths": paths,
        "components": {"schemas": dict(sorted(schemas.named.items()))},
    }


def _operation(endpoint: Endpoint, schemas: Schemas) -> dict[str, Any]:
    about = inspect.getdoc(endpoint.handler) or ""
    summary, _, more = about.partition("\n\n")
    body = {} if endpoint.body is None else {"requestBody": _body(endpoint, schemas)}
    return {
        "operationId": endpoint.name,
        "summary": " ".join(summary.split()),
        "x-role": endpoint.role.value,
        **({"description": more} if more else {}),
        "parameters": [*_path_parameters(endpoint.path), *(_query(each, schemas) for each in endpoint.query)],
        **body,
        "responses": _responses(endpoint, schemas),
    }


def _path_parameters(path: str) -> list[dict[str, Any]]:
    meanings = {
        "run": "A run's number or label.",
        "unit": "A unit's number.",
        "agent": "An agent's number.",
        "sha256": "As the note of a submission's file has it.",
    }
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "minLength": 1},
            **({"description": meanings[name]} if name in meanings else {}),
        }
        for name in re.findall(r"{(\w+)}", path)
    ]


def _query(query: Query, schemas: Schemas) -> dict[str, Any]:
    schema = schemas.of(query.kind)
    return {
        "name": query.name,
        "in": "query",
        "required": query.needed,
        "schema": {"type": "array", "items": schema} if query.many else schema,
        "description": query.meaning,
    }


def _body(endpoint: Endpoint, schemas: Schemas) -> dict[str, Any]:
    return {"required": True, "content": {endpoint.body_type: {"schema": schemas.of(endpoint.body)}}}


def _responses(endpoint: Endpoint, schemas: Schemas) -> dict[str, Any]:
    done = {"description": "Done.", "content": _content(endpoint, schemas)}
    refused = {str(status): _refusal(status, schemas) for status in sorted(_statuses(endpoint))}
    return {str(endpoint.status): done, **refused}


def _content(endpoint: Endpoint, schemas: Schemas) -> dict[str, Any]:
    schema = schemas.of(endpoint.answers)
    others = {media_type: {"schema": {"type": "string"}} for media_type in endpoint.other_types}
    if endpoint.media_type == LINES:
        lines = {"type": "string", "description": "JSON lines, each as `x-line` says."}
        return {LINES: {"schema": lines, "x-line": schema}, **others}
    return {endpoint.media_type: {"schema": schema}, **others}


def _refusal(status: int, schemas: Schemas) -> dict[str, Any]:
    retry = {"Retry-After": {"description": "In seconds.", "schema": {"type": "integer"}}}
    return {
        "description": _REFUSALS[status],
        "content": {"application/json": {"schema": schemas.of(ErrorView)}},
        **({"headers": retry} if status == 503 else {}),
    }


def _statuses(endpoint: Endpoint) -> set[int]:
    """What it may answer besides: by its method, its path and its body, and its own."""
    statuses = {400, 403, 500, 503, *endpoint.also}
    if "{" in endpoint.path:
        statuses.add(404)
    if endpoint.method in _WRITES:
        statuses |= {409, 507}
    if endpoint.body is not None:
        statuses |= {408, 413}
    return statuses
