"""Relays with one planted bug each under talking pages: the checker must name every bug, and no other."""

import random
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import attrs
import pytest
import trio
from trio.testing import MockClock

from crowdd.protocol.names import AgentId
from crowdd.storage.records import Agent, LiveUpdate
from crowdd.testing.checker import Rule, check_history
from crowdd.testing.facts import StoreFacts
from crowdd.testing.history import History, Saw, Spoke
from crowdd.testing.live_model import LiveModel, ModelDoors
from crowdd.testing.tab import Tab
from crowdd.testing.tables import DAEMON_TABLES

PAGES = 2
WORDS = 20
SOCKET_S = 5.0
RELOADS = 3


@attrs.frozen
class Talk:
    """What came of it."""

    history: History
    facts: StoreFacts

    def rules(self) -> set[Rule]:
        return {one.rule for one in check_history(self.history.entries, self.facts, DAEMON_TABLES)}


async def _talk(
    make: Callable[[int], LiveModel], seed: int = 1, unchanged: bool = False, cuts: bool = True
) -> Talk:
    """Two workers say twenty things each; sockets break and pages are loaded anew meanwhile."""
    model, history = make(PAGES), History(clock=trio.current_time)
    async with trio.open_nursery() as nursery:
        async with trio.open_nursery() as workers:
            for agent in model.agents:
                rng = random.Random(f"{seed} {agent.id}")
                doors = ModelDoors(model, agent, rng, SOCKET_S if cuts else float("inf"))
                wall = trio.current_time if unchanged else None
                tab = Tab(f"worker-{agent.id}", agent.wire_id, doors, history, rng, lambda _: None, wall)
                workers.start_soon(partial(_work, model, agent, tab, doors, rng, nursery))
        nursery.cancel_scope.cancel()
    return Talk(history, model.facts())


async def _work(
    model: LiveModel, agent: Agent, tab: Tab, doors: ModelDoors, rng: random.Random, nursery: trio.Nursery
) -> None:
    tab.load(model.past(agent.id))
    nursery.start_soon(tab.serve)
    for n in range(WORDS):
        await tab.player.send({"n": n})
        await trio.sleep(rng.expovariate(2))
        if n % (WORDS // RELOADS) == 3 and doors.socket_s < float("inf"):
            tab.load(model.past(agent.id))
    doors.socket_s = float("inf")
    await trio.sleep(120)


@pytest.mark.parametrize("seed", range(10))
async def test_a_right_relay_is_found_right_over_cuts_and_reloads(
    seed: int, autojump_clock: MockClock
) -> None:
    talk = await _talk(LiveModel, seed)
    assert talk.rules() == set()
    assert sum(not update.outgoing for update in talk.facts.updates) == PAGES * WORDS
    loads = {entry.load for entry in talk.history.entries if isinstance(entry, Saw)}
    assert len(loads) > PAGES


@pytest.mark.parametrize("seed", range(10))
async def test_what_unchanged_pages_lose_and_turn_around_is_no_fault(
    seed: int, autojump_clock: MockClock
) -> None:
    talk = await _talk(LiveModel, seed, unchanged=True)
    assert talk.rules() == set()
    said = {entry.update_id for entry in talk.history.entries if isinstance(entry, Spoke)}
    assert 0 < len(said) <= PAGES * WORDS


class DropsWhatItWasTold(LiveModel):
    """Says "stored" and has not stored the tenth update."""

    def take(self, agent: AgentId, page: str, number: int, data: Mapping[str, Any]) -> None:
        if data["n"] != 10:
            super().take(agent, page, number, data)

    def last(self, agent: AgentId, page: str) -> int:
        return super().last(agent, page) + (10 in {entry.update["n"] for entry in self.of(agent, False)})

    def hear(self, agent: AgentId, packet: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        yield from super().hear(agent, packet)
        data = packet.get("data", {})
        if data.get("n") == 10:
            yield self.told("ack", {"page": packet["page"], "number": packet["number"]})


class StoresTwice(LiveModel):
    """What is sent again under another number is stored again."""

    def take(self, agent: AgentId, page: str, number: int, data: Mapping[str, Any]) -> None:
        super().take(agent, page, number, data)
        if data["n"] == 10:
            self.add(agent, False, f"{data['update_id']}-again", page, number, {"n": 10})


class StoresOutOfOrder(LiveModel):
    """Two updates that follow each other change places."""

    def take(self, agent: AgentId, page: str, number: int, data: Mapping[str, Any]) -> None:
        super().take(agent, page, number, data)
        if data["n"] == 11:
            *_, one, two = self.of(agent, False)
            turned = [attrs.evolve(two, number=one.number), attrs.evolve(one, number=two.number)]
            self.updates = [update for update in self.updates if update not in (one, two)] + turned


class StoresOtherWords(LiveModel):
    """One update is stored in other words."""

    def add(
        self,
        agent: AgentId,
        outgoing: bool,
        update_id: str,
        page: str,
        page_number: int,
        data: Mapping[str, Any],
    ) -> LiveUpdate:
        other = {"n": -1} if data["n"] == 10 and not outgoing else data
        return super().add(agent, outgoing, update_id, page, page_number, other)


class InventsWords(LiveModel):
    """User code is given what nobody said."""

    def take(self, agent: AgentId, page: str, number: int, data: Mapping[str, Any]) -> None:
        super().take(agent, page, number, data)
        if data["n"] == 10:
            self.add(agent, False, "nobody's", "", 0, {"n": 10})


class CountsWrong(LiveModel):
    """A number is left out in the store."""

    def send(self, agent: AgentId, data: Mapping[str, Any]) -> None:
        super().send(agent, data)
        if data["n"] == WORDS - 1:
            self.updates[-1] = attrs.evolve(self.updates[-1], number=self.updates[-1].number + 1)


class TellsOtherWords(LiveModel):
    """A page is told something else than what is stored."""

    def packet(self, update: LiveUpdate) -> dict[str, Any]:
        packet = super().packet(update)
        return {**packet, "data": {**packet["data"], "n": -1}} if update.number == 10 else packet


class TellsUnderAWrongNumber(LiveModel):
    """Two updates change places on their way to the page."""

    def packet(self, update: LiveUpdate) -> dict[str, Any]:
        packet = super().packet(update)
        return {**packet, "number": {10: 11, 11: 10}.get(update.number, update.number)}


class TellsBeforeItStores(LiveModel):
    """A page is told what is lost before it is stored."""

    def send(self, agent: AgentId, data: Mapping[str, Any]) -> None:
        super().send(agent, data)
        if data["n"] == WORDS - 1:
            self.updates.pop()


class ForgetsThePast(LiveModel):
    """A page load is told that it has seen all, and the past is left out."""

    def past(self, agent: AgentId) -> dict[str, Any]:
        past = super().past(agent)
        return {**past, "init_task_data": {"past_live_updates": []}}


MUTANTS = [
    DropsWhatItWasTold,
    StoresTwice,
    StoresOutOfOrder,
    StoresOtherWords,
    InventsWords,
    CountsWrong,
    TellsOtherWords,
    TellsUnderAWrongNumber,
    TellsBeforeItStores,
    ForgetsThePast,
]


@pytest.mark.parametrize("mutant", MUTANTS)
async def test_every_planted_bug_is_found(mutant: type[LiveModel], autojump_clock: MockClock) -> None:
    assert (await _talk(mutant)).rules() == {Rule.STREAM}


class StoresUnchangedTwice(LiveModel):
    """What an unchanged page said is stored a second time, under its own id made new."""

    def take(self, agent: AgentId, page: str, number: int, data: Mapping[str, Any]) -> None:
        super().take(agent, page, number, data)
        if data["n"] == 5:
            super().take(agent, page, number, {**data, "update_id": f"{data['update_id']}-again"})


class TellsUnchangedOutOfOrder(LiveModel):
    """Two updates change places on their way to an unchanged page."""

    def packet(self, update: LiveUpdate) -> dict[str, Any]:
        turned = {5: 6, 6: 5}.get(update.number, update.number)
        return super().packet(attrs.evolve(update, update_id=f"{update.agent_id}.{turned}"))


@pytest.mark.parametrize(
    "mutant", [StoresUnchangedTwice, StoresOtherWords, TellsOtherWords, TellsUnchangedOutOfOrder]
)
async def test_bugs_under_unchanged_pages_are_found(
    mutant: type[LiveModel], autojump_clock: MockClock
) -> None:
    assert (await _talk(mutant, unchanged=True, cuts=False)).rules() == {Rule.STREAM}


async def test_words_that_a_submission_leaves_behind_are_found(autojump_clock: MockClock) -> None:
    """The page was told nothing, yet its answer was taken: crowdd.js waits for its words to be stored."""
    talk = await _talk(LiveModel)
    agent = talk.facts.agents[0]
    lost = [
        one
        for one in talk.facts.updates
        if one.agent_id != agent.id or one.outgoing or one.update["n"] < WORDS - 1
    ]
    assert Talk(talk.history, attrs.evolve(talk.facts, updates=lost)).rules() == {Rule.STREAM}
