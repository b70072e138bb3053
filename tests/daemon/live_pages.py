"""Pages of live work on the virtual clock: they say what tests tell them to, and keep what they hear."""

import itertools
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import attrs
import trio
from tests.daemon.virtual import VirtualPage

from crowdd.testing.doors import PageSocket, SocketLost

ECHO = """
from crowdd.daemon.blueprints.live_contract import LiveRules
from crowdd.daemon.blueprints.mock import MockBlueprint

class Echo(MockBlueprint):
    name = "echo"

    @property
    def live(self):
        return LiveRules(grace_s=30)

    def play(self, kind):
        return run_unit

    def named_functions(self):
        return {"double": lambda caller, args: args * 2, "fail": fail}

def fail(caller, args):
    raise ValueError("as was asked")

async def run_unit(unit, agent):
    count = 0
    async for update in agent.updates():
        count += 1
        await agent.send({"echo": update["text"], "count": count})
"""
_streams = itertools.count(1)


@attrs.define(eq=False)
class LivePage:
    """A page with a socket. It counts what it sends, as crowdd.js does."""

    agent: str
    socket: PageSocket
    heard: list[dict[str, Any]] = attrs.Factory(list[dict[str, Any]])
    stream: str = attrs.Factory(lambda: f"stream{next(_streams)}")
    sent: int = 0

    async def say(self, kind: str, data: dict[str, Any], **more: Any) -> None:
        await self.socket.send({"packet_type": kind, "subject_id": self.agent, "data": data, **more})

    async def alive(self, seen: int = 0) -> None:
        await self.say("alive", {"update_id": "alive", "crowdd": 1, "seen": seen})

    async def send(self, data: dict[str, Any]) -> None:
        self.sent += 1
        name = {"update_id": f"{self.stream}.{self.sent}"}
        await self.say("mephisto_bound_live_update", data | name, page=self.stream, number=self.sent)

    async def listen(self) -> None:
        """Keep what comes, until the connection is lost."""
        try:
            while True:
                self.heard.append(dict(await self.socket.receive()))
        except SocketLost:
            return

    def updates(self) -> list[dict[str, Any]]:
        """The live updates that came, each once, without what only the wire needs."""
        found = [packet for packet in self.heard if packet["packet_type"] == "client_bound_live_update"]
        once = {packet["number"]: packet["data"] for packet in found}
        return [{k: v for k, v in data.items() if k != "update_id"} for data in once.values()]

    def statuses(self) -> list[str]:
        """What the page was told of its agent, unasked."""
        return [packet["data"]["status"] for packet in self.heard if packet["packet_type"] == "update_status"]

    async def until(self, count: int) -> list[dict[str, Any]]:
        """The updates, once there are so many."""
        with trio.fail_after(60):
            while len(self.updates()) < count:
                await trio.sleep(0.05)
        return self.updates()


@asynccontextmanager
async def live_page(page: VirtualPage, seen: int = 0) -> AsyncGenerator[LivePage]:
    """The page's socket, open until left."""
    async with page.doors.socket() as socket, trio.open_nursery() as nursery:
        live = LivePage(page.agent, socket)
        nursery.start_soon(live.listen)
        await live.alive(seen)
        yield live
        nursery.cancel_scope.cancel()
