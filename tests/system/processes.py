"""Real daemons for tests: a process each, on a folder of its own, ended by process id whatever happens."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import trio

from crowdd.client import Client, RunDetails, Submission
from crowdd.client.errors import DaemonUnreachable
from crowdd.daemon.secrets import make_secret
from crowdd.storage.contract import Storage
from crowdd.storage.opening import open_storage

from ..process_table import LOOK_S, files_of, spares

READY_S = 120.0  # of a machine with much else to do
END_S = 120.0  # for a daemon to end that is to; a grace that a test wants cut is longer


class Daemon:
    """One store, and the daemon process that holds it at present."""

    def __init__(self, data: Path, module: str = "crowdd.cli") -> None:
        self.data = data
        self._module = module
        self.client = Client(data / "control", timeout_s=20)
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        return (self.data / "daemon.log").read_text(errors="replace")

    async def start(self, *options: str) -> None:
        """Start a daemon on the store and wait until it answers."""
        self.data.mkdir(exist_ok=True)
        with (self.data / "daemon.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", self._module, "serve", "--data", str(self.data), *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        with trio.fail_after(READY_S):
            while not await trio.to_thread.run_sync(self._answers):
                assert self.process.poll() is None, self.log
                await trio.sleep(LOOK_S)

    def _answers(self) -> bool:
        try:
            self.client.status()
        except DaemonUnreachable:
            return False
        return True

    async def ask(self, method: str, *arguments: Any) -> Any:
        """Call a method of the client in a thread."""
        return await trio.to_thread.run_sync(getattr(self.client, method), *arguments)

    async def launch(self, folder: Path, *overrides: str) -> str:
        """Launch a task and return its label once its pages are served."""
        given = dict(override.split("=", 1) for override in overrides)
        run = await self.ask("launch", folder, given)
        await self.until(run.label, lambda shown: shown.address and shown.routers[0].up)
        return str(run.label)

    async def until(self, label: str, holds: Callable[[Any], object]) -> RunDetails:
        """What `show` says once it fulfils `holds`."""
        with trio.fail_after(READY_S):
            while True:
                shown: RunDetails = await self.ask("show", label)
                if holds(shown):
                    return shown
                await trio.sleep(LOOK_S)

    async def links(self, label: str, count: int) -> list[str]:
        links = await self.ask("links", label, [f"worker-{n}" for n in range(count)])
        return [link.url for link in links]

    def kill(self) -> None:
        """kill -9, and nothing else."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    async def kill_and_restart(self) -> None:
        """kill -9, and a start."""
        self.kill()
        await self.start()

    async def kill_router(self) -> None:
        """kill -9 to the only router, and wait until the daemon has started another in its place."""
        (router,) = self.router_pids()
        os.kill(router, signal.SIGKILL)
        with trio.fail_after(READY_S):
            while self.router_pids() in ([], [router]):
                await trio.sleep(LOOK_S)

    async def kill_both(self) -> None:
        """kill -9 to the daemon and its routers, and a start."""
        self.kill()
        for router in self.router_pids():
            os.kill(router, signal.SIGKILL)
        await self.start()

    async def terminate(self) -> int:
        """SIGTERM; the exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return await self.ended()

    async def ended(self) -> int:
        """The exit status, once it has ended: by a signal, an answer or a failure before."""
        assert self.process is not None
        with trio.fail_after(END_S):
            return await trio.to_thread.run_sync(self.process.wait, abandon_on_cancel=True)

    def router_pids(self) -> list[int]:
        """The router processes of this store, whoever started them: they hold the locks of its routers."""
        locks = {str(lock) for lock in self.data.absolute().glob("runs/*/router/process.lock")}
        daemon = None if self.process is None else self.process.pid  # it holds one while it hands it over
        pids = [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if pid != daemon]
        return [pid for pid in pids if locks & {*files_of(pid)}] if locks else []

    def spare_pids(self) -> list[int]:
        """The processes that are kept ready to be routers of this store."""
        return [*{*spares(self.data)} - {*self.router_pids()}]

    def clean_up(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.kill()
        for pid in self.router_pids():
            os.kill(pid, signal.SIGKILL)

    @asynccontextmanager
    async def store(self) -> AsyncGenerator[Storage]:
        """The store of a stopped daemon."""
        async with open_storage(self.data / "crowdd.db") as storage:
            yield storage


class Router:
    """A router that runs already, as a service would; it keeps its port over restarts."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        folder.mkdir()
        self.folder = folder
        self.secret = folder / "secret"
        make_secret(self.secret)
        self.port = 0
        self._settings = settings
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        return (self.folder / "router.log").read_text(errors="replace")

    async def start(self) -> None:
        """Start it and wait until it says that it is ready."""
        ready, config = self.folder / "ready.json", self.folder / "router.toml"
        ready.unlink(missing_ok=True)
        facts = {
            "folder": str(self.folder / "kept"),
            "secret_file": str(self.secret),
            "port": self.port,
            "ready_file": str(ready),
            **self._settings,
        }
        config.write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in facts.items()))
        with (self.folder / "router.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "crowdd.cli", "router", "--config", str(config)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        with trio.fail_after(READY_S):
            while not ready.exists():
                assert self.process.poll() is None, self.log
                await trio.sleep(LOOK_S)
        self.port = int(json.loads(ready.read_bytes())["port"])

    def kill(self) -> None:
        """kill -9, and nothing else."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()


def a_task(folder: Path, rows: int, extra: str = "", blueprint: str = "static") -> Path:
    """A task folder with `rows` rows and a one-field page."""
    task = folder / "task"
    (task / "page").mkdir(parents=True)
    (task / "task.toml").write_text(f'name = "{blueprint} words"\n[blueprint]\ntype = "{blueprint}"\n{extra}')
    lines = "".join(f'{{"text": "word {n}", "_truth": {n}}}\n' for n in range(rows))
    (task / "data.jsonl").write_text(lines)
    (task / "page" / "index.html").write_text(PAGE)
    return task


PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Words</title>
<script src="wrap_crowd_source.js"></script><script src="crowdd.js"></script>
<form data-crowdd="task"><p>${text}</p>
<label>Kind <select name="kind"><option value="a">a</option><option value="b">b</option></select></label>
<button>Save</button></form></html>
"""


def texts(records: Sequence[Submission | dict[str, Any]]) -> list[str]:
    """Which rows were answered, sorted."""
    found = [
        record.inputs if isinstance(record, Submission) else record["data"]["inputs"] for record in records
    ]
    return sorted(str(inputs["text"]) for inputs in found)
