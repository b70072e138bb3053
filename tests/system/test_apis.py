"""Both APIs, asked whatever their documents allow and some that they do not, of real processes.

A larger campaign: APIS_EXAMPLES=2000 APIS_SEED=7 .venv/bin/pytest tests/system/test_apis.py
"""

import hashlib
import json
import os
import re
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import trio

from crowdd.client.packing import packed_task

from .late import HEADERS, registered, too_late
from .processes import Daemon, a_task

pytestmark = pytest.mark.system

EXAMPLES = os.environ.get("APIS_EXAMPLES", "12")
SEED = os.environ.get("APIS_SEED")
RANDOMNESS = ("--generation-deterministic",) if SEED is None else ("--seed", SEED)
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
HOOKS = Path(__file__).with_name("api_hooks.py")
PICTURE = b"\x89PNG picture"
ANN = ["inhouse:worker-0"]
WHOLE = {
    "/workers/block": {"workers": ANN, "reason": "tried"},
    "/workers/unblock": {"workers": ANN},
    "/qualifications": {"name": "kept"},
    "/workers/grant": {"workers": ANN, "qualification": "kept", "value": 3},
    "/workers/revoke": {"workers": ANN, "qualification": "kept"},
    "/reviews": {"verdict": "approve", "agents": [1]},
}
"""Requests that nobody would make up, whole: what succeeds only when several things in it are right."""


@asynccontextmanager
async def a_bridge(path: Path) -> AsyncGenerator[str]:
    """The address of a TCP port behind which the Unix socket is."""

    async def carry(stream: trio.SocketStream) -> None:
        async with await trio.open_unix_socket(path) as inner, trio.open_nursery() as nursery:
            nursery.start_soon(_pump, stream, inner, nursery.cancel_scope)
            nursery.start_soon(_pump, inner, stream, nursery.cancel_scope)

    async with trio.open_nursery() as nursery:
        (listener,) = await nursery.start(partial(trio.serve_tcp, carry, 0, host="127.0.0.1"))
        yield f"http://127.0.0.1:{listener.socket.getsockname()[1]}"
        nursery.cancel_scope.cancel()


async def _pump(source: trio.SocketStream, target: trio.SocketStream, both: trio.CancelScope) -> None:
    try:
        async for chunk in source:
            await target.send_all(chunk)
    except trio.BrokenResourceError:
        pass
    both.cancel()


async def ask_all(document: str, folder: Path, facts: dict[str, Any], task: bytes = b"") -> set[str]:
    """Let schemathesis ask; gives the operations that succeeded.

    AssertionError with its report when an answer is not as documented.
    """
    (folder / "facts.json").write_text(json.dumps(facts))
    environment = {**os.environ, "SCHEMATHESIS_HOOKS": str(HOOKS), "CROWDD_FACTS": str(folder / "facts.json")}
    if task:
        (folder / "task.tar.gz").write_bytes(task)
        environment["CROWDD_TASK"] = str(folder / "task.tar.gz")
    ended = await trio.run_process(
        [
            *(sys.executable, "-m", "schemathesis.cli", "run", document, "--checks", ",".join(CHECKS)),
            *("--max-examples", EXAMPLES, *RANDOMNESS, "--no-color", "--report-har-path", "asked.har"),
            *("--phases", "examples,coverage,fuzzing", "--warnings", "off", "--request-timeout", "60"),
            *("--suppress-health-check", "all", "--exclude-path", "/v1/restart"),
        ],
        env=environment,
        cwd=folder,
        capture_stdout=True,
        capture_stderr=True,
        check=False,
    )
    report = (ended.stdout + ended.stderr).decode(errors="replace")
    assert ended.returncode == 0, report
    har = json.loads((folder / "asked.har").read_bytes())
    return await trio.to_thread.run_sync(_succeeded, har, document)


def _succeeded(har: dict[str, Any], document: str) -> set[str]:
    """The operations that were answered with success at least once."""
    templates = httpx.get(document, timeout=20).json()["paths"]
    found: set[str] = set()
    for entry in har["log"]["entries"]:
        method, path = entry["request"]["method"], urlsplit(str(entry["request"]["url"])).path
        if 200 <= entry["response"]["status"] < 300:
            found |= {
                f"{method} {template}"
                for template, methods in templates.items()
                if method.lower() in methods and re.fullmatch(re.sub(r"{\w+}", "[^/]+", template), path)
            }
    return found


async def operations_of(document: str) -> set[str]:
    """All operations that a document has."""
    async with httpx.AsyncClient() as http:
        paths = (await http.get(document)).json()["paths"]
    return {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}


async def test_the_control_api_answers_as_documented(daemon: Daemon, tmp_path: Path) -> None:
    await daemon.start()
    task = a_task(tmp_path, 5)
    for label in ("ended", "stopping", "expiring", "live"):
        await daemon.launch(task, f"label={label}")
    await daemon.ask("stop", "ended", True)
    await daemon.until("ended", lambda shown: shown.state == "stopped")
    links = await daemon.links("live", 3)
    async with httpx.AsyncClient(base_url=links[0].partition("?")[0]) as http:
        form = {"USED_AGENT_ID": await registered(http, links[0]), "final_string_data": "{}"}
        await http.post("/submit_task", data=form, files={"picture": ("a.png", PICTURE)}, headers=HEADERS)
        await too_late(http, links[1], daemon.data / "crowdd.db")
    unit = await trio.to_thread.run_sync(lambda: next(iter(daemon.client.units("live"))))
    with packed_task(task) as archive:
        packed = archive.read()
    facts = {
        "run": ["live", "4"],
        "/v1/runs/{run}/stop run": ["stopping"],
        "/v1/runs/{run}/expire run": ["expiring"],
        "sha256": [hashlib.sha256(PICTURE).hexdigest()],
        "worker": ["1", "inhouse:worker-0"],
        "/v1/runs/{run}/late/pay run": ["live"],
        "POST /v1/runs/{run}/late/pay": [{"body": {"late": [1], "amount": "0.30"}}],
        "/v1/runs/{run}/links/revoke worker": ["worker-1"],
        "link": links[2:],
        "launch_id": ["asked"],
        "unit": [str(unit.id)],  # not of the run that is deleted on the way
        "agent": ["1"],
        **{f"POST /v1{path}": [{"body": body}] for path, body in WHOLE.items()},
        "POST /v1/runs/{run}/extend": [{"body": '{"text": "more"}\n', "query": {"rows": "more.jsonl"}}],
        "part": ["daemon"],
        "level": ["info"],
    }
    async with a_bridge(daemon.data / "control") as address:
        document = f"{address}/openapi.json"
        succeeded = await ask_all(document, tmp_path, facts, packed)
        once = {"POST /v1/restart"}
        assert await operations_of(document) - succeeded == once, "give facts that let these succeed once"
    assert (await daemon.ask("restart")).restarts is False
    assert await daemon.ended() == 75, daemon.log


async def test_the_router_answers_as_documented(daemon: Daemon, tmp_path: Path) -> None:
    await daemon.start()
    label = await daemon.launch(a_task(tmp_path, 300), "label=live")
    links = await daemon.links(label, 6)
    address = links[0].partition("?")[0]
    async with httpx.AsyncClient(base_url=address) as http:
        agent, answering, returning = [await registered(http, link) for link in links[:3]]
    registering = [
        {"worker_name": "x", "agent_registration_id": "x", "link": link.rpartition("=")[2], "after": ""}
        for link in links[3:]
    ]
    facts = {
        "USED_AGENT_ID": [agent],
        "/submit_task USED_AGENT_ID": [answering],
        "/return_unit USED_AGENT_ID": [returning],
        "provider_data": registering,
        "/submit_onboarding provider_data": [{"USED_AGENT_ID": agent}],
        "label": ["live"],
        "file": ["index.html", "crowdd.js", "wrap_crowd_source.js"],
    }
    document = f"{address}_crowdd/openapi.json"
    succeeded = await ask_all(document, tmp_path, facts)
    proved = {each for each in await operations_of(document) if "/_crowdd/" in each}
    assert await operations_of(document) - succeeded == proved
    assert (await daemon.ask("show", label)).state == "running"
    assert await daemon.terminate() == 0, daemon.log
