"""One simulated worker: registers, thinks, answers, dawdles, and writes down all it does and is told."""

import math
import random
from collections.abc import Mapping
from functools import partial
from typing import Any

import attrs
import trio

from ..protocol.names import LIVE_AGENT, ONBOARDING_PREFIX, AgentStatus, Reason
from .asking import Asker, WentHome
from .doors import Doors
from .history import History, agent_key
from .listening import keep_socket
from .players import Player, TaskPlayer
from .verdicts import Answered, Verdict

AWAY_THINKS = 10  # who goes away comes back after so many think times
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
    error: float = 0.0
    """Its page reports an error."""
    socket: float = 1.0
    """Its page holds a websocket, as pages do unless their task says otherwise."""
    metadata: float = 0.2
    """Says something beside the answer."""
    no_work_tries_max: int = 5
    """After so many refusals in a row a worker goes home."""
    unreachable_s_max: float = 30.0
    """A worker gives up on a router that cannot be reached for so long."""


class Bot:
    """One worker with one personal link, unit after unit."""

    def __init__(
        self, name: str, doors: Doors, player: Player, plan: BotPlan, history: History, rng: random.Random
    ) -> None:
        self.name = name
        self._doors = doors
        self._player = player
        self._plan = plan
        self._history = history
        self._rng = rng
        # Of its own, or what a worker does would depend on how often its network failed.
        self._network_rng = random.Random(rng.getrandbits(64))  # noqa: S311  # repeatable on purpose
        self._asker = Asker(name, doors, history, self._network_rng, plan.unreachable_s_max)
        self._refusals = 0
        self._saving = False

    async def run(self) -> None:
        """Work until the run is over, there is nothing to do for this worker, or nobody answers."""
        after = ""
        try:
            while True:
                after = await self._round(after)
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
        return answered.agent_id

    async def _onboarded(self, given: Answered, after: str) -> Answered:
        """What came of the onboarding: the first unit, or a refusal; the same again for who was away."""
        await trio.sleep(self._think_s())
        if self._happens(self._plan.give_back):
            await self._asker.give_back(given.agent_id, after)
            return await self._asker.register(after)
        if self._happens(self._plan.abandon):
            await trio.sleep(AWAY_THINKS * self._think_s())
            return await self._asker.register(after)
        player, data = self._player, given.told.get("init_task_data")
        knows = player.onboarding if isinstance(player, TaskPlayer) else None
        return await self._asker.submit_onboarding(
            given.agent_id, {} if knows is None else knows(data, self._rng)
        )

    async def _refused(self, reason: str) -> None:
        self._refusals += 1
        if reason in OVER or self._refusals >= self._plan.no_work_tries_max:
            raise WentHome
        await trio.sleep(max(self._think_s(), 1.0))

    async def _work(self, given: Answered, after: str) -> None:
        """From the unit on the screen to an end of the agent, by us or by the other side."""
        ended = trio.Event()
        told = partial(self._told, given.agent_id, ended)
        async with trio.open_nursery() as nursery:
            if self._happens(self._plan.socket):
                nursery.start_soon(keep_socket, self._doors, given.agent_id, self._network_rng, told)
            nursery.start_soon(self._act, given, after, ended)
            await ended.wait()
            nursery.cancel_scope.cancel()

    async def _act(self, given: Answered, after: str, ended: trio.Event) -> None:
        agent, plan = given.agent_id, self._plan
        await trio.sleep(self._think_s())
        if self._happens(plan.error):
            error = {"error_type": "bot", "message": "a planted error", "n": self._rng.randint(0, 99)}
            await self._asker.report_error(agent, error)
        if not await self._still_there(agent, after):
            ended.set()
            return
        self._saving = True  # from here on the answer counts, whatever the socket says
        if self._happens(plan.give_back):
            await self._asker.give_back(agent, after)
        else:
            await self._answer(agent, given.told.get("init_task_data"), after)
        self._saving = False
        ended.set()

    async def _still_there(self, agent: str, after: str) -> bool:
        """Leave or reload, perhaps; whether the page then still shows this agent at work."""
        if self._happens(self._plan.abandon):
            await trio.sleep(AWAY_THINKS * self._think_s())
        elif not self._happens(self._plan.reload):
            return True
        shown = await self._asker.register(after)
        return shown.verdict is Verdict.OK and not shown.finished and shown.agent_id == agent

    async def _answer(self, agent: str, data: Any, after: str) -> None:
        if self._happens(self._plan.metadata):
            line = {"n": 1, "data": {"hesitated": self._rng.random() < 0.5}}
            await self._asker.say(agent, {"log": line}, after)
        answer = self._player(data, self._rng)
        async with trio.open_nursery() as nursery:
            for _ in range(2 if self._happens(self._plan.double) else 1):
                nursery.start_soon(self._asker.submit, agent, answer, after)
        if self._happens(self._plan.metadata):
            difficulty = self._rng.choice(["easy", "fine", "hard"])
            await self._asker.say(agent, {"post_task": {"difficulty": difficulty}}, after)

    def _told(self, agent: str, ended: trio.Event, data: Mapping[str, Any]) -> None:
        status = AgentStatus(data["status"])
        self._history.told(self.name, agent_key(agent), status)
        # Without a reason a disconnect is a pause, too: a router that was restarted knows none.
        paused = status is AgentStatus.DISCONNECT and data.get("reason") in (None, Reason.SHUTDOWN.value)
        if status not in LIVE_AGENT and not paused and not self._saving:
            ended.set()

    def _happens(self, probability: float) -> bool:
        return self._rng.random() < probability

    def _think_s(self) -> float:
        if self._plan.think_s <= 0:
            return 0.0
        middle = math.log(self._plan.think_s) - THINK_SPREAD**2 / 2
        return self._rng.lognormvariate(middle, THINK_SPREAD)
