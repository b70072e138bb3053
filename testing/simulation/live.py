"""Live work of the simulated world: what its code does, how its workers talk, and what the code saw.

The code sends everything back that it is given. It also asks for what a replay has to answer from the
journal: the time, chance, pauses, and the result of a function.
"""

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import trio

from ...protocol.names import AgentStatus
from ...storage.records import LiveUpdate
from ..facts import StoreFacts
from ..player_page import PlayerPage
from ..players import TaskPlayer
from ..rules.case import Rule, Violation

LIVE_BLUEPRINT = "talk"
CODE = """
from crowdd.daemon.blueprints.live_contract import LiveRules
from crowdd.daemon.blueprints.mock import MockBlueprint

class Talk(MockBlueprint):
    name = "talk"

    @property
    def live(self):
        return LiveRules(grace_s=60)

    def play(self, kind):
        return run_unit

    def named_functions(self):
        return {"double": lambda caller, args: args * 2}

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
WORDS_MAX = 12
PAUSE_S = 5.0
CALLS = 0.3  # share of words that are a call


def talker() -> TaskPlayer:
    """Says some words, calls a function now and then, and is content when it has heard them all again."""
    return TaskPlayer(play=_talk)


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


def echo_faults(facts: StoreFacts) -> Iterator[Violation]:
    """What the code sent back is what the page had said, in order: so that is what the code was given."""
    said: defaultdict[int, list[Mapping[str, Any]]] = defaultdict(list)
    echoed: defaultdict[int, list[Mapping[str, Any]]] = defaultdict(list)
    for update in sorted(facts.updates, key=lambda update: update.number):
        words = _words(update)
        if words is not None:
            (echoed if update.outgoing else said)[int(update.agent_id)].append(words)
    for agent in facts.agents:
        given, back = said[agent.id], echoed[agent.id]
        whole = agent.status is AgentStatus.COMPLETED
        if back != given[: len(back)] or (whole and len(back) < len(given)):
            text = f"its page said {_numbers(given)} and its code was given {_numbers(back)}"
            yield Violation(Rule.STREAM, f"agent {agent.id}", text)


def _words(update: LiveUpdate) -> Mapping[str, Any] | None:
    told: Any = update.update.get("echo") if update.outgoing else update.update
    if not isinstance(told, dict) or "n" not in told:
        return None
    return {"n": told["n"], "words": told["words"]}


def _numbers(words: list[Mapping[str, Any]]) -> list[Any]:
    return [one["n"] for one in words]
