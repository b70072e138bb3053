"""A process of simulated browsers: workers who work until nobody has anything for them, or it is killed.

All that survives it is what it has written: its history, and for each worker what its browser remembers.
"""

import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs
import httpx
import orjson
import trio

from ...daemon.websocket_channel import NO_TLS
from ..bot import Bot, BotPlan, Memory
from ..history import History
from ..http_doors import HttpDoors, PageAddress
from ..player_page import PlayerPage
from ..players import Play, Player, TaskPlayer

WORDS = 3  # of each side of a conversation
CROWD = BotPlan(
    arrive_s=0.05,
    think_s=0.04,
    reload=0.05,
    give_back=0.03,
    double=0.1,
    files=0.2,
    socket=0.3,
    metadata=0.2,
    no_work_tries_max=10**6,
    unreachable_s_max=1e9,
    haste=20.0,
)
"""Workers in a hurry: a cycle lasts no longer than a person's glance."""


@attrs.frozen
class Crowd:
    """What one life of a process of browsers is told."""

    life: str
    """Names it, and begins the names of its calls."""
    seed: int
    history: str
    memories: str
    """The folder of what browsers remember."""
    links: dict[str, list[str]]
    """By the label of the run, which is the kind of its work, too."""


class _FileMemory(Memory):
    """What a browser keeps in its profile: there when it is opened again, whatever ended it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.after = path.read_text() if path.exists() else ""

    def finish(self, agent: str) -> None:
        """Written as a whole or not at all."""
        if agent != self.after:
            self.after = agent
            beside = self._path.with_suffix(".new")
            beside.write_text(agent)
            beside.replace(self._path)


def main(arguments: Sequence[str]) -> None:
    """Serve the crowd that the named file tells of. Returns when all have gone home."""
    told = orjson.loads(Path(arguments[0]).read_bytes())
    crowd = Crowd(**told)
    with open(crowd.history, "a") as file:
        trio.run(_live, crowd, History(f"{crowd.life}-", clock=time.monotonic, file=file))


async def _live(crowd: Crowd, history: History) -> None:
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with (
        httpx.AsyncClient(limits=limits, trust_env=False, verify=NO_TLS) as client,
        trio.open_nursery() as nursery,
    ):
        for label, links in crowd.links.items():
            for link in links:
                nursery.start_soon(_work, crowd, label, HttpDoors(client, PageAddress(link)), history)


async def _work(crowd: Crowd, label: str, doors: HttpDoors, history: History) -> None:
    rng = random.Random(f"{crowd.seed} {crowd.life} {doors.link}")  # noqa: S311  # repeatable on purpose
    memory = _FileMemory(Path(crowd.memories) / doors.link)
    name = f"{label}/{doors.link}.{crowd.life}"
    await trio.sleep(rng.uniform(0, CROWD.arrive_s))
    await Bot(name, doors, PLAYERS[label], CROWD, history, rng, memory=memory).run()


def _kind(data: Any, rng: random.Random) -> dict[str, Any]:
    return {"kind": rng.choice("ab"), "n": rng.randrange(10**9)}


async def _alone(page: PlayerPage, data: Any, rng: random.Random) -> dict[str, Any]:
    """Say some words; done when all of them were said back."""
    waits = {f"{rng.getrandbits(32):08x}" for _ in range(WORDS)}
    for word in sorted(waits):
        await page.send({"word": word})
    while waits:
        waits.discard((await page.receive())["echo"])
    return {"heard": WORDS}


async def _together(page: PlayerPage, data: Any, rng: random.Random) -> dict[str, Any]:
    """Say some words; done when the other has said as many, now or before this browser was opened."""
    for number in range(WORDS):
        await page.send({"word": number})
    heard = [(await page.receive())["word"] for _ in range(WORDS)]
    return {"heard": heard}


def _talker(play: Play) -> Player:
    return TaskPlayer(play=play)


PLAYERS: dict[str, Player] = {
    "words": _kind,
    "tested": _kind,
    "echo": _talker(_alone),
    "pairs": _talker(_together),
}


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
