"""The simulated world: a whole daemon, its routers' cores, a crowd of workers and bad luck, in one process.

All is real but the edges: wires, disks, browsers and the clock. It runs on trio's virtual clock, so an hour
takes seconds; from one seed it does the same again, and what the checker finds can be looked at as often as
one likes.
"""

import importlib
import math
import random
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import trio

from ..daemon.channel import Channel
from ..daemon.clock import simulated_wall
from ..protocol.names import RunId
from .bot import Bot, BotPlan
from .checker import Violation, check_history
from .facts import StoreFacts, read_facts
from .history import Entry, History
from .http_doors import PageAddress
from .patient_clock import patient_clock
from .players import Player
from .simulation.browser import Air, SimulatedDoors
from .simulation.channel import SimulatedChannel
from .simulation.daemon import SimulatedDaemon
from .simulation.disk import StoreDisk
from .simulation.faults import ALL_FAULTS, LIVE_FAULTS, NO_FAULTS, Fault, Faults, Planned, plan_faults
from .simulation.live import BLUEPRINTS, ECHO, OPTIONS, live_faults, talker
from .simulation.live import CODE as LIVE_CODE
from .simulation.live import ONBOARDING as LIVE_ONBOARDING
from .simulation.nemesis import Targets, go_wrong
from .simulation.qualified import BANNED, CODE, SECTIONS, SPECIAL, answer, player
from .simulation.router import SimulatedRouter
from .simulation.staff import Meddler
from .simulation.stores import MakeStore, memory_store, sqlite_store
from .tables import DAEMON_TABLES

__all__ = [
    "ALL_FAULTS",
    "CROWD",
    "LIVE_FAULTS",
    "NO_FAULTS",
    "Fault",
    "Faults",
    "Hours",
    "SimulationReport",
    "memory_store",
    "rehearse",
    "simulate",
    "sqlite_store",
]

LABEL = "simulated"
UNITS_PER_ASSIGNMENT = 2
ROUTER_SECRET = b"a router's secret in simulation"
CROWD = BotPlan(
    arrive_s=120.0,
    think_s=60.0,
    abandon=0.05,
    reload=0.1,
    give_back=0.05,
    double=0.1,
    error=0.05,
    socket=0.15,
    metadata=0.3,
    no_work_tries_max=10**6,  # they wait for units that others leave behind, until the run has ended
    unreachable_s_max=1e9,
)
TASK = """
name = "{label}"
label = "{label}"
[blueprint]
type = "{blueprint}"
num_assignments = {assignments}
units_per_assignment = {units_per_assignment}
{options}[provider]
type = "inhouse"
[architect]
type = "mock"
[limits]
{limits}"""
LASTS_S_MAX = 2 * 3600.0  # a world that can be done is, within 40 minutes; an hour more settles the rest
SLOW_ANSWER_S = 900.0  # hooks that fail one time in five are asked again and again


@attrs.frozen
class Hours:
    """How long a world lasts, and how soon all must be well in it; virtual seconds."""

    lasts_s: float = LASTS_S_MAX
    """At the latest it ends then, in the middle of whatever goes on."""
    healed_s: float = 60.0
    """A daemon that is stopped as the last fault says goodbye, and is back so long after it."""
    answer_s: float = 120.0
    """A page may just have begun its longest pause, and then have its request held."""
    limits: str = "assignment_duration_s = 240  # shorter than some workers are away\n"
    """Lines of the task's section [limits]."""


UNHURRIED = Hours()


@attrs.frozen
class SimulationReport:
    """What happened, and what is wrong with it."""

    history: Sequence[Entry]
    facts: StoreFacts
    violations: list[Violation]
    faults: Sequence[Planned]
    lasted_s: float
    """Virtual seconds."""


def rehearse(
    seed: int, workers: int, units: int, faults: Faults = NO_FAULTS, **more: Any
) -> SimulationReport:
    """`simulate` under a virtual clock of its own, with a scheduler that repeats itself. Not inside trio."""
    # Private, and the only way (hypothesis uses it as well): a test holds that the same seed gives the same.
    scheduler: Any = importlib.import_module("trio._core._run")
    allowed, chance = scheduler._ALLOW_DETERMINISTIC_SCHEDULING, scheduler._r.getstate()
    scheduler._ALLOW_DETERMINISTIC_SCHEDULING = True
    scheduler._r.seed(seed)
    try:
        world = partial(simulate, seed, workers, units, faults, **more)
        return trio.run(world, clock=patient_clock())
    finally:
        scheduler._ALLOW_DETERMINISTIC_SCHEDULING = allowed
        scheduler._r.setstate(chance)


async def simulate(
    seed: int,
    workers: int,
    units: int,
    faults: Faults = NO_FAULTS,
    *,
    crowd: BotPlan = CROWD,
    routers: int = 1,
    make_store: MakeStore = memory_store,
    qualified: str = "",
    live: str = "",
    unchanged: float = 0.0,
    hours: Hours = UNHURRIED,
    onboarded: bool = False,
) -> SimulationReport:
    """Let `workers` do at least `units` units while `faults` happen; then check all of it.

    With `qualified`, "gold" or "screening", they are onboarded and tested, hooks dawdle and fail, and staff
    meddle for as long as there are faults. With `live`, "echo" or "pairs", they talk with the task's code or
    with each other; this share of them in `unchanged` pages of mephisto-task. The code may also have them
    `onboarded` first.

    Needs an autojumping virtual clock. Returns when everybody has gone home and what routers kept for the
    daemon has come to it, or when the `hours` are over.
    """
    with tempfile.TemporaryDirectory(prefix="crowdd-world-") as folder:
        world = _World(seed, Path(folder), routers, make_store, qualified, live, unchanged, hours, onboarded)
        return await world.run(workers, -(-units // UNITS_PER_ASSIGNMENT), faults, crowd)


class _World:
    def __init__(
        self,
        seed: int,
        folder: Path,
        routers: int,
        make_store: MakeStore,
        qualified: str,
        live: str,
        unchanged: float,
        hours: Hours,
        onboarded: bool,
    ) -> None:
        self._seed = seed
        self._folder = folder
        self._open_store = make_store(folder)
        self._history = History(clock=trio.current_time)
        self._routers = [self._router(number) for number in range(routers)]
        self._daemon = SimulatedDaemon(
            folder / "data",
            self._open_store,
            lambda site: self._channels(),
            self._rng("daemon"),
            StoreDisk(self._rng("disk")),
        )
        self._air = Air()
        self._qualified = qualified
        self._live = live
        self._unchanged = unchanged
        self._hours = hours
        self._onboarded = onboarded
        self._player: Player = talker(live) if live else player() if qualified else answer
        self._healed_at = math.inf

    def _rng(self, what: str) -> random.Random:
        return random.Random(f"{self._seed} {what}")  # noqa: S311  # repeatable on purpose

    def _router(self, number: int) -> SimulatedRouter:
        rng = self._rng(f"router {number}")
        return SimulatedRouter(LABEL, ROUTER_SECRET, rng, _wall)

    def _channels(self) -> list[Channel]:
        return [
            SimulatedChannel(f"simulated router {number}", router)
            for number, router in enumerate(self._routers)
        ]

    async def run(self, workers: int, assignments: int, faults: Faults, crowd: BotPlan) -> SimulationReport:
        planned = plan_faults(faults, len(self._routers), self._rng("faults"))
        async with trio.open_nursery() as nursery:
            for router in self._routers:
                nursery.start_soon(router.serve)
            nursery.start_soon(self._daemon.serve)
            run_id = await self._launch(assignments)
            links = await self._links(run_id, workers)
            nursery.start_soon(self._break, faults, planned, run_id)
            with trio.move_on_at(self._hours.lasts_s):
                await self._work(links, crowd)
                await self._delivered()
            nursery.cancel_scope.cancel()
        return await self._report(run_id, planned)

    async def _launch(self, assignments: int) -> RunId:
        task = self._folder / "task"
        task.mkdir()
        text = TASK.format(
            label=LABEL,
            blueprint=BLUEPRINTS.get(self._live, "mock"),
            options=OPTIONS.get(self._live, ""),
            assignments=assignments,
            units_per_assignment=UNITS_PER_ASSIGNMENT,
            limits=self._hours.limits,
        )
        if self._live == ECHO:
            text += LIVE_ONBOARDING if self._onboarded else ""
            (task / "task.py").write_text(LIVE_CODE)
        if self._qualified:
            head, _, sections = SECTIONS[self._qualified].partition("[")
            text = f"{head}{text}allowed_concurrent = 1\n[{sections}"
            (task / "task.py").write_text(CODE + SPECIAL[self._qualified])
        (task / "task.toml").write_text(text)
        operator = await self._daemon.present()
        if self._qualified:
            await operator.storage.ensure_qualifications({"seen": "", BANNED: ""}, operator.wall())
        return (await operator.launch(task, {}, "simulated launch", "staff:simulation")).id

    async def _links(self, run_id: RunId, workers: int) -> list[str]:
        names = [f"worker-{number}" for number in range(workers)]
        operator = await self._daemon.present()
        while (live := operator.live(run_id)) is None or live.address is None:  # noqa: ASYNC110  # it tells nobody
            await trio.sleep(0.1)
        return [url for _, url in await operator.links(run_id, names)]

    async def _break(self, faults: Faults, planned: Sequence[Planned], run_id: RunId) -> None:
        staff = Meddler(self._daemon, run_id, self._rng("staff"))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(go_wrong, faults, planned, Targets(self._routers, self._daemon, self._air))
            if self._qualified:
                nursery.start_soon(staff.meddle, faults.over_s)
        self._healed_at = trio.current_time() + self._hours.healed_s
        if self._qualified:
            await staff.forgive()

    async def _work(self, links: Sequence[str], crowd: BotPlan) -> None:
        async with trio.open_nursery() as nursery:
            for number, link in enumerate(links):
                nursery.start_soon(self._worker, number, link, crowd)

    async def _delivered(self) -> None:
        """Whoever went home last may have been promised what the daemon does not have yet."""
        while any(router.disk.spool.kept for router in self._routers):  # noqa: ASYNC110  # it tells nobody
            await trio.sleep(0.1)

    async def _worker(self, number: int, link: str, crowd: BotPlan) -> None:
        rng = self._rng(f"worker {number}")
        router = self._routers[number % len(self._routers)]
        ip = f"10.0.{number // 256}.{number % 256}"
        network = self._rng(f"network {number}")
        wall = _wall if self._rng(f"browser {number}").random() < self._unchanged else None
        doors = SimulatedDoors(PageAddress(link), router, self._air, ip, network, crowdd_client=wall is None)
        await trio.sleep(rng.uniform(0, crowd.arrive_s))
        await Bot(f"worker-{number}", doors, self._player, crowd, self._history, rng, wall).run()

    async def _report(self, run_id: RunId, planned: Sequence[Planned]) -> SimulationReport:
        lasted_s = trio.current_time()
        async with self._open_store() as storage:
            facts = await read_facts(storage, run_id)
        answer_s = SLOW_ANSWER_S if self._qualified else self._hours.answer_s
        violations = check_history(
            self._history.entries, facts, DAEMON_TABLES, healed_at=self._healed_at, answer_s=answer_s
        )
        violations += live_faults(self._live, facts) if self._live else ()
        return SimulationReport(self._history.entries, facts, violations, planned, lasted_s)


def _wall() -> float:
    return simulated_wall().timestamp()
