"""A place to try plug-ins at: a task's folder for blueprints; for providers a stored run, workers, agents.

Everything is in memory and on the clock that it is given, so it works under a virtual clock, too.
"""

import random
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs

from ...daemon.blueprints import Material
from ...daemon.clock import Wall, wall_clock
from ...daemon.providers import CrowdProvider, Place
from ...daemon.task_folder import load_task_code
from ...protocol.names import AgentStatus, RunState, WireId
from ...storage.contract import NewAssignment, NewRun, Registration, Reserved, Storage
from ...storage.opening import open_storage
from ...storage.records import Agent, TaskRun, Unit, Worker
from ...storage.writes import MoveRun
from ..http_doors import PageAddress

URL = "http://127.0.0.1:8000/"
UNITS = 2
Files = Mapping[str, str | bytes]


def a_material(
    folder: Path, files: Files | None = None, make_rows: Callable[[], Iterable[Any]] | None = None
) -> Material:
    """What a blueprint is made from: a task's folder, with these files written into it, and its task.py."""
    write_files(folder, files or {})
    module = load_task_code(folder)
    code = {} if module is None else {**vars(module)}
    return Material(folder, None, make_rows or code.get("rows"), code)


def write_files(folder: Path, files: Files) -> None:
    """Put files into a folder, by their paths."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


@attrs.define(eq=False)
class ProviderBench:
    """A run with two units, and the provider that it uses. `reopened` is the provider after a restart."""

    provider_class: type[CrowdProvider]
    options: Any
    place: Place
    names: tuple[str, str] = ("ann", "bob")
    """Two workers whom the provider can make links for."""
    provider: CrowdProvider = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.provider = self.reopened()

    @property
    def storage(self) -> Storage:
        return self.place.storage

    def reopened(self) -> CrowdProvider:
        """The provider as after a restart: nothing but storage is the same."""
        return self.provider_class(self.options, self.place)

    async def said(self, name: str = "", **more: Any) -> dict[str, Any]:
        """What the page of a worker's personal link says about itself; `after` is left to the test."""
        [(_, url)] = await self.provider.links([name or self.names[0]], URL)
        said = PageAddress(url).registration("")
        del said["after"]
        return {**said, "provider_type": self.provider.name, **more}

    async def worker(self, name: str = "") -> Worker:
        """The worker who came by that link, registered."""
        identity = await self.provider.verify(await self.said(name))
        return await self.storage.register_worker(
            self.provider.name, identity.worker_name, dict(identity.worker_data), self.place.wall()
        )

    async def at_work(self, name: str = "") -> tuple[Agent, Unit]:
        """The worker's agent on a unit of the run."""
        identity = await self.provider.verify(await self.said(name, after=""))
        worker = await self.worker(name)
        path = (AgentStatus.ACCEPTED, AgentStatus.IN_TASK)
        wire_id = WireId(f"page of {worker.name}")
        kept = dict(identity.agent_data)
        asked = Registration(self.place.run.id, worker.id, wire_id, identity.link, "", path, None, kept)
        reserved = await self.storage.reserve(asked, self.place.wall())
        if not isinstance(reserved, Reserved):
            raise LookupError(f"{worker.name} got no unit: {reserved}")
        return reserved.agent, reserved.unit


@asynccontextmanager
async def open_bench(
    provider: type[CrowdProvider],
    options: Any = None,
    *,
    folder: Path = Path(),
    names: tuple[str, str] = ("ann", "bob"),
    wall: Wall = wall_clock,
) -> AsyncGenerator[ProviderBench, None]:
    """A bench with this provider; without `options`, the defaults of its class."""
    async with open_storage(None) as storage:
        run = await _a_run(storage, provider, wall)
        rng = random.Random(1)  # noqa: S311  # the same for every bench
        place = Place(run, storage, wall, rng, b"s" * 32, folder)
        yield ProviderBench(provider, provider.Options() if options is None else options, place, names)


async def _a_run(storage: Storage, provider: type[CrowdProvider], wall: Wall) -> TaskRun:
    new = NewRun(
        "bench", "bench", "bench", "bench", "mock", provider.name, "mock", provider.sandbox, {}, b"k" * 32
    )
    run = await storage.create_run(new, wall(), "staff:bench")
    rows = [NewAssignment(n, str(n), {"n": n}, [{}]) for n in range(UNITS)]
    await storage.add_assignments(run.id, rows, True, wall())
    await storage.launch_units(run.id, UNITS, wall())
    await storage.commit([MoveRun(run.id, run.state, RunState.RUNNING, "daemon", "bench")], wall())
    return await storage.run(run.id)
