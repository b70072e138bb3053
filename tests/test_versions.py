"""The version before this one: its store opens and goes on, its frames are understood; FLT28."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from crowdd.protocol.codec import BadPacket, UnknownPacket, decode_frame
from crowdd.protocol.handshake import VERSIONS, Handshake, Peer
from crowdd.protocol.link import Role
from crowdd.protocol.names import AgentStatus, PacketType
from crowdd.protocol.packets import Hello
from crowdd.storage import check_store, open_storage
from crowdd.storage.sql.schema import MIGRATIONS
from crowdd.storage.sqlite.connecting import migrate

RECORDED = Path(__file__).parent / "recorded"
SECRET, KEY = b"s" * 32, b"k" * 32


def recorded(name: str) -> Any:
    return json.loads((RECORDED / name).read_text())


def frames(side: str) -> list[bytes]:
    return [bytes.fromhex(frame) for frame in recorded("link-1.json")[side]]


async def test_flt28_the_store_of_the_version_before_opens_and_its_work_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "crowdd.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.executescript((RECORDED / "schema-5.sql").read_text())
        assert db.execute("PRAGMA user_version").fetchone() == (5,)
    async with open_storage(path) as storage:
        (run,) = await storage.runs()
        (agent,) = await storage.agents(run.id)
        assert agent.status is AgentStatus.IN_TASK
        assert [each.id for each in await storage.reserved_agents(run.id)] == [agent.id]
        assert (await storage.worker_facts(run.id, agent.worker_id)).task_units == 1
        assert await storage.fact("daemon", "k") == {"a": 1}
    assert check_store(path) == []


@pytest.mark.parametrize("steps", range(1, len(MIGRATIONS)))
async def test_flt28_an_empty_store_of_every_earlier_schema_opens(tmp_path: Path, steps: int) -> None:
    path = tmp_path / "crowdd.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        migrate(db, MIGRATIONS[:steps])
    async with open_storage(path) as storage:
        assert await storage.runs() == []
    assert check_store(path) == []


def test_flt28_the_daemon_before_and_this_router_understand_each_other() -> None:
    router = Handshake(Role.ROUTER, [SECRET], "digits", b"r" * 32, 9, outbox=["w2"])
    said = [answer for frame in frames("daemon") for answer in router.receive(frame)]
    assert router.peer == Peer(1, 7, KEY, {"w1": "in task"}, [])
    assert [type(packet) for frame in said for packet in decode_frame(frame)] == [Hello, Hello]


def test_flt28_the_router_before_and_this_daemon_understand_each_other() -> None:
    statuses = {"w1": "in task"}
    daemon = Handshake(Role.DAEMON, [SECRET], "digits", b"d" * 32, 7, key=KEY, statuses=statuses)
    daemon.start()
    for frame in frames("router"):
        daemon.receive(frame)
    assert daemon.peer == Peer(1, 9, b"", {}, ["w2"])


def test_flt28_every_packet_of_the_version_before_is_understood() -> None:
    packets = decode_frame(bytes.fromhex(recorded("link-1.json")["packets"]))
    assert [packet for packet in packets if isinstance(packet, BadPacket | UnknownPacket)] == []
    types = {packet.type for packet in packets if not isinstance(packet, BadPacket | UnknownPacket)}
    assert len(types) == len(packets) == 18
    assert types <= set(PacketType)


def test_flt28_the_version_that_was_recorded_is_spoken_still() -> None:
    assert 1 in VERSIONS
