"""The control API's OpenAPI document: whole, true, and served by the API itself."""

import re
from typing import Any, TypedDict

import pytest

from crowdd.daemon.control.endpoint import Endpoint
from crowdd.daemon.control.endpoints import ENDPOINTS
from crowdd.daemon.control.openapi import openapi_document
from crowdd.daemon.roles import Role

from .document import DOCUMENT, check_answer, check_instance
from .fakes import Desk

OPERATIONS = [
    (f"{method.upper()} {path}", operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
]


@pytest.mark.parametrize(("name", "operation"), OPERATIONS, ids=[name for name, _ in OPERATIONS])
def test_every_endpoint_says_what_it_does_and_answers(name: str, operation: dict[str, Any]) -> None:
    assert operation["summary"], f"{name}: its handler needs a docstring"
    assert any(status.startswith("2") for status in operation["responses"])
    assert {"400", "500", "503"} <= operation["responses"].keys()
    assert all(parameter["description"] for parameter in operation["parameters"])
    assert all(answer["content"] for answer in operation["responses"].values())


def test_every_shape_says_what_it_is() -> None:
    shapes = DOCUMENT["components"]["schemas"]
    silent = [name for name, schema in shapes.items() if not schema.get("description")]
    assert not silent, f"these typed dictionaries need a docstring: {silent}"


def test_operations_have_names_of_their_own() -> None:
    names = [operation["operationId"] for _, operation in OPERATIONS]
    assert len(set(names)) == len(names) == len(ENDPOINTS)


def test_no_reference_leads_nowhere() -> None:
    found = set(re.findall(r"#/components/schemas/(\w+)", str(DOCUMENT)))
    assert found <= DOCUMENT["components"]["schemas"].keys()


async def test_the_document_is_served(desk: Desk) -> None:
    answer = await desk.ask("GET", "/openapi.json")
    assert answer.json() == DOCUMENT


async def test_a_parameter_that_would_be_ignored_is_refused_with_the_nearest_name(desk: Desk) -> None:
    await desk.operator.a_run("digits")
    answer = await desk.ask("GET", "/v1/runs/digits/units?statsu=completed")
    assert (answer.status, answer.error()["hint"]) == (400, "Did you mean 'status'?")


async def test_a_path_says_which_methods_it_takes(desk: Desk) -> None:
    answer = await desk.ask("DELETE", "/v1/log")
    assert (answer.status, set(answer.headers["allow"].split(", "))) == (405, {"GET", "HEAD", "POST"})


def test_an_answer_with_a_member_too_many_is_seen() -> None:
    with pytest.raises(AssertionError, match="surprise"):
        check_instance({"$ref": "#/components/schemas/Expired"}, {"expired": 3, "surprise": 1})


def test_a_status_that_no_document_names_is_seen() -> None:
    with pytest.raises(AssertionError, match="418"):
        check_answer("GET", "/v1/status", 418, {"content-type": "application/json"}, b"{}")


class Ring(TypedDict):
    """A shape that holds itself."""

    inner: "Ring | None"


def test_a_shape_may_hold_itself() -> None:
    document = openapi_document([Endpoint("GET", "/ring", Role.VIEW, ENDPOINTS[0].handler, Ring)])
    assert document["components"]["schemas"]["Ring"]["properties"]["inner"]["anyOf"] == [
        {"$ref": "#/components/schemas/Ring"},
        {"type": "null"},
    ]
