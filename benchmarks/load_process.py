"""A process full of workers who register and submit: told over stdin what to do, it tells what it saw.

A line of JSON is one wish: `open` connections, or let workers pay `visits` over those that are open. What it
costs itself is told, too; the driver is `load`.
"""

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any

import attrs
import orjson
import uvloop

from .http_connection import Answer, ConnectionEnded, HttpConnection, open_connection

LOOK_S = 0.02  # how often this process looks how late its own loop is
ADDRESSES = 64  # of this machine, 127.0.0.2 and up: a router lets no address register without end
WRONG_KEPT = 5

Visit = Callable[[HttpConnection, int], Awaitable[None]]


@attrs.define(eq=False)
class Seen:
    """What the workers of this process saw during one wish."""

    opened: int = 0
    """How many connections are open, after `open`."""
    posts: int = 0
    visits: int = 0
    waits_s: list[float] = attrs.Factory(list[float])
    """Of each visit, from the first request to the last answer."""
    late_s: list[float] = attrs.Factory(list[float])
    wrong: list[str] = attrs.Factory(list[str])
    cpu_s: float = 0.0


async def _open(connections: list[HttpConnection], wish: dict[str, Any], seen: Seen) -> None:
    """As many as are wished, all open: those that are stay, and only what a server ended is opened again."""
    connections[:] = [each for each in connections if each.is_open]
    for number in range(len(connections), wish["connections"]):
        address = f"127.0.0.{2 + number % ADDRESSES}"
        connections.append(await open_connection(wish["port"], address, wish["host_header"], wish["folder"]))
    seen.opened = len(connections)


async def _visits(connections: list[HttpConnection], wish: dict[str, Any], seen: Seen) -> None:
    numbers = iter(range(wish["first"], wish["first"] + wish["count"]))
    visit = partial(_visit, submit=wish["submit"], seen=seen)
    await asyncio.gather(*(_come(each, numbers, visit, seen) for each in connections))


async def _come(connection: HttpConnection, numbers: Iterator[int], visit: Visit, seen: Seen) -> None:
    """One visit after the other, each of a worker who was not here before."""
    for number in numbers:
        began = time.perf_counter()
        try:
            await visit(connection, number)
        except (ConnectionEnded, KeyError, ValueError) as exc:
            seen.wrong.append(f"visit {number}: {exc!r:.300}")
            return
        seen.waits_s.append(time.perf_counter() - began)
        seen.visits += 1


async def _visit(connection: HttpConnection, number: int, submit: bool, seen: Seen) -> None:
    agent = await _register(connection, number)
    seen.posts += 1
    if submit:
        _whole(await connection.post("submit_task", _submission(agent, number)))
        seen.posts += 1


async def _register(connection: HttpConnection, number: int) -> str:
    told = _whole(await connection.post("request_agent", _registration(number)))
    if agent := told["data"]["agent_id"]:
        return str(agent)
    raise ValueError(told)


def _whole(answer: Answer) -> dict[str, Any]:
    if answer.status != 200:
        raise ValueError(f"{answer.status} {answer.body!r:.200}")
    told: dict[str, Any] = orjson.loads(answer.body)
    return told


def _registration(number: int) -> bytes:
    """What crowdd.js makes of a link of the mock provider."""
    worker, assignment = f"worker-{number}", f"visit-{number}"
    told = {
        "worker_id": worker,
        "worker_name": worker,
        "assignment_id": assignment,
        "agent_registration_id": f"{assignment}-{worker}",
        "provider_type": "mock",
        "after": "",
    }
    return orjson.dumps({"provider_data": told, "client_timestamp": time.time()})


def _submission(agent: str, number: int) -> bytes:
    data = {"kind": "a", "visit": number}
    return orjson.dumps({"USED_AGENT_ID": agent, "final_data": data, "client_timestamp": time.time()})


async def _look(seen: Seen) -> None:
    while True:
        due = time.perf_counter() + LOOK_S
        await asyncio.sleep(LOOK_S)
        seen.late_s.append(max(0.0, time.perf_counter() - due))


async def _main() -> None:
    connections: list[HttpConnection] = []
    wishes = {"open": _open, "visits": _visits}
    while line := await asyncio.to_thread(sys.stdin.buffer.readline):
        wish, seen = json.loads(line), Seen()
        cpu, looking = time.process_time(), asyncio.create_task(_look(seen))
        await wishes[wish["what"]](connections, wish, seen)
        seen.cpu_s = time.process_time() - cpu
        looking.cancel()
        seen.wrong = seen.wrong[:WRONG_KEPT]
        sys.stdout.write(json.dumps(attrs.asdict(seen)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    uvloop.run(_main())
