"""One data folder with its daemon, its router, runs and workers' links: started, killed, checked, reused."""

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import httpx
import trio

from ...daemon.secrets import make_secret
from ...daemon.websocket_channel import NO_TLS
from ...protocol.names import RunId
from ...storage.opening import open_storage
from ...storage.sqlite.check import check_store
from ..checker import check_history
from ..facts import read_facts
from ..history import Entry, History, Invoke, Ok, Refused, Unknown
from ..http_doors import HttpDoors, PageAddress
from ..tables import DAEMON_TABLES
from .control import Control
from .parts import Part
from .tasks import ScenicTask
from .zygote import Zygote

DATABASE = "crowdd.db"
UP_S = 60.0
LOOK_S = 0.01
HOST = "127.0.0.1"


class SceneBroken(Exception):
    """The scene could not be set up, or does not come to rest: a finding of its own."""


@attrs.frozen
class Launched:
    """A run of the scene, and its workers' links."""

    id: RunId
    label: str
    links: Sequence[str]


class Scene:
    """A daemon and a router of its own on folders that are given; both are ended by `close`.

    `history` is that of whoever acts in this process; others bring theirs to `check`. Clients are named
    LABEL/NAME, which tells the histories of runs apart. The folder's path must leave room for a socket's.
    """

    def __init__(
        self,
        folder: Path,
        zygote: Zygote,
        *,
        data: Path | None = None,
        router_folder: Path | None = None,
        mutant: str = "",
    ) -> None:
        """The data and the router's folder may lie elsewhere, e.g. on a disk that is about to fail."""
        self.folder = folder
        self.data = data or folder / "data"
        self.router_folder = router_folder or folder / "router"
        self.runs: list[Launched] = []
        self.history = History("scene-")
        self.port = 0
        for made in (folder, self.data, self.router_folder):
            made.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._control = Control(self.data / "control")
        serve = ["serve", "--data", str(self.data), "--log-level", "warning"]
        self.daemon = Part(
            "daemon", zygote, lambda: serve, folder / "daemon.log", self._control.is_up, mutant
        )
        self.router = Part(
            "router", zygote, self._router_arguments, folder / "router.log", self._router_is_up, mutant
        )
        self._client: httpx.AsyncClient | None = None

    # --- setting up

    async def set_up(self, tasks: Mapping[ScenicTask, tuple[int, int]], real: bool = False) -> None:
        """Start both and launch the tasks, each with (rows, links). SceneBroken, NotReady."""
        secret = self.router_folder / "secret"
        if not secret.exists():
            make_secret(secret)
        await self.router.start(real)
        self._tell_of_router()
        await self.daemon.start(real)
        for task, (rows, links) in tasks.items():
            await self.launch(task, rows, links)

    async def launch(self, task: ScenicTask, rows: int, links: int) -> Launched:
        """Launch a task and wait until its pages are served. SceneBroken, NoAnswer."""
        status, told = await self.control(
            "POST", "/runs", body=task.archive(rows), query={"launch_id": f"launch-{task.name}"}
        )
        if status != 201:
            raise SceneBroken(f"the launch of {task.name} was answered with {status}: {told}")
        await self.until_served(told["label"])
        names = [f"{task.name}-{number}" for number in range(links)]
        status, given = await self.control("POST", f"/runs/{told['label']}/links", json={"workers": names})
        if status != 201:
            raise SceneBroken(f"links of {task.name} were answered with {status}: {given}")
        run = Launched(RunId(told["id"]), told["label"], [link["url"] for link in given["links"]])
        self.runs.append(run)
        return run

    async def until_served(self, label: str) -> None:
        """Return once the run's router is up. SceneBroken."""
        with trio.move_on_after(UP_S):
            while True:
                _, shown = await self.control("GET", f"/runs/{label}")
                if shown.get("address") and all(router["up"] for router in shown["routers"]):
                    return
                await trio.sleep(LOOK_S)
        raise SceneBroken(f"the router of {label} is not up after {UP_S:g} s")

    async def until_delivered(self) -> None:
        """Return once the daemon has all that the router kept for it. SceneBroken."""
        kept = self.router_folder / "kept" / "runs"
        with trio.move_on_after(UP_S):
            while any(kept.glob("*/outbox/*")):  # noqa: ASYNC110  # nobody tells
                await trio.sleep(LOOK_S)
            return
        raise SceneBroken(f"the daemon does not have what the router kept after {UP_S:g} s")

    def _router_arguments(self) -> Sequence[str]:
        self._ready_file.unlink(missing_ok=True)
        facts = {
            "folder": str(self.router_folder / "kept"),
            "secret_file": str(self.router_folder / "secret"),
            "host": HOST,
            "port": self.port,
            "ready_file": str(self._ready_file),
            "shared_origin": True,
            "log_level": ["warning"],
        }
        config = self.router_folder / "router.toml"
        config.write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in facts.items()))
        return ["router", "--config", str(config)]

    async def _router_is_up(self) -> bool:
        if not self._ready_file.exists():
            return False
        self.port = int(json.loads(self._ready_file.read_bytes())["port"])
        return True

    @property
    def _ready_file(self) -> Path:
        return self.router_folder / "ready.json"

    def _tell_of_router(self) -> None:
        url, secret = f"http://{HOST}:{self.port}", self.router_folder / "secret"
        (self.data / "routers.toml").write_text(f'[crowd]\nurl = "{url}"\nsecret_file = "{secret}"\n')

    # --- acting

    async def control(
        self,
        method: str,
        path: str,
        json: Mapping[str, Any] | None = None,
        body: bytes | None = None,
        query: Mapping[str, str] | None = None,
    ) -> tuple[int, Any]:
        """What staff ask: status and JSON. NoAnswer."""
        return await self._control.ask(method, path, json, body, query)

    def doors(self, link: str) -> HttpDoors:
        """A page at a link; its connections close with the scene."""
        if self._client is None:
            limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
            self._client = httpx.AsyncClient(limits=limits, trust_env=False, verify=NO_TLS)
        return HttpDoors(self._client, PageAddress(link))

    # --- looking

    async def check(
        self, entries: Sequence[Entry] = (), healed_at: float = 0.0, everyone: bool = True
    ) -> list[str]:
        """What is wrong, in words, by the history and the store; of a daemon that does not run now."""
        assert not self.daemon.is_running
        seen = sorted([*self.history.entries, *entries], key=lambda entry: entry.at)
        wrong = await trio.to_thread.run_sync(check_store, self.data / DATABASE)
        if wrong:
            return [f"the store: {words}" for words in wrong]
        async with open_storage(self.data / DATABASE) as storage:
            for run in self.runs:
                facts = await read_facts(storage, run.id)
                mine = of_run(seen, run.label)
                judged = check_history(mine, facts, DAEMON_TABLES, healed_at=healed_at, everyone=everyone)
                wrong += [f"run {run.label}: {one.rule.value}: {one.subject}: {one.text}" for one in judged]
        return wrong

    async def close(self) -> None:
        """End both, at once."""
        with trio.CancelScope(shield=True):
            for part in (self.daemon, self.router):
                await part.kill()
            if self._client is not None:
                await self._client.aclose()


def of_run(entries: Sequence[Entry], label: str) -> list[Entry]:
    """Those of clients whose names begin with the run's label and a slash, and the answers to their calls."""
    calls: set[str] = set()
    mine: list[Entry] = []
    for entry in entries:
        if isinstance(entry, Ok | Refused | Unknown):
            belongs = entry.call in calls
        else:
            belongs = entry.client.partition("/")[0] == label
            if belongs and isinstance(entry, Invoke):
                calls.add(entry.call)
        if belongs:
            mine.append(entry)
    return mine


@asynccontextmanager
async def open_scene(folder: Path, zygote: Zygote, **more: Any) -> AsyncGenerator[Scene]:
    """A scene whose processes end with the block."""
    scene = Scene(folder, zygote, **more)
    try:
        yield scene
    finally:
        await scene.close()
