"""Live work of the simulated world: what its code does, how its workers talk, and what the code saw.

"echo": the code sends everything back that it is given. It also asks for what a replay has to answer from
the journal: the time, chance, pauses, and the result of a function. "pairs": the blueprint `mock` relays
what one of two workers says to the other.
"""

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import aclosing, suppress
from typing import Any

import trio

from ...protocol.names import AgentStatus
from ...storage.records import LiveUpdate
from ..facts import StoreFacts
from ..player_page import NothingCame, PlayerPage
from ..players import TaskPlayer
from ..rules.case import Rule, Violation

ECHO, PAIRS = "echo", "pairs"
BLUEPRINTS = {ECHO: "talk", PAIRS: "mock"}
OPTIONS = {PAIRS: "group = 2\nwaiting.limit_s = 90\n"}
CODE = """
from crowdd.daemon.blueprints.live_contract import LiveRules
from crowdd.daemon.blueprints.mock import MockBlueprint

class Talk(MockBlueprint):
    name = "talk"

    @property
    def live(self):
        return LiveRules(grace_s=60)

    def play(self, kind):
        return run_onboarding if kind.value == "onboarding" else run_unit

    def named_functions(self):
        return {"double": lambda caller, args: args * 2}

async def run_onboarding(agent):
    for number in range(3):
        await agent.send({"question": number})
        assert (await agent.receive())["answer"] == number
    await agent.sleep(agent.random.random())
    await agent.send({"passed": True})
    return True

def longer(text):
    return len(text)

async def run_unit(unit, agent):
    await agent.send({"welcome": agent.number})
    async for update in agent.updates():
        if agent.random.random() < 0.2:
            await agent.now()
            await agent.sleep(agent.random.random())
        if agent.random.random() < 0.2:
            await agent.run_sync(longer, update["words"])
        await agent.send({"echo": update})
"""
ONBOARDING = """
[onboarding]
qualification = "can talk"
"""
WORDS_MAX = 12
PAUSE_S = 5.0
CALLS = 0.3  # share of words that are a call


BYE = "bye"
PARTNER_S = 60.0  # a simulated partner says nothing at all


def talker(live: str) -> TaskPlayer:
    """Who says some words, and is content when all of them came back, or when the partner says goodbye."""
    return TaskPlayer(play=_talk, play_onboarding=_introduce) if live == ECHO else TaskPlayer(play=_chat)


def live_faults(live: str, facts: StoreFacts) -> Iterator[Violation]:
    """What the code sent is what pages had said, in order: so that is what the code was given."""
    return _echo_faults(facts) if live == ECHO else _relay_faults(facts)


async def _introduce(page: PlayerPage, data: Any, rng: random.Random) -> None:
    """Answers what is asked, until the code ends it."""
    async with aclosing(page.updates()) as updates:
        async for update in updates:
            if "question" in update:
                await trio.sleep(rng.expovariate(1 / PAUSE_S))
                await page.send({"answer": update["question"]})


async def _talk(page: PlayerPage, data: Any, rng: random.Random) -> dict[str, Any]:
    count = rng.randint(1, WORDS_MAX)
    for n in range(count):
        await page.send({"n": n, "words": "x" * rng.randrange(200)})
        await trio.sleep(rng.expovariate(1 / PAUSE_S))
        if rng.random() < CALLS:
            assert await page.call("double", n, timeout_s=float("inf")) == 2 * n
    heard = 0
    while heard < count:
        heard += "echo" in await page.receive()
    return {"heard": heard}


async def _chat(page: PlayerPage, data: Any, rng: random.Random) -> dict[str, Any]:
    for n in range(rng.randint(1, WORDS_MAX)):
        await page.send({"n": n, "words": "x" * rng.randrange(200)})
        await trio.sleep(rng.expovariate(1 / PAUSE_S))
    await page.send({"n": -1, "words": BYE})
    with suppress(NothingCame):
        while (await page.receive(PARTNER_S))["update"]["words"] != BYE:
            pass
    return {"done": True}


def _echo_faults(facts: StoreFacts) -> Iterator[Violation]:
    said: defaultdict[int, list[Mapping[str, Any]]] = defaultdict(list)
    echoed: defaultdict[int, list[Mapping[str, Any]]] = defaultdict(list)
    for update in sorted(facts.updates, key=lambda update: update.number):
        words = None if update.onboarding else _words(update)
        if words is not None:
            (echoed if update.outgoing else said)[int(update.agent_id)].append(words)
    for agent in facts.agents:
        given, back = said[agent.id], echoed[agent.id]
        whole = agent.status is AgentStatus.COMPLETED
        if back != given[: len(back)] or (whole and len(back) < len(given)):
            text = f"its page said {_numbers(given)} and its code was given {_numbers(back)}"
            yield Violation(Rule.STREAM, f"agent {agent.id}", text)


def _relay_faults(facts: StoreFacts) -> Iterator[Violation]:
    """What came to one worker from a place is the beginning of what somebody said who had that place."""
    seats = {unit.id: (unit.assignment_id, unit.unit_index) for unit in facts.units}
    said: defaultdict[tuple[int, int], dict[int, list[Any]]] = defaultdict(dict)
    came: defaultdict[int, list[Any]] = defaultdict(list)
    for agent in facts.agents:
        said[seats[agent.unit_id]][agent.id] = []
    where = {agent.id: seats[agent.unit_id] for agent in facts.agents}
    for update in sorted(facts.updates, key=lambda update: update.number):
        if update.outgoing and "from" in update.update:
            came[update.agent_id].append(update.update["update"]["n"])
        elif not update.outgoing:
            said[where[update.agent_id]][update.agent_id].append(update.update["n"])
    for agent in facts.agents:
        assignment, index = seats[agent.unit_id]
        partners = said[assignment, 1 - index].values()
        if not any(came[agent.id] == words[: len(came[agent.id])] for words in [[], *partners]):
            text = f"it was told {came[agent.id]} and its partners said {[*partners]}"
            yield Violation(Rule.STREAM, f"agent {agent.id}", text)


def _words(update: LiveUpdate) -> Mapping[str, Any] | None:
    told: Any = update.update.get("echo") if update.outgoing else update.update
    if not isinstance(told, dict) or "n" not in told:
        return None
    return {"n": told["n"], "words": told["words"]}


def _numbers(words: list[Mapping[str, Any]]) -> list[Any]:
    return [one["n"] for one in words]
