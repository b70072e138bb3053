"""One simulated worker: registers, thinks, answers, dawdles, and writes down all it does and is told."""

import math
import random
from collections.abc import Callable
from typing import Any

import attrs
import trio

from ..protocol.names import ONBOARDING_PREFIX, Reason
from .asking import PAUSE_S_MAX, Asker, WentHome
from .doors import Doors
from .history import History
from .players import Play, Player, TaskPlayer
from .tab import Tab
from .verdicts import Answered, Verdict
from .visit import Visit, task_data

AWAY_THINKS = 10  # who goes away comes back after so many think times
FILE_BYTES = 2000  # of a file that a worker adds
THINK_SPREAD = 0.5  # sigma of the log-normal: one in twenty takes more than twice as long
OVER = {
    Reason.RUN_ENDED.value,
    Reason.MAX_FOR_TASK.value,
    Reason.IDENTITY_UNVERIFIED.value,
    Reason.BLOCKED.value,
    "not_found",  # the router knows nothing of the run (any more)
}
"""Refusals after which asking again is pointless."""


@attrs.frozen
class BotPlan:
    """How the workers of a crowd behave. Probabilities are per unit."""

    workers: int = 1
    seed: int = 0
    arrive_s: float = 1.0
    """Workers come within so long; a crowd does not come at one instant."""
    think_s: float = 2.0
    """Mean of the time a worker looks at a unit; log-normal, as people's are."""
    abandon: float = 0.0
    """Leaves without an answer and comes back much later."""
    reload: float = 0.0
    """Loads the page again before answering."""
    give_back: float = 0.0
    double: float = 0.0
    """Presses "Save" twice."""
    files: float = 0.0
    """Adds a file to the answer."""
    error: float = 0.0
    """Its page reports an error."""
    socket: float = 1.0
    """Its page holds a websocket, as pages do unless their task says otherwise; live ones always do."""
    metadata: float = 0.2
    """Says something beside the answer."""
    no_work_tries_max: int = 5
    """After so many refusals in a row a worker goes home."""
    unreachable_s_max: float = 30.0
    """A worker gives up on a router that cannot be reached for so long."""
    pause_s_max: float = PAUSE_S_MAX
    """The longest pause of a page between two tries, unless it is told how long to wait."""
    haste: float = 1.0
    """How many times sooner than crowdd.js its page asks again, and connects again."""


class Memory:
    """What a browser keeps of a worker when its page is gone; another one may keep it on disk."""

    after = ""
    """The agent that the page has finished last."""

    def finish(self, agent: str) -> None:
        """The page goes on after this agent."""
        self.after = agent


class Bot:
    """One worker with one personal link, unit after unit."""

    def __init__(
        self,
        name: str,
        doors: Doors,
        player: Player,
        plan: BotPlan,
        history: History,
        rng: random.Random,
        wall: Callable[[], float] | None = None,
        memory: Memory | None = None,
    ) -> None:
        """With `wall`, the browser's clock, its page is one of mephisto-task: good for one unit."""
        self.name = name
        self._doors = doors
        self._player = player
        self._plan = plan
        self._history = history
        self._rng = rng
        # Of its own, or what a worker does would depend on how often its network failed.
        self._network_rng = random.Random(rng.getrandbits(64))  # noqa: S311  # repeatable on purpose
        self._asker = Asker(
            name, doors, history, self._network_rng, plan.unreachable_s_max, plan.pause_s_max, plan.haste
        )
        self._memory = memory or Memory()
        self._wall = wall
        self._refusals = 0
        known = player if isinstance(player, TaskPlayer) else TaskPlayer(player)
        self._play, self._play_onboarding = known.play, known.play_onboarding
        self._onboarding = known.onboarding

    async def run(self) -> None:
        """Work until the run is over, there is nothing to do for this worker, or nobody answers."""
        try:
            while True:
                self._memory.finish(await self._round(self._memory.after))
        except* WentHome:
            pass

    async def _round(self, after: str) -> str:
        """One unit, or one refusal; returns the agent that is finished now."""
        answered = await self._asker.register(after)
        while answered.agent_id.startswith(ONBOARDING_PREFIX) and not answered.finished:
            onboarding = answered.agent_id
            answered = await self._onboarded(answered, after)
            after = onboarding if answered.verdict is Verdict.REFUSED else after
        if answered.verdict is Verdict.REFUSED:
            await self._refused(answered.reason)
            return after
        self._refusals = 0
        if not answered.finished:
            await self._work(answered, after)
        if self._wall is not None:
            raise WentHome
        return answered.agent_id

    async def _onboarded(self, given: Answered, after: str) -> Answered:
        """What came of the onboarding: the first unit, or a refusal; the same again for who was away."""
        if self._play_onboarding is None:  # else the page is there from the beginning, for code to talk with
            await trio.sleep(self._think_s())
        if self._happens(self._plan.give_back):
            await self._asker.give_back(given.agent_id, after)
            return await self._asker.register(after)
        if self._happens(self._plan.abandon):
            await trio.sleep(AWAY_THINKS * self._think_s())
            return await self._asker.register(after)
        return await self._asker.submit_onboarding(given.agent_id, await self._introduced(given, after))

    async def _introduced(self, given: Answered, after: str) -> Any:
        """What the worker says in the onboarding; nothing where the task's code ended it, as pages do."""
        if self._play_onboarding is None:
            return {} if self._onboarding is None else self._onboarding(task_data(given), self._rng)
        visit = Visit(self.name, given, after, self._asker, self._history)
        tab = self._tab(visit)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(tab.serve)
            nursery.start_soon(self._introduce, self._play_onboarding, visit, tab)
            await visit.ended.wait()
            nursery.cancel_scope.cancel()
        return visit.answer

    async def _introduce(self, play: Play, visit: Visit, tab: Tab) -> None:
        visit.answer = await visit.play(play, tab, self._own_rng(), _stay)
        visit.ended.set()

    async def _refused(self, reason: str) -> None:
        self._refusals += 1
        if reason in OVER or self._refusals >= self._plan.no_work_tries_max:
            raise WentHome
        await trio.sleep(max(self._think_s(), 1.0 / self._plan.haste))

    async def _work(self, given: Answered, after: str) -> None:
        """From the unit on the screen to an end of the agent, by us or by the other side."""
        visit = Visit(self.name, given, after, self._asker, self._history)
        async with trio.open_nursery() as nursery:
            tab = self._tab(visit) if self._play or self._happens(self._plan.socket) else None
            if tab is not None:
                nursery.start_soon(tab.serve)
            nursery.start_soon(self._act, visit, tab)
            await visit.ended.wait()
            nursery.cancel_scope.cancel()

    async def _act(self, visit: Visit, tab: Tab | None) -> None:
        if self._play is not None and tab is not None:
            await visit.begun(tab, registers=self._wall is None)
        await trio.sleep(self._think_s())
        if self._happens(self._plan.error):
            error = {"error_type": "bot", "message": "a planted error", "n": self._rng.randint(0, 99)}
            await self._asker.report_error(visit.agent, error)
        gives_back = self._happens(self._plan.give_back)
        if self._play is None or tab is None:
            if not await self._stays(visit, tab):
                visit.ended.set()
                return
            answer = None if gives_back else self._player(task_data(visit.given), self._rng)
        else:
            answer = None if gives_back else await self._played(self._play, visit, tab)
        visit.saving = True
        if gives_back:
            await self._asker.give_back(visit.agent, visit.after)
        else:
            await self._answer(visit.agent, answer, visit.after)
        visit.saving = False
        visit.ended.set()

    async def _played(self, play: Play, visit: Visit, tab: Tab) -> Any:
        rng = self._own_rng()

        async def meanwhile() -> bool:
            await trio.sleep(self._think_s())
            return await self._stays(visit, tab)

        return await visit.play(play, tab, rng, meanwhile)

    async def _stays(self, visit: Visit, tab: Tab | None) -> bool:
        """Leave or reload, perhaps; whether the page then still shows this agent at work."""
        if self._happens(self._plan.abandon):
            away_s = AWAY_THINKS * self._think_s()
            if tab is not None:
                tab.leave(away_s)
            await trio.sleep(away_s)
        elif not self._happens(self._plan.reload):
            return True
        return await visit.come_back(tab)

    async def _answer(self, agent: str, answer: Any, after: str) -> None:
        if self._happens(self._plan.metadata):
            line = {"n": 1, "data": {"hesitated": self._rng.random() < 0.5}}
            await self._asker.say(agent, {"log": line}, after)
        files = [self._rng.randbytes(FILE_BYTES)] if self._adds_file() else []
        async with trio.open_nursery() as nursery:
            for _ in range(2 if self._happens(self._plan.double) else 1):
                nursery.start_soon(self._asker.submit, agent, answer, after, files)
        if self._happens(self._plan.metadata):
            difficulty = self._rng.choice(["easy", "fine", "hard"])
            await self._asker.say(agent, {"post_task": {"difficulty": difficulty}}, after)

    def _tab(self, visit: Visit) -> Tab:
        doors, history = self._doors, self._history
        told, haste = visit.told, self._plan.haste
        tab = Tab(self.name, visit.agent, doors, history, self._network_rng, told, self._wall, haste)
        tab.load(visit.given.told)
        return tab

    def _adds_file(self) -> bool:
        return self._plan.files > 0 and self._happens(self._plan.files)

    def _own_rng(self) -> random.Random:
        """For what goes on beside other things, or its order would decide what happens."""
        return random.Random(self._rng.getrandbits(64))  # noqa: S311  # repeatable on purpose

    def _happens(self, probability: float) -> bool:
        return self._rng.random() < probability

    def _think_s(self) -> float:
        if self._plan.think_s <= 0:
            return 0.0
        middle = math.log(self._plan.think_s) - THINK_SPREAD**2 / 2
        return self._rng.lognormvariate(middle, THINK_SPREAD)


async def _stay() -> bool:
    return True
