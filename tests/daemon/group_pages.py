"""Pages of group tasks on the virtual clock: they answer roll calls, and wait for what they are told."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import attrs
import trio
from tests.daemon.live_pages import LivePage
from tests.daemon.virtual import Virtual, VirtualPage

from crowdd.protocol.names import AgentStatus, AssignmentId, UnitStatus
from crowdd.storage.records import TaskRun
from crowdd.testing.doors import SocketLost

HEARTBEAT_S = 5.0
PATIENCE_S = 3600.0  # on the virtual clock; more than any test is to wait


@attrs.define(eq=False)
class Member:
    """One worker of a group, with a page that is open."""

    page: VirtualPage
    live: LivePage
    answers: bool = True
    told: dict[str, Any] = attrs.Factory(dict[str, Any])
    seen: int = 0

    async def listen(self) -> None:
        """Keep what comes, and say that somebody is there when asked."""
        try:
            while True:
                packet = dict(await self.live.socket.receive())
                if await self._is_new(packet):
                    self.live.heard.append(packet)
                if packet["packet_type"] == "roll_call" and self.answers:
                    await self._alive(here=True)
        except SocketLost:
            return

    async def _is_new(self, packet: dict[str, Any]) -> bool:
        """Updates come in order, and again when their confirmation was lost."""
        if packet["packet_type"] != "client_bound_live_update":
            return True
        number = packet["number"]
        is_new = number == self.seen + 1
        self.seen += is_new
        await self.live.say("ack", {"seen": self.seen})
        return bool(is_new)

    async def _alive(self, here: bool = False) -> None:
        answer = {"update_id": "alive", "crowdd": 1, "seen": self.seen}
        await self.live.say("alive", answer | ({"here": True} if here else {}))

    async def beat(self) -> None:
        """Say that the page is open, as pages do."""
        while True:
            await trio.sleep(HEARTBEAT_S)
            await self.live.say("heartbeat", {})

    def statuses(self) -> list[str]:
        """What the page was told that it is."""
        return [
            packet["data"]["status"] for packet in self.live.heard if packet["packet_type"] == "update_status"
        ]

    def asked(self) -> int:
        """How often the page was asked whether somebody is there."""
        return sum(packet["packet_type"] == "roll_call" for packet in self.live.heard)

    async def becomes(self, status: str) -> None:
        """Return once the page was told this status."""
        with trio.fail_after(PATIENCE_S):
            while status not in self.statuses()[-1:]:
                await trio.sleep(0.1)


@asynccontextmanager
async def member(
    virtual: Virtual, run: TaskRun, worker: str, answers: bool = True, after: str = ""
) -> AsyncGenerator[Member]:
    """A worker who came to a group task, with the page open until left."""
    page = await virtual.page(run, worker)
    answered = await page.register(after)
    assert answered.agent_id, answered
    async with page.doors.socket() as socket, trio.open_nursery() as nursery:
        one = Member(page, LivePage(page.agent, socket), answers, dict(answered.told))
        nursery.start_soon(one.listen)
        nursery.start_soon(one.beat)
        await one.live.alive()
        yield one
        nursery.cancel_scope.cancel()


async def units_of(virtual: Virtual, run: TaskRun, number: int = 1) -> list[UnitStatus]:
    """The units of the assignment that was made as the number-th."""
    units = await virtual.storage.units(run.id, assignment_id=AssignmentId(number))
    return [unit.status for unit in units]


async def until_agents(virtual: Virtual, run: TaskRun, *statuses: AgentStatus) -> None:
    """Return once the agents of the run are these."""
    with trio.fail_after(PATIENCE_S):
        while await virtual.agents(run) != [*statuses]:
            await trio.sleep(0.1)
