"""A place to try live blueprints at: a whole simulated daemon with one assignment, and workers for it.

For a virtual clock. Workers do what their player does, fill in the page's form where there is none, and stay
until they have sent it.
"""

import random
import tempfile
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import attrs
import trio

from ...daemon.architects.mock import MockArchitect
from ...daemon.blueprints import Blueprint, Row
from ...daemon.clock import simulated_wall
from ...daemon.live.piece import AFTERWARDS_S
from ...daemon.operator import Operator
from ...daemon.providers.inhouse import InhouseProvider
from ...daemon.registry import Kind, Registry
from ...protocol.names import LIVE_AGENT, AgentId, AgentStatus, RunId
from ...storage.records import Agent
from ..bot import Bot, BotPlan
from ..history import History
from ..http_doors import PageAddress
from ..players import Player, form_player
from ..simulation.browser import Air, SimulatedDoors
from ..simulation.channel import SimulatedChannel
from ..simulation.daemon import SimulatedDaemon
from ..simulation.router import SimulatedRouter
from ..simulation.stores import memory_store
from .promise import PromiseBroken, must

LABEL = "bench"
ROUTER_SECRET = b"a router's secret on the bench"
THINK_S = 30.0  # long enough for something to happen to a worker who is at work
LASTS_S_MAX = 2 * 3600.0
LOOK_S = 0.5
CODE_ENDS_S = AFTERWARDS_S / 2  # it may put something in order; after all of them it would be cut off
TASK = """
name = "{label}"
label = "{label}"
[blueprint]
type = "{blueprint}"
[provider]
type = "inhouse"
[architect]
type = "mock"
"""


@attrs.frozen
class NoOptions:
    """What the bench's task.toml says of the blueprint: it has its options already."""


@attrs.define(eq=False)
class LiveBench:
    """One run with one assignment. `scopes` are the workers' browsers, in the order of their names."""

    daemon: SimulatedDaemon
    run_id: RunId
    scopes: Sequence[trio.CancelScope]

    async def until(self, holds: Callable[[Sequence[Agent]], bool], otherwise: str) -> Sequence[Agent]:
        """The agents, once this holds of them. PromiseBroken with `otherwise`, or when its code failed."""
        agents: Sequence[Agent] = ()
        with trio.move_on_after(LASTS_S_MAX):
            while not holds(agents := await self._agents()):  # noqa: ASYNC110  # storage tells nobody
                await trio.sleep(LOOK_S)
            return agents
        raise PromiseBroken(f"{otherwise}: agents are {[agent.status.value for agent in agents]}")

    async def _agents(self) -> Sequence[Agent]:
        storage = (await self.daemon.present()).storage
        errors = [error.data for error in await storage.errors(self.run_id)]
        must(not errors, f"its code failed: {errors}")
        return await storage.agents(self.run_id)

    async def all_at_work(self) -> Sequence[Agent]:
        """The agents, once every worker is at work."""
        return await self.until(
            lambda agents: sum(_is_at_work(agent) for agent in agents) == len(self.scopes),
            f"{len(self.scopes)} workers did not get to work",
        )

    async def close_a_page(self) -> AgentId:
        """One worker who is at work closes the page for good; the agent that it showed."""
        storage = (await self.daemon.present()).storage
        shown: dict[str, AgentId] = {}
        for agent in await self.all_at_work():
            shown[(await storage.worker(agent.worker_id)).name] = agent.id
        self.scopes[0].cancel()
        return shown[_name(0)]

    async def all_over(self) -> None:
        """Return once no code runs any more. PromiseBroken: it still does, or failed."""
        with trio.move_on_after(CODE_ENDS_S):
            while await self._pieces():  # noqa: ASYNC110  # a run tells nobody
                await trio.sleep(LOOK_S)
        running = await self._pieces()
        must(not running, f"its code still runs {CODE_ENDS_S:g} s after all workers have gone")
        await self._agents()

    async def _pieces(self) -> int:
        live = (await self.daemon.present()).live(self.run_id)
        return 0 if live is None else live.pieces


@asynccontextmanager
async def open_live_bench(
    blueprint: Blueprint, player: Player | None = None
) -> AsyncGenerator[LiveBench, None]:
    """A bench whose workers come to the first row of this blueprint, all at about the same time."""
    workers = len(next(blueprint.rows()).unit_data)
    with tempfile.TemporaryDirectory(prefix="crowdd-bench-") as folder:
        task = Path(folder) / "task"
        task.mkdir()
        (task / "task.toml").write_text(TASK.format(label=LABEL, blueprint=blueprint.name))
        router = SimulatedRouter(LABEL, ROUTER_SECRET, _rng("router"), lambda: simulated_wall().timestamp())
        daemon = SimulatedDaemon(
            Path(folder) / "data",
            memory_store(Path(folder)),
            lambda site: [SimulatedChannel("the bench's router", router)],
            _rng("daemon"),
            registry=lambda: _registry(blueprint),
        )
        async with trio.open_nursery() as nursery:
            nursery.start_soon(router.serve)
            nursery.start_soon(daemon.serve)
            operator = await daemon.present()
            run = await operator.launch(task, {}, "bench", "staff:bench")
            scopes = [trio.CancelScope() for _ in range(workers)]
            known = player or form_player(blueprint.page_files()["index.html"].decode())
            for number, link in enumerate(await _links(operator, run.id, workers)):
                nursery.start_soon(_work, scopes[number], _name(number), link, router, known)
            yield LiveBench(daemon, run.id, scopes)
            nursery.cancel_scope.cancel()


def _registry(blueprint: Blueprint) -> Registry:
    """The blueprint as it was made, but with its first row alone."""
    given = type(blueprint)

    def made(self: Any, options: Any, material: Any) -> None:
        given.__init__(self, blueprint.options, attrs.evolve(blueprint.material, config=material.config))

    def first_row(self: Any) -> Iterator[Row]:
        return islice(given.rows(self), 1)

    benched = type(given.__name__, (given,), {"__init__": made, "rows": first_row, "Options": NoOptions})
    return Registry(
        {
            Kind.BLUEPRINT: {given.name: lambda: benched},
            Kind.PROVIDER: {"inhouse": lambda: InhouseProvider},
            Kind.ARCHITECT: {"mock": lambda: MockArchitect},
        }
    )


async def _links(operator: Operator, run_id: RunId, workers: int) -> list[str]:
    while (live := operator.live(run_id)) is None or live.address is None:  # noqa: ASYNC110  # it tells nobody
        await trio.sleep(LOOK_S)
    return [url for _, url in await operator.links(run_id, [*map(_name, range(workers))])]


async def _work(
    scope: trio.CancelScope, name: str, link: str, router: SimulatedRouter, player: Player
) -> None:
    doors = SimulatedDoors(PageAddress(link), router, Air(), "10.0.0.1", _rng(f"network of {name}"))
    history = History(clock=trio.current_time)
    with scope:
        await Bot(name, doors, player, BotPlan(think_s=THINK_S), history, _rng(name)).run()


def _name(number: int) -> str:
    return f"worker-{number}"


def _rng(what: str) -> random.Random:
    return random.Random(what)  # noqa: S311  # the same for every bench


def _is_at_work(agent: Agent) -> bool:
    return agent.status in LIVE_AGENT and agent.status is not AgentStatus.WAITING
