"""The campaign of kills: daemon, router and browsers die at random while work goes on, again and again.

Now and then the router only stands still for a while.

A scene lives through its cycles, comes to rest and is checked as a whole. Scenes go on side by side.
"""

import random
import re
import shutil
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

import attrs
import trio

from ...storage.opening import open_storage
from ..history import Entry, Invoke, Operation
from .crowd import Browsers, count_kept, count_operations, count_waited
from .cycles import BROWSERS, DAEMON, ROUTER, Cycle, ScenePlan, plan_scenes
from .findings import CampaignResult, Finding, Plan, Progress
from .parts import NotReady, Part
from .scene import DATABASE, Scene, SceneBroken, open_scene
from .staff import Staff
from .tasks import ECHO, PAIRS, TESTED
from .zygote import Zygote, start_zygote

CAMPAIGN = "kills"
TASKS = {TESTED: (400, 6), ECHO: (300, 3), PAIRS: (200, 4)}
"""Rows and workers: more work than a scene does."""
PROCESSES = 2  # of browsers
ANSWER_S = 30.0  # from a strike to somebody's next answer, on a machine that is busy
REST_S = 40.0  # from the last start to the last worker's way home
PLANTED_REST_S = 10.0  # the same where a fault is planted: who is not answered then shows it
STOP_S = 30.0  # of the daemon, in the end
LOOK_S = 0.004
LAST_WORDS = 1500  # of a log, in a finding
KILLED = -9
KEPT = "kept by a router while the daemon was away"
STOOD_STILL = "the router stood still (SIGSTOP) {} times"
WAITED = "waited for a router that stood still"


_NEXT_LINE = re.compile(r"^\d{4}-\d\d-\d\dT", re.MULTILINE)
"""How a line of a log begins that is no part of a traceback."""


@attrs.define
class _Tally:
    """What all scenes together did and found."""

    cycles: int = 0
    operations: Counter[str] = attrs.Factory(Counter[str])
    violations: list[Finding] = attrs.Factory(list[Finding])
    first_answers_ms: list[float] = attrs.Factory(list[float])
    strikes: Counter[str] = attrs.Factory(Counter[str])
    halts: int = 0


async def run(plan: Plan, tell: Progress) -> CampaignResult:
    """Carry the campaign out; nothing that it started is left behind, however it ends."""
    began, tally = time.monotonic(), _Tally()
    scenes = iter(plan_scenes(plan.seed, plan.cycles, plan.real))
    async with trio.open_nursery() as nursery:
        for _ in range(plan.lanes):
            nursery.start_soon(_serve_lane, plan, scenes, tally, partial(_tell, tell, plan, tally))
    struck = ", ".join(f"{victim} {count} times" for victim, count in sorted(tally.strikes.items()))
    notes = [
        f"killed: {struck}",
        STOOD_STILL.format(tally.halts),
        f"{plan.real} cycles started what had died by exec, the others by fork",
    ]
    return CampaignResult(
        CAMPAIGN,
        tally.cycles,
        dict(sorted(tally.operations.items())),
        tally.violations,
        tally.first_answers_ms,
        notes,
        time.monotonic() - began,
    )


def _tell(tell: Progress, plan: Plan, tally: _Tally) -> None:
    tell(CAMPAIGN, tally.cycles, plan.cycles, f"{len(tally.violations)} violations")


async def _serve_lane(
    plan: Plan, scenes: Iterator[ScenePlan], tally: _Tally, tell: Callable[[], None]
) -> None:
    """Play one scene after the other with a zygote of its own. After a planted fault is found: no more."""
    zygote = start_zygote()
    try:
        for scene in scenes:
            if not (plan.plant and tally.violations):
                await _play(plan, scene, zygote, tally, tell)
    finally:
        zygote.close()


async def _play(
    plan: Plan, planned: ScenePlan, zygote: Zygote, tally: _Tally, tell: Callable[[], None]
) -> None:
    folder = plan.folder / f"s{planned.seed}"
    played = _Played(planned, tally, tell, PLANTED_REST_S if plan.plant else REST_S)
    async with open_scene(folder, zygote, mutant=plan.plant) as scene:
        words = await played.play(scene, zygote)
    repeat = f"crowdd certify --seed {planned.seed} --cycles {len(planned.cycles)}"
    repeat += f" --plant '{plan.plant}'" if plan.plant else ""
    tally.violations += [Finding(CAMPAIGN, f"scene {planned.seed}: {one}", repeat) for one in words]
    tell()
    if not words:
        await trio.to_thread.run_sync(shutil.rmtree, folder)


class _Played:
    """One scene, from its first start to what is wrong with it."""

    def __init__(self, planned: ScenePlan, tally: _Tally, tell: Callable[[], None], rest_s: float) -> None:
        self._rest_s = rest_s
        self._planned = planned
        self._tally = tally
        self._tell = tell
        self._rng = random.Random(f"{planned.seed} scene")  # noqa: S311  # repeatable on purpose
        self._wrong: list[str] = []
        self._away: list[tuple[float, float]] = []
        """From when to when there was no daemon."""
        self._halts: list[tuple[float, float]] = []
        """From when to when the router stood still."""

    async def play(self, scene: Scene, zygote: Zygote) -> list[str]:
        """What went wrong, in words."""
        try:
            await scene.set_up(TASKS)
            browsers = self._crowds(scene, zygote)
            staff = Staff(scene, self._rng)
            async with _ended(browsers):
                await self._live_through(scene, browsers, staff)
                await self._come_to_rest(scene, browsers, staff)
            entries = [entry for each in browsers for entry in each.entries()]
            self._tally.operations.update({**count_operations(entries)})
            self._tally.operations.update(staff.counts())
            self._tally.operations[KEPT] += count_kept(entries, self._away)
            self._tally.operations[WAITED] += count_waited(entries, self._halts)
            self._wrong += await self._judge(scene, staff, entries)
        except (SceneBroken, NotReady) as exc:
            self._wrong.append(str(exc))
        return [*self._wrong, *_tracebacks(scene.daemon, scene.router)]

    def _crowds(self, scene: Scene, zygote: Zygote) -> list[Browsers]:
        """Each process has its share of every run's workers."""
        return [
            Browsers(
                scene.folder,
                zygote,
                f"b{number}.",
                {run.label: run.links[number::PROCESSES] for run in scene.runs},
                self._planned.seed,
            )
            for number in range(PROCESSES)
        ]

    async def _live_through(self, scene: Scene, browsers: Sequence[Browsers], staff: Staff) -> None:
        for each in browsers:
            await each.part.start()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(staff.work)
            struck_at = time.monotonic()
            for cycle in self._planned.cycles:
                struck_at = await self._cycle(scene, browsers, cycle, struck_at)
                self._tally.cycles += 1
            self._tell()
            nursery.cancel_scope.cancel()

    async def _cycle(
        self, scene: Scene, browsers: Sequence[Browsers], cycle: Cycle, struck_at: float
    ) -> float:
        """One cycle; returns when what died was started again, and the router goes on."""
        if cycle.answered:
            await self._answered(browsers, struck_at)
        if cycle.halted_s:
            async with self._halted(scene.router, cycle.halted_s):
                await self._strikes(scene, browsers, cycle)
            return time.monotonic()
        return await self._strikes(scene, browsers, cycle)

    @asynccontextmanager
    async def _halted(self, router: Part, for_s: float) -> AsyncGenerator[None]:
        """The router stands still from here on, and goes on after so long: no sooner than the block ends."""
        self._tally.halts += 1
        since, until = time.monotonic(), trio.current_time() + for_s
        router.halt()
        yield
        await trio.sleep_until(until)
        self._halts.append((since, time.monotonic()))
        router.go_on()

    async def _strikes(self, scene: Scene, browsers: Sequence[Browsers], cycle: Cycle) -> float:
        """What is killed, and started again; returns when it was."""
        began = trio.current_time()
        dead: list[Part] = []
        away_since: float | None = None
        for strike in cycle.strikes:
            await trio.sleep_until(began + strike.after_s)
            dead.append(await self._strike(scene, browsers, strike.victim))
            away_since = time.monotonic() if strike.victim == DAEMON else away_since
        started_at = time.monotonic()
        if away_since is not None:
            self._away.append((away_since, started_at))
        for part in dead:
            await part.start(real=cycle.real, wait=False)
        return started_at

    async def _answered(self, browsers: Sequence[Browsers], struck_at: float) -> None:
        """Wait until somebody was answered with yes after the strike."""
        with trio.move_on_after(ANSWER_S):
            while True:
                for each in browsers:
                    if at := [at for at in each.new_answers() if at > struck_at]:
                        self._tally.first_answers_ms.append(1000 * (min(at) - struck_at))
                        return
                await trio.sleep(LOOK_S)
        raise SceneBroken(f"nobody was answered for {ANSWER_S:g} s")

    async def _strike(self, scene: Scene, browsers: Sequence[Browsers], victim: str) -> Part:
        self._tally.strikes[victim] += 1
        if victim == BROWSERS:
            struck = self._rng.choice(browsers)
            self._note_end(struck.part, await struck.kill())
            return struck.part
        part = {DAEMON: scene.daemon, ROUTER: scene.router}[victim]
        self._note_end(part, await part.kill())
        return part

    def _note_end(self, part: Part, status: int) -> None:
        if status != KILLED:
            self._wrong.append(f"{part.name} ended by itself with {status}: {part.log[-LAST_WORDS:]}")

    async def _come_to_rest(self, scene: Scene, browsers: Sequence[Browsers], staff: Staff) -> None:
        """Nothing is killed any more: everybody is answered, finishes and goes home; the daemon stops."""
        await scene.daemon.until_ready()
        await scene.router.until_ready()
        await staff.leave()
        for run in scene.runs:
            await scene.until_served(run.label)
        await staff.end()
        with trio.move_on_after(self._rest_s) as resting:
            for each in browsers:
                if (status := await each.part.wait()) != 0:
                    self._wrong.append(f"{each.part.name} ended with {status}: {each.part.log[-LAST_WORDS:]}")
        if resting.cancelled_caught:
            self._wrong.append(f"after {self._rest_s:g} s of peace workers were still waiting for answers")
        with trio.move_on_after(STOP_S) as stopping:
            scene.daemon.terminate()
            if (status := await scene.daemon.wait()) != 0:
                self._wrong.append(f"the daemon stopped with {status}: {scene.daemon.log[-LAST_WORDS:]}")
        if stopping.cancelled_caught:
            self._wrong.append(f"the daemon did not stop within {STOP_S:g} s")
            await scene.daemon.kill()

    async def _judge(self, scene: Scene, staff: Staff, entries: Sequence[Entry]) -> list[str]:
        wrong = await scene.check(entries)
        async with open_storage(scene.data / DATABASE) as storage:
            wrong += await staff.wrong(storage)
        if not any(isinstance(entry, Invoke) and entry.operation is Operation.SUBMIT for entry in entries):
            wrong.append("nothing was submitted: this scene shows nothing")
        return wrong


@asynccontextmanager
async def _ended(browsers: Sequence[Browsers]) -> AsyncGenerator[None]:
    try:
        yield
    finally:
        with trio.CancelScope(shield=True):
            for each in browsers:
                if each.part.is_running:
                    await each.kill()


def _tracebacks(*parts: Part) -> list[str]:
    """A program that is killed says nothing; one that met what it did not expect does."""
    found: list[str] = []
    for part in parts:
        before, traced, words = part.log.partition("Traceback (most recent call last)")
        if traced:
            said = before.splitlines()[-2:]
            ends = _NEXT_LINE.search(words)
            end = words[: ends.start()] if ends else words
            found.append(f"{part.name} logged a traceback: {' '.join(said)} ... {end[-LAST_WORDS:]}")
    return found
