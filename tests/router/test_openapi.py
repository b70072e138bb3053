"""The router's OpenAPI document: all that its doors take, and nothing else."""

import re
from pathlib import Path

from starlette.routing import Route

from crowdd.router.app import build_app
from crowdd.router.config import RouterConfig
from crowdd.router.house import House
from crowdd.router.openapi import OPERATIONS, openapi_document
from crowdd.router.posts import Posts

DOCUMENT = openapi_document()


def test_every_post_of_a_page_is_documented(tmp_path: Path) -> None:
    ours = {each.path.removeprefix("/") for each in OPERATIONS if each.method == "POST"}
    assert ours == set(Posts(House(tmp_path)).names())


def test_every_door_of_the_daemon_is_documented(tmp_path: Path) -> None:
    app, _ = build_app(
        RouterConfig(tmp_path, tmp_path / "secret"), lambda: [b"secret"], lambda: None, lambda: None
    )
    doors = {
        (method, route.path)
        for route in app.routes
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}
    }
    documented = {(each.method, each.path) for each in OPERATIONS if each.path.startswith("/_crowdd/")}
    assert doors - documented == {("GET", "/_crowdd/openapi.json")}
    assert documented <= doors


def test_passing_refusals_say_when_to_come_back() -> None:
    for methods in DOCUMENT["paths"].values():
        for operation in methods.values():
            for status in {"429", "503"} & operation["responses"].keys():
                assert "Retry-After" in operation["responses"][status]["headers"]


def test_no_reference_leads_nowhere() -> None:
    found = set(re.findall(r"#/components/schemas/(\w+)", str(DOCUMENT)))
    assert found == DOCUMENT["components"]["schemas"].keys()
