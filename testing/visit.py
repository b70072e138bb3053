"""A simulated worker's time at one agent: what it is told, whom it waits for, how it comes and goes."""

import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

import trio

from ..protocol.names import LIVE_AGENT, ONBOARDING_PREFIX, AgentStatus, Reason
from .asking import Asker
from .history import History, agent_key
from .players import Play
from .tab import Tab
from .verdicts import Answered, Verdict

ASK_AGAIN_S = 20.0  # how often a waiting page registers anew, to learn how long it still takes
POLL_S = 10.0  # and how often one that was told of a pause
RELOAD_S = 5.0  # somebody notices that the page is dead, and loads it again


class Visit:
    """From what a registration gave to an end, by us or by the other side: then `ended` is set."""

    def __init__(self, name: str, given: Answered, after: str, asker: Asker, history: History) -> None:
        self.agent = given.agent_id
        self.given = given
        self.after = after
        self.ended = trio.Event()
        self.saving = False
        """From here on the answer counts, whatever the socket says."""
        self.answer: Any = {}
        """What the worker submits of a live onboarding."""
        self._name = name
        self._asker = asker
        self._history = history
        self._begun = trio.Event()
        self._paused = trio.Event()
        self._is_paused = False
        self._note(given.status)

    def told(self, data: Mapping[str, Any]) -> None:
        """The page is told its agent's status."""
        status = AgentStatus(data["status"])
        self._history.told(self._name, agent_key(self.agent), status)
        self._note(status.value)
        # Without a reason a disconnect is a pause, too: a router that was restarted knows none.
        paused = status is AgentStatus.DISCONNECT and data.get("reason") in (None, Reason.SHUTDOWN.value)
        if paused:
            self._is_paused = True
            self._paused.set()
        elif (status not in LIVE_AGENT or self._is_over(status)) and not self.saving:
            self.ended.set()

    def _is_over(self, status: AgentStatus) -> bool:
        """Whether the task's code ended an onboarding: the page submits it then."""
        return status is AgentStatus.WAITING and self.agent.startswith(ONBOARDING_PREFIX)

    async def begun(self, tab: Tab, registers: bool) -> None:
        """Wait until the work has begun, as members of a group do."""
        while not self._begun.is_set():
            with trio.move_on_after(ASK_AGAIN_S):
                await self._begun.wait()
            if registers and not self._begun.is_set():
                await self._refresh(tab)

    async def come_back(self, tab: Tab | None) -> bool:
        """Load the page again; whether it still shows this agent at work."""
        if not await self._is_shown():
            return False
        if tab is not None:
            tab.load(self.given.told)
        return True

    async def play(
        self, play: Play, tab: Tab, rng: random.Random, meanwhile: Callable[[], Awaitable[bool]]
    ) -> Any:
        """The answer that the player comes to; `meanwhile` says whether the worker stayed."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._live_through, meanwhile)
            nursery.start_soon(self._keep_alive, tab)
            nursery.start_soon(self._resume, tab)
            answer = await play(tab.player, task_data(self.given), rng)
            await tab.emptied()
            nursery.cancel_scope.cancel()
            return answer
        raise AssertionError

    async def _live_through(self, meanwhile: Callable[[], Awaitable[bool]]) -> None:
        if not await meanwhile():
            self.ended.set()

    async def _keep_alive(self, tab: Tab) -> None:
        """A page that gave up is loaded again by the person before it."""
        while True:
            await tab.dead.wait()
            await trio.sleep(RELOAD_S)
            if not await self.come_back(tab):
                await self._end()

    async def _resume(self, tab: Tab) -> None:
        """After a pause of the service the agent has to come back before it may go on."""
        while True:
            await self._paused.wait()
            await trio.sleep(POLL_S)
            if self._is_paused:
                await self._refresh(tab)
            else:
                self._paused = trio.Event()

    async def _refresh(self, tab: Tab) -> None:
        if not await self._is_shown():
            await self._end()
        tab.refresh(self.given.told)

    async def _end(self) -> None:
        self.ended.set()
        await trio.sleep_forever()

    async def _is_shown(self) -> bool:
        shown = await self._asker.register(self.after)
        if shown.verdict is not Verdict.OK or shown.finished or shown.agent_id != self.agent:
            return False
        self.given = shown
        self._note(shown.status)
        return True

    def _note(self, status: str) -> None:
        if status in _AT_WORK:
            self._begun.set()
            self._is_paused = False


_AT_WORK = {AgentStatus.IN_TASK.value, AgentStatus.ONBOARDING.value}


def task_data(given: Answered) -> Any:
    """What the task gives for the unit: in live work it stands beside what was said before."""
    data: Any = given.told.get("init_task_data")
    if not isinstance(data, dict):
        return data
    fields = cast(dict[str, Any], data)
    is_live = any(isinstance(fields.get(name), list) for name in ("past_live_updates", "previous_requests"))
    return fields.get("task_data") if is_live else fields
