"""A page's websocket: says whose it is, keeps the heart beating, comes back when it is lost."""

import random
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

import trio

from .asking import pause_before
from .doors import Doors, PageSocket, SocketLost

HEARTBEAT_S = 6.0


async def keep_socket(
    doors: Doors, agent: str, rng: random.Random, told: Callable[[Mapping[str, Any]], None]
) -> None:
    """Hand the data of each status push for this agent to `told`, until cancelled."""
    for tries in count():
        try:
            async with doors.socket() as socket, trio.open_nursery() as nursery:
                nursery.start_soon(_beat, socket, agent, rng)
                await _listen(socket, agent, told)
        except* SocketLost:
            pass
        await trio.sleep(pause_before(tries, None, rng))


async def _beat(socket: PageSocket, agent: str, rng: random.Random) -> None:
    update_id = f"{rng.getrandbits(64):x}"
    await socket.send({"packet_type": "alive", "subject_id": agent, "data": {"update_id": update_id}})
    while True:
        await trio.sleep(HEARTBEAT_S)
        await socket.send({"packet_type": "heartbeat", "subject_id": agent})


async def _listen(socket: PageSocket, agent: str, told: Callable[[Mapping[str, Any]], None]) -> None:
    while True:
        packet = await socket.receive()
        if packet.get("packet_type") == "update_status" and packet.get("subject_id") == agent:
            told(packet.get("data") or {})
