"""Routers for tests: the application in this process, and real processes that are ended by their pid."""

import json
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest
import trio
from starlette.types import ASGIApp

from crowdd.router.app import build_app
from crowdd.router.config import RouterConfig, read_secrets
from crowdd.router.runs import Runs, Served

from .daemon import SECRET, deploy
from .kit import bundle_of
from .sockets import PATIENCE_S

PAGES = {
    "index.html": b"<!DOCTYPE html><title>digits</title>",
    "bundle.js": b"const digits = 10;\n" * 200,
    "wrap_crowd_source.js": b"function getWorkerName() {}",
    "task_config.json": b'{"block_mobile": true, "mephisto_task_version": "2.0.4"}',
    "img/logo.png": b"\x89PNG",
}
START = """
import importlib, json, sys
import cattrs
from crowdd.router.config import RouterConfig, read_secrets
from crowdd.router.main import run_router
for module, name, value in json.loads(sys.argv[2]):
    setattr(importlib.import_module(module), name, value)
run_router(cattrs.structure(json.loads(sys.argv[1]), RouterConfig))
"""


@attrs.frozen
class App:
    """The application with one deployed run, and a client that calls it without a network."""

    client: httpx.AsyncClient
    runs: Runs
    folder: Path
    asgi: ASGIApp

    @property
    def run(self) -> Served:
        """The deployed run."""
        served = self.runs.get("digits")
        assert served is not None
        return served


OpenApp = Callable[..., AbstractAsyncContextManager[App]]


@pytest.fixture
def open_app(tmp_path: Path) -> OpenApp:
    """Opens the application on one and the same folder each time; `bare`: without deploying anything."""

    @asynccontextmanager
    async def opened(bare: bool = False, **settings: Any) -> AsyncGenerator[App]:
        settings.setdefault("default_run", "digits")
        secret = tmp_path / "secret"
        secret.touch(0o600)
        secret.write_bytes(SECRET)
        config = RouterConfig(folder=tmp_path / "router", secret_file=secret, **settings)
        app, runs = build_app(
            config, partial(read_secrets, secret), on_orphaned=lambda: None, on_failed=lambda: None
        )
        async with app.router.lifespan_context(app):
            transport = httpx.ASGITransport(app, raise_app_exceptions=True, client=("10.0.0.1", 4000))
            async with httpx.AsyncClient(transport=transport, base_url="http://digits.example.org") as client:
                if not bare:
                    assert (await deploy(client, bundle_of(PAGES))).status_code == 200
                yield App(client, runs, config.folder, app)

    return opened


@attrs.define(eq=False)
class Process:
    """A router process of its own."""

    facts: dict[str, Any]
    ready_file: Path
    process: "subprocess.Popen[bytes] | None" = None
    url: str = ""
    limits: list[tuple[str, str, float]] = attrs.Factory(list[tuple[str, str, float]])
    """Limits that are smaller in this process: module, name, value."""

    def start(self) -> None:
        """Start it and wait until it is ready."""
        self.ready_file.unlink(missing_ok=True)
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", START, json.dumps(self.facts), json.dumps(self.limits)],
            stdout=subprocess.PIPE,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline().decode()
        assert line.startswith("crowdd router ready on http://"), line
        self.url = str(json.loads(self.ready_file.read_text())["url"])
        assert self.url in line

    def kill(self) -> None:
        """As by kill -9."""
        assert self.process is not None
        assert self.process.stdout is not None
        self.process.kill()
        self.process.wait(10)
        self.process.stdout.close()

    async def ended(self) -> int:
        """Its exit status, once it has ended."""
        assert self.process is not None
        with trio.fail_after(PATIENCE_S):
            return await trio.to_thread.run_sync(self.process.wait, abandon_on_cancel=True)


@pytest.fixture
def router_process(tmp_path: Path) -> Iterator[Process]:
    """A router process, not started yet, with `digits` at its root; ended at the end whatever happens."""
    secret = tmp_path / "secret"
    secret.touch(0o600)
    secret.write_bytes(SECRET)
    facts = {
        "folder": str(tmp_path / "router"),
        "secret_file": str(secret),
        "ready_file": str(tmp_path / "ready.json"),
        "default_run": "digits",
    }
    process = Process(facts, tmp_path / "ready.json")
    try:
        yield process
    finally:
        if process.process is not None:
            process.kill()
