"""A whole daemon on the virtual clock, with a router core for each run and pages that act when told to."""

import hashlib
import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import trio

from crowdd.daemon.architects.contract import Site
from crowdd.daemon.channel import Channel
from crowdd.daemon.clock import simulated_wall
from crowdd.daemon.live_run import LiveRun
from crowdd.daemon.operator import Operator
from crowdd.protocol.names import AgentStatus, RunId, UnitStatus
from crowdd.storage.contract import Storage
from crowdd.storage.records import TaskRun
from crowdd.testing.http_doors import PageAddress
from crowdd.testing.simulation.browser import Air, SimulatedDoors
from crowdd.testing.simulation.channel import SimulatedChannel
from crowdd.testing.simulation.daemon import SimulatedDaemon
from crowdd.testing.simulation.router import SimulatedRouter
from crowdd.testing.simulation.stores import OpenStore
from crowdd.testing.verdicts import Answered
from crowdd.testing.world import memory_store

SECRET = b"a router's secret in simulation"
TASK = """
name = "{label}"
label = "{label}"
[blueprint]
type = "mock"
num_assignments = {units}
[provider]
type = "{provider}"
[architect]
type = "mock"
"""
SOON_S = 30.0


def a_task(
    folder: Path,
    label: str = "digits",
    units: int = 3,
    provider: str = "inhouse",
    sections: str = "",
    code: str = "",
) -> Path:
    """A task's folder, with further sections of task.toml, and a task.py where there is code."""
    task = folder / f"task-{label}"
    task.mkdir()
    (task / "task.toml").write_text(TASK.format(label=label, units=units, provider=provider) + sections)
    if code:
        (task / "task.py").write_text(code)
    return task


@attrs.define(eq=False)
class VirtualPage:
    """One worker's page."""

    doors: SimulatedDoors
    agent: str = ""

    async def register(self, after: str = "") -> Answered:
        body = {"provider_data": self.doors.registration(after)}
        answered = await self.doors.post("request_agent", body, 60)
        self.agent = answered.agent_id
        return answered

    async def submit_onboarding(self, data: Any) -> Answered:
        body = {"provider_data": {"USED_AGENT_ID": self.agent, "onboarding_data": data}}
        answered = await self.doors.post("submit_onboarding", body, 60)
        self.agent = answered.agent_id or self.agent
        return answered

    async def submit(self, data: Any) -> Answered:
        return await self.doors.post("submit_task", {"USED_AGENT_ID": self.agent, "final_data": data}, 90)


class Virtual:
    """The daemon, its routers and what tests ask of them."""

    def __init__(self, folder: Path, nursery: trio.Nursery, open_store: OpenStore | None = None) -> None:
        self._folder = folder
        self._nursery = nursery
        self._routers: dict[str, SimulatedRouter] = {}
        self.daemon = SimulatedDaemon(
            folder / "data", open_store or memory_store(folder), self._channels, random.Random("daemon")
        )
        nursery.start_soon(self.daemon.serve)

    def _channels(self, site: Site) -> list[Channel]:
        label = site.run.label
        if label not in self._routers:
            rng = random.Random(label)
            router = SimulatedRouter(label, SECRET, rng, lambda: simulated_wall().timestamp())
            self._routers[label] = router
            self._nursery.start_soon(router.serve)
        return [SimulatedChannel(f"router of {label}", self._routers[label])]

    @property
    def operator(self) -> Operator:
        assert self.daemon.operator is not None
        return self.daemon.operator

    @property
    def storage(self) -> Storage:
        return self.operator.storage

    async def launch(
        self,
        label: str = "digits",
        units: int = 3,
        provider: str = "inhouse",
        sections: str = "",
        code: str = "",
        **overrides: str,
    ) -> TaskRun:
        """Launch a run and wait until its pages are served and its units released."""
        task = a_task(self._folder, label, units, provider, sections, code)
        operator = await self.daemon.present()
        given = {key.replace("__", "."): value for key, value in overrides.items()}
        run = await operator.launch(task, given, f"launch of {label}", "staff:ann")
        await self.until_live(run.id)
        return await self.storage.run(run.id)

    async def until_live(self, run_id: RunId) -> LiveRun:
        with trio.fail_after(SOON_S):
            while not self._is_served(run_id):
                await trio.sleep(0.1)
        live = self.operator.live(run_id)
        assert live is not None
        return live

    def _is_served(self, run_id: RunId) -> bool:
        operator = self.daemon.operator
        live = None if operator is None else operator.live(run_id)
        return live is not None and any(router.up for router in live.routers())

    async def page(self, run: TaskRun, worker: str, more: str = "") -> VirtualPage:
        """A page of the named worker's link (or of a mock worker); `more` is added to its address."""
        ((_, url),) = await self.operator.links(run.id, [worker])
        return self.page_at(run, url + more, worker)

    def page_at(self, run: TaskRun, url: str, worker: str) -> VirtualPage:
        """The page that a link shows, at the run's router."""
        rng = random.Random(worker)
        return VirtualPage(SimulatedDoors(PageAddress(url), self._routers[run.label], Air(), "10.0.0.1", rng))

    async def at_work(self, run: TaskRun, worker: str) -> VirtualPage:
        page = await self.page(run, worker)
        assert (await page.register()).agent_id
        return page

    def replace_router(self, label: str) -> None:
        """The next run of this label gets a router of its own."""
        del self._routers[label]

    def router(self, run: TaskRun) -> SimulatedRouter:
        return self._routers[run.label]

    def task_folder(self, run: TaskRun) -> Path:
        """Where the daemon keeps what was launched."""
        return self.daemon.data / "tasks" / hashlib.sha256(run.launch_id.encode()).hexdigest()[:32]

    async def units(self, run: TaskRun) -> list[UnitStatus]:
        return [unit.status for unit in await self.storage.units(run.id)]

    async def agents(self, run: TaskRun) -> list[AgentStatus]:
        return [agent.status for agent in await self.storage.agents(run.id)]


@asynccontextmanager
async def open_virtual(folder: Path, open_store: OpenStore | None = None) -> AsyncGenerator[Virtual, None]:
    """A daemon that lives until left."""
    async with trio.open_nursery() as nursery:
        virtual = Virtual(folder, nursery, open_store)
        await virtual.daemon.present()
        yield virtual
        nursery.cancel_scope.cancel()
