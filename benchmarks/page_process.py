"""A process full of pages: told over stdin what to do, it tells on stdout what it saw. See `crowd_of_pages`.

A line of JSON is one exercise: open (connect pages), talk (messages at a steady pace), ask (the same, and all
pages say something at one moment), flood (each message heard is answered by the next one said), rest, or
fall_silent.
"""

import asyncio
import json
import math
import random
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import attrs
import orjson
import uvloop

from .page_sockets import PageSocket, SocketClosed, Where, open_socket

HEARTBEAT_S = 6.0
SEEN_SAID_S = 0.5  # as crowdd.js waits before it says what it has seen
OPENING_AT_ONCE = 32
LOOK_S = 0.05  # how often this process looks how late its own loop is
ANSWERED_WITHIN_S = 60.0  # what has no answer by then has none
PER_S_MAX = 45.0  # a page may say 50 things a second to a router for as long as it likes
AT_WORK = ("in task", "accepted", "waiting")
WORDS = "x" * 80  # what people write in a chat


@attrs.define(eq=False)
class Seen:
    """What the pages of this process saw during one exercise."""

    said: int = 0
    latencies_s: list[float] = attrs.Factory(list[float])
    kept_s: list[float] = attrs.Factory(list[float])
    first_s: list[float] = attrs.Factory(list[float])
    """By page: how long after a given moment something that was said from then on was called stored."""
    first_heard_s: list[float] = attrs.Factory(list[float])
    """By page: and when something that the partner said from then on came."""
    ping_age_s: list[float] = attrs.Factory(list[float])
    """What heartbeats were told: how long ago the daemon lived. A page gives up at 20 s."""
    repeats: int = 0
    """What came again over the wire, and was dropped."""
    heartbeats: int = 0
    answered: int = 0
    """These two since the pages were opened, all else of one exercise."""
    late_s: list[float] = attrs.Factory(list[float])
    """How late this process's own loop was, look by look."""
    lost: list[str] = attrs.Factory(list[str])
    measured_s: float = 0.0
    busy: float = 0.0
    """This process's share of a core."""

    def begin(self) -> None:
        """The next exercise."""
        new = Seen(heartbeats=self.heartbeats, answered=self.answered)
        for name in attrs.fields_dict(Seen):
            setattr(self, name, getattr(new, name))


@attrs.define(eq=False)
class BenchPage:
    """One page. With an agent's id it speaks the protocol of crowdd.js, without one to the bare relay."""

    number: int
    agent: str
    where: Where
    seen: Seen
    flooding: bool = False
    per_s: float = PER_S_MAX
    """So many messages a second it says at most, flooding."""
    last: int = 0
    asked_at: float = math.inf
    """From this moment on, what is said and heard counts as a first answer."""
    _asked: int = 0
    _said: int = 0
    _echoed: int = 0
    _said_at: dict[int, float] = attrs.Factory(dict[int, float])
    _free_at: float = 0.0
    _seen_told: int = 0
    _heard_first: bool = False
    _socket: PageSocket | None = None
    _tasks: list[asyncio.Task[None]] = attrs.Factory(list[asyncio.Task[None]])

    async def open(self) -> None:
        """Connect and say whose page it is."""
        self._socket = await open_socket(self.where, self._heard, self._lost)
        if self.agent:
            self._say_alive()
            self._tasks += map(asyncio.create_task, (self._keep_beating(), self._keep_telling()))

    def _say_alive(self, **more: bool) -> None:
        told = {"update_id": "alive", "crowdd": 1, "seen": self.last, **more}
        self._packet({"packet_type": "alive", "data": told})

    def fall_silent(self) -> None:
        """Stay connected, and say nothing more."""
        for task in self._tasks:
            task.cancel()

    def say(self) -> None:
        """Say something to the partner, with the time in it."""
        self._said += 1
        self.seen.said += 1
        words = {"t": time.monotonic(), "n": self._said, "words": WORDS}
        if not self.agent:
            self._send(orjson.dumps(words))
            return
        self._said_at[self._said] = time.monotonic()
        data = {**words, "update_id": f"{self.number}-{self._said}"}
        update = {"packet_type": "mephisto_bound_live_update", "data": data}
        self._packet({**update, "page": f"page-{self.number}", "number": self._said})

    def ask(self, at: float) -> None:
        """Say something; how long after `at` it was called stored is noted."""
        self.asked_at, self._heard_first = at, False
        self._asked = self._said + 1
        self.say()

    def _note_first(self, stored: int) -> None:
        if 0 < self._asked <= stored:
            self._asked = 0
            self.seen.first_s.append(time.monotonic() - self.asked_at)

    def _heard(self, text: bytes) -> None:
        packet = orjson.loads(text)
        match packet.get("packet_type"):
            case None:
                self._take(packet)
            case "client_bound_live_update" if "number" not in packet:
                self._take_echo(packet["data"])  # Mephisto's: it counts nothing, the page itself did
            case "client_bound_live_update" if packet["number"] <= self.last:
                self.seen.repeats += 1  # as crowdd.js does: what the router did not know that we have
            case "client_bound_live_update":
                if packet["number"] != self.last + 1:
                    self.seen.lost.append(f"{packet['number']} after {self.last}")
                self.last = packet["number"]
                self._take(packet["data"])
            case "update_status" if packet["data"]["status"] not in AT_WORK:
                self.seen.lost.append(f"page {self.number} was told: {packet['data']}")
            case "ack":
                self._note_first(packet["data"]["number"])
                at = self._said_at.pop(packet["data"]["number"], None)
                if at is not None:
                    self.seen.kept_s.append(time.monotonic() - at)
            case "roll_call":
                self._say_alive(here=True)
            case "heartbeat":
                self.seen.answered += 1
                data = packet["data"]
                self.seen.ping_age_s.append(time.time() - data["last_mephisto_ping"] / 1000)
                if data.get("status", "in task") not in AT_WORK:  # Mephisto's says it only when it knows
                    self.seen.lost.append(f"page {self.number} was told: {data}")
            case _:
                pass

    def _take_echo(self, words: dict[str, Any]) -> None:
        """What the page said comes back once; what comes back again must not be answered again."""
        if (number := words.get("n", 0)) <= self._echoed:
            self.seen.repeats += 1
            return
        self._echoed = number
        self._take(words)

    def _take(self, words: dict[str, Any]) -> None:
        if "t" not in words:
            return
        self.seen.latencies_s.append(time.monotonic() - words["t"])
        if self.asked_at <= words["t"] < math.inf and not self._heard_first:
            self._heard_first = True
            self.seen.first_heard_s.append(time.monotonic() - self.asked_at)
        if self.flooding:
            self._say_soon()

    def _say_soon(self) -> None:
        """At most so many a second, as the protocol asks; only the fastest servers let it come to that."""
        now = time.monotonic()
        self._free_at = max(self._free_at + 1 / self.per_s, now)
        if self._free_at <= now:
            self.say()
        else:
            asyncio.get_running_loop().call_later(self._free_at - now, self.say)

    async def _keep_beating(self) -> None:
        await asyncio.sleep(random.uniform(0, HEARTBEAT_S))  # so that they do not beat as one
        while True:
            self.seen.heartbeats += 1
            self._packet({"packet_type": "heartbeat", "client_timestamp": time.time()})
            await asyncio.sleep(HEARTBEAT_S)

    async def _keep_telling(self) -> None:
        """What it has seen; until it says so, routers keep only so much for it."""
        while True:
            await asyncio.sleep(SEEN_SAID_S)
            if self.last > self._seen_told:
                self._seen_told = self.last
                self._packet({"packet_type": "ack", "data": {"seen": self.last}})

    def _packet(self, packet: dict[str, Any]) -> None:
        self._send(orjson.dumps({**packet, "subject_id": self.agent}))

    def _send(self, text: bytes) -> None:
        assert self._socket is not None
        self._socket.send(text)

    def _lost(self, closed: SocketClosed) -> None:
        self.seen.lost.append(str(closed))


async def _talk(pages: list[BenchPage], seen: Seen, wish: dict[str, Any]) -> None:
    """Each page says something every `every_s`, beginning at a moment of its own."""

    async def talk(page: BenchPage) -> None:
        at = time.monotonic() + random.uniform(0, wish["every_s"])
        until = time.monotonic() + wish["for_s"]
        while at < until:
            await asyncio.sleep(max(0.0, at - time.monotonic()))
            page.say()
            at += wish["every_s"]

    await asyncio.gather(*map(talk, pages))
    await asyncio.sleep(wish["settle_s"])


async def _ask(pages: list[BenchPage], seen: Seen, wish: dict[str, Any]) -> None:
    """Talk; all pages ask something once the file `gone` says since when the daemon is gone.

    They talk on until all were answered, and a while longer.
    """
    talking = asyncio.create_task(_talk(pages, seen, {**wish, "for_s": math.inf}))
    gone = Path(wish["gone"])
    while not gone.exists():  # another process makes it
        await asyncio.sleep(LOOK_S / 10)
    at = float(gone.read_text())
    for page in pages:
        page.ask(at)
    with suppress(TimeoutError):
        async with asyncio.timeout(ANSWERED_WITHIN_S):
            while len(seen.first_s) < len(pages) or len(seen.first_heard_s) < len(pages):
                await asyncio.sleep(LOOK_S)
    await asyncio.sleep(wish["for_s"])
    talking.cancel()
    await _all_arrived(seen, wish["settle_s"])
    missing = len(pages) - len(seen.first_s)
    if missing:
        seen.lost.append(f"{missing} pages were not answered")


async def _some_arrived(seen: Seen) -> None:
    """Return when anything has: on a machine with much else to do that may take longer than is measured."""
    with suppress(TimeoutError):
        async with asyncio.timeout(ANSWERED_WITHIN_S):
            while not seen.latencies_s:
                await asyncio.sleep(LOOK_S)


async def _all_arrived(seen: Seen, quiet_s: float) -> None:
    """Return when nothing has arrived for so long."""
    before = -1
    while len(seen.latencies_s) > before:
        before = len(seen.latencies_s)
        await asyncio.sleep(quiet_s)


async def _flood(pages: list[BenchPage], seen: Seen, wish: dict[str, Any]) -> None:
    """Each page has so many messages under way, and sends the next when its partner's comes."""
    for page in pages:
        page.flooding, page.per_s = True, wish.get("per_s", PER_S_MAX)
        for _ in range(wish["at_once"]):
            page.say()
    await asyncio.sleep(wish["warm_s"])
    seen.latencies_s, began = [], time.monotonic()
    await asyncio.sleep(wish["for_s"])
    await _some_arrived(seen)
    measured, seen.measured_s = seen.latencies_s, time.monotonic() - began
    for page in pages:
        page.flooding = False
    seen.latencies_s = []
    await _all_arrived(seen, wish["settle_s"])  # else the next flood has more under way than it says
    seen.latencies_s = measured


async def _rest(pages: list[BenchPage], seen: Seen, wish: dict[str, Any]) -> None:
    """Only hearts beat."""
    await asyncio.sleep(wish["for_s"])


async def _fall_silent(pages: list[BenchPage], seen: Seen, wish: dict[str, Any]) -> None:
    """Hearts stop, so that no answer is under way when they are counted."""
    for page in pages:
        page.fall_silent()
    await asyncio.sleep(wish["settle_s"])


async def _open(pages: list[BenchPage], seen: Seen, wish: dict[str, Any]) -> None:
    """Connect pages, a few at the same time."""
    new = [BenchPage(one["number"], one["agent"], Where(**one["where"]), seen) for one in wish["pages"]]
    free = asyncio.Semaphore(OPENING_AT_ONCE)

    async def open_one(page: BenchPage) -> None:
        async with free:
            await page.open()

    await asyncio.gather(*map(open_one, new))
    pages += new


Exercise = Callable[[list[BenchPage], Seen, dict[str, Any]], Awaitable[None]]
_EXERCISES: dict[str, Exercise] = {
    "open": _open,
    "talk": _talk,
    "ask": _ask,
    "flood": _flood,
    "rest": _rest,
    "fall_silent": _fall_silent,
}


async def _look(seen: Seen) -> None:
    while True:
        due = time.monotonic() + LOOK_S
        await asyncio.sleep(LOOK_S)
        seen.late_s.append(max(0.0, time.monotonic() - due))


async def _main() -> None:
    seen = Seen()
    pages: list[BenchPage] = []
    looking = asyncio.create_task(_look(seen))
    while line := await asyncio.to_thread(sys.stdin.buffer.readline):
        wish = json.loads(line)
        seen.begin()
        cpu, began = time.process_time(), time.monotonic()
        await _EXERCISES[wish["what"]](pages, seen, wish)
        seen.busy = (time.process_time() - cpu) / (time.monotonic() - began)
        sys.stdout.write(json.dumps(attrs.asdict(seen)) + "\n")
        sys.stdout.flush()
    looking.cancel()


if __name__ == "__main__":
    uvloop.run(_main())
