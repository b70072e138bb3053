"""A worker's browser tab with live work: gives its page a socket, again and again, and notes what it saw."""

import random
from collections.abc import Callable, Mapping
from typing import Any

import trio

from .doors import Doors, PageSocket, SocketLost
from .history import History, agent_key
from .live_page import LivePage
from .outbox import Outbox
from .pages import Handed, Kept, Page, PageEvent, RollCalled, StatusTold, inherited_updates, past_answers
from .player_page import PlayerPage
from .unchanged_page import UnchangedPage, said_in

ANSWERS_WITHIN = 0.5  # a worker answers "still there?" within this share of the time they have
LOAD_BITS = 64


class Tab:
    """The tab of one agent. `serve` keeps its page connected until cancelled; `player` uses it."""

    def __init__(
        self,
        client: str,
        agent: str,
        doors: Doors,
        history: History,
        rng: random.Random,
        told: Callable[[Mapping[str, Any]], None],
        wall: Callable[[], float] | None = None,
        haste: float = 1.0,
    ) -> None:
        """`told` hears of each status. With `wall`, the browser's clock, the page is an unchanged one."""
        self._client = client
        self._agent = agent
        self._key = agent_key(agent)
        self._doors = doors
        self._history = history
        self._rng = rng
        self._told = told
        self._wall = wall
        self._haste = haste
        self._outbox = Outbox()
        self._sent = 0
        self._news = trio.Event()
        self._connection = trio.CancelScope()
        self._away_until = float("-inf")
        self._page = self._new_page()
        self.player = PlayerPage(self._say)
        self.dead = trio.Event()
        """Set when the page gave up for good; a new `load` is what helps."""

    def load(self, told: Mapping[str, Any]) -> None:
        """The page was loaded (again): this is the answer to its registration."""
        self._page = self._new_page()
        self.dead = trio.Event()
        self.refresh(told)
        self._connection.cancel()

    def refresh(self, told: Mapping[str, Any]) -> None:
        """The page registered again without being loaded, as it does while it waits."""
        for update in inherited_updates(told):
            self.player.inherit(update)
        for handed in self._page.restored(told):
            self._hand(self._page, handed)
        for answer in past_answers(told):
            self.player.answer(answer)

    def leave(self, away_s: float) -> None:
        """Close the page for so long; a `load` after that opens it again."""
        self._away_until = trio.current_time() + away_s
        self._connection.cancel()

    async def serve(self) -> None:
        """Keep the page connected, until cancelled."""
        while True:
            await trio.sleep_until(self._away_until)
            page = self._page
            with trio.CancelScope() as self._connection:
                await self._connect(page)
            page.lost(trio.current_time())
            if page is self._page:
                back_at = page.back_at(trio.current_time())
                if back_at == float("inf"):
                    self.dead.set()
                with trio.CancelScope() as self._connection:  # a new load cuts it short
                    await trio.sleep_until(back_at)

    async def emptied(self) -> None:
        """Wait until all that was said is stored, as crowdd.js does before it submits (others: sent)."""
        while self._page.waits_with():
            await self._news.wait()

    # one connection

    async def _connect(self, page: Page) -> None:
        try:
            async with self._doors.socket() as socket, trio.open_nursery() as nursery:
                page.opened(trio.current_time())
                nursery.start_soon(self._listen, page, socket, nursery)
                await self._speak(page, socket)
        except* SocketLost:
            pass

    async def _speak(self, page: Page, socket: PageSocket) -> None:
        while not page.stuck(trio.current_time()):
            while (packet := page.take(trio.current_time())) is not None:
                await self._send(page, socket, packet)
            with trio.move_on_at(page.due(trio.current_time())):
                await self._news.wait()
        raise SocketLost("the page closed it")

    async def _send(self, page: Page, socket: PageSocket, packet: Mapping[str, Any]) -> None:
        if page.unchanged and packet["packet_type"] == "mephisto_bound_live_update":
            self._sent += 1
            said = said_in(packet, self._sent)
            self._history.spoke(self._client, self._key, said.page, said.number, said.update)
        try:
            await socket.send(packet)
        except BaseException:  # lost, or cancelled with the connection
            page.untake(packet)
            raise
        self._wake()

    async def _listen(self, page: Page, socket: PageSocket, nursery: trio.Nursery) -> None:
        while True:
            packet = await socket.receive()
            for event in page.hear(packet, trio.current_time()):
                self._take(page, event, nursery)
            self._wake()

    def _take(self, page: Page, event: PageEvent, nursery: trio.Nursery) -> None:
        match event:
            case Handed():
                self._hand(page, event)
            case Kept():
                self._history.assured(self._client, self._key, event.page, event.number)
            case StatusTold():
                self._told(event.data)
            case RollCalled():
                nursery.start_soon(self._answer_roll_call, page, event.within_s)

    async def _answer_roll_call(self, page: Page, within_s: float) -> None:
        await trio.sleep(self._rng.uniform(0, ANSWERS_WITHIN * within_s))
        page.here()
        self._wake()

    # the page

    def _new_page(self) -> Page:
        load = f"{self._rng.getrandbits(LOAD_BITS):016x}"
        if self._wall is not None:
            return UnchangedPage(self._agent, load, self._rng, self._wall)
        return LivePage(self._agent, load, self._outbox, self._rng, self._haste)

    def _say(self, update: Mapping[str, Any]) -> None:
        if (said := self._page.say(update)) is not None:
            self._history.spoke(self._client, self._key, said.page, said.number, said.update)
        self._wake()

    def _hand(self, page: Page, handed: Handed) -> None:
        self._history.saw(self._client, self._key, page.load, handed.number, handed.update)
        self.player.hand(handed.number, handed.update)

    def _wake(self) -> None:
        self._news.set()
        self._news = trio.Event()
