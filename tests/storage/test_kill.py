"""kill -9 again and again while many tasks write: what was acknowledged is there after every restart."""

import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from crowdd.protocol.names import AgentId
from crowdd.storage import check_store, open_storage

from .world import World

KILLS = 20
WRITERS = 16

# Every writer lets a worker take a unit and submit, and says so only then. A line is one write(2).
WORK = f"""
import os, sys, uuid
from datetime import UTC, datetime
from pathlib import Path
import trio
from crowdd.protocol.names import *
from crowdd.storage import open_storage
from crowdd.storage.contract import Registration
from crowdd.storage.writes import *

async def work(storage, run, name):
    while True:
        now = datetime.now(UTC)
        worker = await storage.register_worker("mock", uuid.uuid4().hex, {{}}, now)
        wire_id = WireId(uuid.uuid4().hex)
        path = (AgentStatus.ACCEPTED, AgentStatus.IN_TASK)
        given = await storage.reserve(Registration(run.id, worker.id, wire_id, wire_id, "", path, None), now)
        agent = given.agent
        os.write(1, f"took {{agent.id}} {{given.unit.id}}\\n".encode())
        done = ("worker", "submitted")
        await storage.commit([
            AddSubmission(agent.id, wire_id.encode(), [], "digest"),
            MoveAgent(agent.id, agent.status, AgentStatus.COMPLETED, *done),
            MoveUnit(given.unit.id, UnitStatus.ASSIGNED, UnitStatus.COMPLETED, *done, agent.id),
        ], now)
        os.write(1, f"submitted {{agent.id}} {{wire_id}}\\n".encode())

async def main():
    async with open_storage(Path(sys.argv[1])) as storage, trio.open_nursery() as nursery:
        run = await storage.run_by_label("digits")
        for number in range({WRITERS}):
            nursery.start_soon(work, storage, run, number)

trio.run(main)
"""


def lines_until_killed(database: Path, lines_before: int) -> Iterator[list[str]]:
    with subprocess.Popen([sys.executable, "-c", WORK, str(database)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        for number, line in enumerate(process.stdout, 1):
            yield line.decode().split()
            if number == lines_before:
                process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL


@pytest.mark.system
async def test_no_acknowledged_write_is_lost_or_doubled_by_kills(database: Path) -> None:
    chance = random.Random(7)
    async with open_storage(database) as storage:
        await World(storage).run(assignments=20_000)
    took: dict[int, int] = {}
    submitted: dict[int, str] = {}
    for _ in range(KILLS):
        for verb, number, what in lines_until_killed(database, chance.randint(1, 400)):
            if verb == "took":
                took[int(number)] = int(what)
            else:
                submitted[int(number)] = what
    assert len(submitted) > KILLS
    assert check_store(database) == []
    async with open_storage(database) as storage:
        for agent_id, unit_id in took.items():
            agent = await storage.agent(AgentId(agent_id))
            assert agent.unit_id == unit_id
        for agent_id, data in submitted.items():
            assert (await storage.submission(AgentId(agent_id))).data == data.encode()
    assert len(set(took.values())) == len(took)
