"""A worker's page for tests: registers, listens on its socket, submits; over the router's real doors."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import attrs
import httpx
import trio

from crowdd.testing.doors import SocketLost
from crowdd.testing.http_doors import HttpDoors, PageAddress
from crowdd.testing.verdicts import Answered

WITHIN_S = 40.0


@attrs.define(eq=False)
class Page:
    """One page; `told` holds the statuses that were pushed to it, newest last, with their texts."""

    doors: HttpDoors
    agent: str = ""
    told: list[tuple[str, str]] = attrs.Factory(list[tuple[str, str]])

    async def register(self, after: str = "") -> Answered:
        body = {"provider_data": self.doors.registration(after)}
        answered = await self.doors.post("request_agent", body, WITHIN_S)
        self.agent = answered.agent_id
        return answered

    async def submit(self, data: object) -> Answered:
        return await self.doors.post(
            "submit_task", {"USED_AGENT_ID": self.agent, "final_data": data}, WITHIN_S
        )

    async def listen(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Note every status that is pushed, until the socket is lost."""
        try:
            async with self.doors.socket() as socket:
                alive = {"packet_type": "alive", "subject_id": self.agent, "data": {"update_id": "u"}}
                await socket.send(alive)
                task_status.started()
                while True:
                    packet = await socket.receive()
                    if packet.get("packet_type") == "update_status":
                        data = packet["data"]
                        self.told.append((data["status"], str(data.get("text") or "")))
        except* SocketLost:
            pass


@asynccontextmanager
async def open_pages(links: list[str]) -> AsyncGenerator[list[Page], None]:
    """A page for each link."""
    async with httpx.AsyncClient(trust_env=False) as client:
        yield [Page(HttpDoors(client, PageAddress(link))) for link in links]
