"""The router's OpenAPI document: what browsers ask of it, and what a daemon does over HTTP with proof.

Websockets are no part of OpenAPI: a page's at `/`, a daemon's at `/_crowdd/link/<label>`.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import version
from typing import Any

import attrs

from ..protocol.json_schema import Schemas
from ..protocol.limits import NAME_CHARACTERS_MAX
from .shapes import (
    AgentDetailsView,
    AliveView,
    DeployedView,
    ErrorLoggedView,
    MetadataSavedView,
    RefusalView,
    RemovedView,
    ReturnedView,
    SubmittedView,
    TimestampView,
)

PATH = "/_crowdd/openapi.json"

_REFUSALS: Mapping[int, str] = {
    400: "The request makes no sense; `path` says where.",
    401: "The proof of the daemon is missing or wrong; both need the same secret file.",
    403: "The page's origin is foreign, or this worker may not work here.",
    404: "There is nothing at this address, or no such agent.",
    408: "The body came too slowly.",
    409: "It does not go with how things stand; `reason` says why.",
    413: "The body is too large.",
    415: "A file is of a type that the run does not take.",
    422: "The bundle is refused.",
    429: "Too many requests from this address.",
    500: "Something went wrong here; it was logged.",
    503: "Try again: the daemon is away, or there is no room.",
}
_TEXT = {"type": "string"}
_ANYTHING: dict[str, Any] = {}
_AGENT = {"type": "string", "minLength": 1, "maxLength": NAME_CHARACTERS_MAX}
_BINARY = {"type": "string", "format": "binary"}


def _object(needed: Mapping[str, Any], more: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A body: keys that are not known are passed over, as pages of other versions send them."""
    properties = {**needed, **(more or {}), "client_timestamp": _ANYTHING}
    return {"type": "object", "properties": properties, "required": sorted(needed)}


_ONBOARDING = {
    "type": "object",
    "properties": {"USED_AGENT_ID": _AGENT, "onboarding_data": _ANYTHING},
    "required": ["USED_AGENT_ID"],
}
_REGISTER = _object({"provider_data": {"type": "object"}})
_SUBMIT = _object({"USED_AGENT_ID": _AGENT, "final_data": _ANYTHING})
_METADATA = _object({"USED_AGENT_ID": _AGENT, "metadata": _ANYTHING})
_SUBMIT_FORM = _object(
    {"USED_AGENT_ID": _AGENT, "final_string_data": _TEXT}, {"file": {"type": "array", "items": _BINARY}}
)
_METADATA_FORM = _object(
    {"USED_AGENT_ID": _AGENT, "metadata": _TEXT}, {"file": {"type": "array", "items": _BINARY}}
)


@attrs.frozen
class Operation:
    """What one method on one path takes and answers; `bodies` and `answers` by media type."""

    method: str
    path: str
    summary: str
    answers: Mapping[str, Any]
    bodies: Mapping[str, Any] = attrs.Factory(dict[str, Any])
    refusals: Sequence[int] = ()
    proved: bool = False
    """Only for a daemon that proves that it knows the router's secret."""
    query: Sequence[str] = ()


def _post(name: str, summary: str, answer: Any, body: dict[str, Any], form: Any = None) -> Operation:
    forms = {} if form is None else {"multipart/form-data": form}
    refusals = (400, 403, 404, 408, 409, 413, *(() if form is None else (415,)), 429, 503)
    bodies = {"application/json": body, **forms}
    return Operation("POST", f"/{name}", summary, {"application/json": answer}, bodies, refusals)


def _get(path: str, summary: str, answers: Mapping[str, Any], query: Sequence[str] = ()) -> Operation:
    return Operation("GET", path, summary, answers, refusals=(404,), query=query)


OPERATIONS: Sequence[Operation] = (
    _get("/is_alive", "Say that the router lives.", {"application/json": AliveView}),
    _get("/get_timestamp", "Tell the router's clock.", {"application/json": TimestampView}),
    _get(
        "/task_config.json",
        "What the page needs to know of its task.",
        {"application/json": dict[str, Any]},
        query=("mephisto_task_version",),
    ),
    _get("/", "The page of the run.", {"text/html": str}),
    _get("/{file}", "A file of the page, with the type that its name says.", {"*/*": bytes}),
    _post(
        "request_agent",
        "Come to work: register, get a unit if there is one.",
        AgentDetailsView,
        _REGISTER,
    ),
    _post("register_worker", "The same by its older name.", AgentDetailsView, _REGISTER),
    _post(
        "submit_onboarding",
        "Answer the onboarding, and get a unit if it was passed.",
        AgentDetailsView,
        _object({"provider_data": _ONBOARDING}),
    ),
    _post(
        "submit_task",
        "Submit the answer for a unit; files as a form.",
        SubmittedView,
        _SUBMIT,
        _SUBMIT_FORM,
    ),
    _post(
        "submit_metadata", "Tell something beside the answer.", MetadataSavedView, _METADATA, _METADATA_FORM
    ),
    _post(
        "log_error",
        "Report an error of the page.",
        ErrorLoggedView,
        _object({}, {"USED_AGENT_ID": _AGENT, "error_data": _ANYTHING}),
    ),
    _post(
        "return_unit",
        "Give a unit back; or say that the page is leaving and keeps it.",
        ReturnedView,
        _object({"USED_AGENT_ID": _AGENT}, {"leaving": {"type": "boolean"}}),
    ),
    Operation(
        "PUT",
        "/_crowdd/runs/{label}/bundle/{sha256}",
        "Make this archive the run's pages; the same again changes nothing.",
        {"application/json": DeployedView},
        {"application/gzip": _BINARY},
        (400, 401, 404, 408, 413, 422, 429, 503),
        proved=True,
    ),
    Operation(
        "GET",
        "/_crowdd/runs/{label}/files/{sha256}",
        "Fetch an uploaded file.",
        {"application/octet-stream": bytes},
        refusals=(401, 404, 429),
        proved=True,
    ),
    Operation(
        "DELETE",
        "/_crowdd/runs/{label}",
        "Take the run's pages, key and files off, once its outbox is empty (`?discard`: at once).",
        {"application/json": RemovedView},
        refusals=(401, 404, 409, 429),
        proved=True,
    ),
)
"""All that is asked over HTTP. A test holds the doors to it."""


@cache
def openapi_document() -> dict[str, Any]:
    """The document."""
    schemas = Schemas()
    paths: dict[str, dict[str, Any]] = {}
    for each in OPERATIONS:
        paths.setdefault(each.path, {})[each.method.lower()] = _operation(each, schemas)
    proof = {
        "type": "http",
        "scheme": "crowdd",
        "description": "An HMAC by the shared secret.",
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "crowdd router",
            "version": version("crowdd"),
            "description": "Paths are those of one run: below its host, or below `/run/<label>`.",
        },
        "paths": paths,
        "components": {"schemas": dict(sorted(schemas.named.items())), "securitySchemes": {"proof": proof}},
    }


def _operation(each: Operation, schemas: Schemas) -> dict[str, Any]:
    content = {media_type: {"schema": schemas.of(answer)} for media_type, answer in each.answers.items()}
    body = {media_type: {"schema": schema} for media_type, schema in each.bodies.items()}
    refused = {str(code): _refusal(code, each, schemas) for code in sorted({*each.refusals, 500})}
    return {
        "operationId": f"{each.method.lower()}{re.sub('[^a-z0-9]+', '_', each.path)}".rstrip("_"),
        "summary": each.summary,
        "parameters": _parameters(each),
        **({"requestBody": {"required": True, "content": body}} if body else {}),
        "responses": {"200": {"description": "Done.", "content": content}, **_unchanged(each), **refused},
        **({"security": [{"proof": []}]} if each.proved else {}),
    }


def _parameters(each: Operation) -> list[dict[str, Any]]:
    in_path = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in re.findall(r"{(\w+)}", each.path)
    ]
    in_query = [{"name": name, "in": "query", "schema": _TEXT} for name in each.query]
    ours = {
        "name": "X-Crowdd-Client",
        "in": "header",
        "schema": {"type": "string"},
        "description": "crowdd.js sends it: refusals have statuses. Without it registrations answer 200.",
    }
    return [*in_path, *in_query, *([ours] if each.method == "POST" else [])]


def _unchanged(each: Operation) -> dict[str, Any]:
    """A page's file may be known to the browser already."""
    if each.path not in ("/", "/{file}", "/task_config.json"):
        return {}
    return {"304": {"description": "The browser has it: its ETag is the same."}}


def _refusal(code: int, each: Operation, schemas: Schemas) -> dict[str, Any]:
    refusal = schemas.of(RefusalView)
    details = schemas.of(AgentDetailsView) if AgentDetailsView in each.answers.values() else None
    retry = {"Retry-After": {"description": "In seconds.", "schema": {"type": "integer", "minimum": 1}}}
    return {
        "description": _REFUSALS[code],
        "content": {
            "application/json": {"schema": refusal if details is None else {"anyOf": [refusal, details]}}
        },
        **({"headers": retry} if code in (429, 503) else {}),
    }
