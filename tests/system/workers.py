"""Somebody at work in a run of a real daemon, at a router's real doors."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import attrs
import httpx

from crowdd.testing.http_doors import HttpDoors, PageAddress
from crowdd.testing.verdicts import Answered

from .processes import Daemon, a_task


@attrs.frozen
class Worker:
    """One who is at work."""

    label: str
    doors: HttpDoors
    agent: str

    async def submit(self, size: int = 10, within_s: float = 60) -> Answered:
        data = {"kind": "a", "text": "x" * size}
        return await self.doors.post(
            "submit_task", {"USED_AGENT_ID": self.agent, "final_data": data}, within_s
        )


@asynccontextmanager
async def open_worker(daemon: Daemon, folder: Path, rows: int = 2) -> AsyncGenerator[Worker]:
    """A run, and somebody at work in it."""
    label = await daemon.launch(a_task(folder, rows), "limits.grace_s=1")
    (link,) = await daemon.links(label, 1)
    async with httpx.AsyncClient(verify=False, trust_env=False) as client:
        doors = HttpDoors(client, PageAddress(link))
        registered = await doors.post("request_agent", {"provider_data": doors.registration("")}, 30)
        assert registered.agent_id
        yield Worker(label, doors, registered.agent_id)
