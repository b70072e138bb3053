"""Holds answers of the control API to its OpenAPI document: every status, type and member is in it."""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

import jsonschema_rs

from crowdd.daemon.control.endpoints import ENDPOINTS
from crowdd.daemon.control.openapi import LINES, openapi_document

DOCUMENT = openapi_document(ENDPOINTS)


def check_answer(method: str, target: str, status: int, headers: Mapping[str, str], body: bytes) -> None:
    """AssertionError when the document says otherwise. What is at no path of it has only errors."""
    path = urlsplit(target).path
    operation = _operation(method, path)
    media_type = {name.lower(): value for name, value in headers.items()}["content-type"].partition(";")[0]
    if path == "/openapi.json":
        return
    if operation is None:
        assert status in (404, 405), f"{method} {path} is not in the document and answered {status}"
        check_instance({"$ref": "#/components/schemas/Error"}, json.loads(body))
        return
    answers = operation["responses"]
    assert str(status) in answers, f"{method} {path} answered {status}, undocumented: {body[:300]!r}"
    content = answers[str(status)]["content"]
    assert media_type in content, f"{method} {path} answered as {media_type}"
    if method == "HEAD":
        return
    if media_type == LINES:
        for line in body.splitlines():
            check_instance(content[media_type]["x-line"], json.loads(line))
    elif media_type == "application/json":
        check_instance(content[media_type]["schema"], json.loads(body))


def check_instance(schema: dict[str, Any], instance: Any) -> None:
    """Hold one JSON value to a schema of the document."""
    whole = {**schema, "components": DOCUMENT["components"]}
    problems = [
        f"{error.instance_path}: {error.message}"
        for error in jsonschema_rs.Draft202012Validator(whole).iter_errors(instance)
    ]
    assert not problems, f"{schema}: {problems}"


def _operation(method: str, path: str) -> dict[str, Any] | None:
    name = "get" if method == "HEAD" else method.lower()
    for template, methods in DOCUMENT["paths"].items():
        if re.fullmatch(re.sub(r"{\w+}", "[^/]+", template), unquote(path)):
            operation: dict[str, Any] | None = methods.get(name)
            return operation
    return None
