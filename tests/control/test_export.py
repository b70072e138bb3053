"""The export: one record for each agent that submitted, complete or cut, at flat memory."""

import csv
import io
import json
import socket
import tracemalloc
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from crowdd.daemon.control import serve_control
from crowdd.protocol.names import AgentId, RunId
from crowdd.protocol.packets import FileNote
from crowdd.storage.contract import ExportRow
from crowdd.storage.errors import StorageFailed
from crowdd.storage.memory import MemoryStorage, Tables
from crowdd.storage.records import LiveUpdate

from .fakes import NOW, STAFF, Desk, FakeOperator, plug

NOTE = FileNote("ab" * 32, 10, "photo", "cat.png", "image/png")


async def records(desk: Desk) -> list[dict[str, Any]]:
    answer = await desk.ask("GET", "/v1/runs/digits/export")
    assert answer.status == 200
    return [json.loads(line) for line in answer.body.splitlines()]


async def test_a_record_has_all_that_belongs_to_a_submission(desk: Desk) -> None:
    run = await desk.operator.a_run("digits", units=1)
    agent = await desk.operator.submitted(run, "ann", {"digit": 7})
    storage = desk.operator.storage
    await storage.add_metadata(agent.id, "feedback", {"feedback": {"text": "nice"}}, [NOTE], "d1", NOW)
    await storage.add_metadata(agent.id, "post_task", {"post_task": {"age": 30}}, [], "d2", NOW)
    (record,) = await records(desk)
    assert record["data"] == {"inputs": {"pixels": [0], "_truth": 0}, "outputs": {"digit": 7}}
    assert record["metadata"] == {
        "feedback": [{"at": NOW.timestamp(), "data": {"text": "nice"}, "files": [attrs.asdict(NOTE)]}]
    }
    assert record["post_task"] == {"age": 30}
    assert (record["worker_name"], record["status"], record["late"]) == ("ann", "completed", False)
    assert (record["task_start"], record["task_end"]) == (NOW.timestamp(), NOW.timestamp())
    assert (record["agent_id"], record["unit_id"], record["assignment_id"]) == (
        agent.id,
        agent.unit_id,
        agent.assignment_id,
    )
    assert (record["run"], record["files"], record["unit_index"]) == ("digits", [], 0)


async def test_a_record_has_all_that_was_said_live_in_order(desk: Desk) -> None:
    run = await desk.operator.a_run("digits", units=1)
    agent = await desk.operator.submitted(run, "ann", {"digit": 7})
    later = NOW + timedelta(seconds=1)
    said = [
        LiveUpdate(False, agent.id, False, 1, "u1", "", 0, {"text": "hi", "update_id": "u1"}, NOW),
        LiveUpdate(False, agent.id, True, 1, "1.1", "", 0, {"text": "hello"}, later),
    ]
    await desk.operator.storage.add_live(said, [])
    (record,) = await records(desk)
    assert record["updates"] == [
        {"at": NOW.timestamp(), "by": "worker", "data": {"text": "hi"}},
        {"at": later.timestamp(), "by": "task", "data": {"text": "hello"}},
    ]


async def test_who_has_not_submitted_is_not_exported(desk: Desk) -> None:
    run = await desk.operator.a_run("digits")
    await desk.operator.at_work(run, "ann")
    assert await records(desk) == []


async def test_an_answer_is_exported_as_it_was_stored(desk: Desk) -> None:
    answer = {"text": 'é \x1b[31m\u202e\x00 "quoted"\n', "big": 2**63 - 1, "deep": {"a": [1, None, True]}}
    await desk.operator.submitted(await desk.operator.a_run("digits"), "ann", answer)
    assert (await records(desk))[0]["data"]["outputs"] == answer


async def test_no_wire_id_is_exported(desk: Desk) -> None:
    agent = await desk.operator.submitted(await desk.operator.a_run("digits"), "ann", {})
    for target in ("/v1/runs/digits/export", "/v1/runs/digits/export?format=csv"):
        assert agent.wire_id.encode() not in (await desk.ask("GET", target)).body


async def table(desk: Desk) -> list[dict[str, str]]:
    answer = await desk.ask("GET", "/v1/runs/digits/export?format=csv")
    assert answer.status == 200
    return list(csv.DictReader(io.StringIO(answer.body.decode(), newline="")))


async def test_csv_has_a_column_for_whatever_any_record_has(desk: Desk) -> None:
    run = await desk.operator.a_run("digits")
    await desk.operator.submitted(run, "ann", {"digit": 3, "sure": True, "where": {"x": 1.5}})
    await desk.operator.submitted(run, "bob", {"digit": None, "words": ["a", "b"]})
    first, second = await table(desk)
    assert (first["outputs.digit"], first["outputs.sure"], first["outputs.where.x"]) == ("3", "true", "1.5")
    assert (second["outputs.digit"], second["outputs.words"], second["outputs.sure"]) == ("", '["a","b"]', "")
    assert first["inputs._truth"] == "0"
    assert not {"post_task", "metadata"} & first.keys()  # nobody said anything there


@pytest.mark.parametrize("beginning", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
async def test_text_that_begins_like_a_formula_is_made_harmless(desk: Desk, beginning: str) -> None:
    text = f'{beginning}HYPERLINK("http://evil")'
    await desk.operator.submitted(
        await desk.operator.a_run("digits"), text.strip(), {"answer": text, text: 1}
    )
    (row,) = await table(desk)
    assert row["outputs.answer"] == f"'{text}"
    for name, value in row.items():
        assert not name.startswith(beginning)
        assert not value.startswith(beginning)


async def test_negative_numbers_stay_numbers_in_csv(desk: Desk) -> None:
    await desk.operator.submitted(await desk.operator.a_run("digits"), "ann", {"x": -5, "y": -0.5})
    (row,) = await table(desk)
    assert (row["outputs.x"], row["outputs.y"]) == ("-5", "-0.5")


async def test_csv_of_nothing_is_empty(desk: Desk) -> None:
    await desk.operator.a_run("digits")
    assert (await desk.ask("GET", "/v1/runs/digits/export?format=csv")).body == b""


async def test_data_with_names_for_columns_is_refused_as_csv_before_a_byte_is_sent(desk: Desk) -> None:
    run = await desk.operator.a_run("digits")
    await desk.operator.submitted(run, "ann", {f"key{n}": n for n in range(2001)})
    answer = await desk.ask("GET", "/v1/runs/digits/export?format=csv")
    assert (answer.status, answer.error()["code"]) == (422, "too_many_columns")


class LongRun(MemoryStorage):
    """Exports the one row it has, again and again, as the rows of a long run."""

    rows = 20_000
    fails_after = 10**9

    def __init__(self) -> None:
        super().__init__(Tables())
        self.pages_read = 0

    async def export(self, run_id: RunId, after: int = 0, limit: int = 200) -> list[ExportRow]:
        if after >= self.fails_after:
            raise StorageFailed("the disk is gone")
        self.pages_read += 1
        (row,) = await super().export(run_id)
        ids = range(after + 1, min(after + limit, self.rows) + 1)
        return [attrs.evolve(row, agent=attrs.evolve(row.agent, id=AgentId(n))) for n in ids]


async def a_long_run() -> FakeOperator:
    operator = FakeOperator(LongRun())
    await operator.submitted(await operator.a_run("digits", units=1), "ann", {"text": "x" * 1000})
    return operator


@asynccontextmanager
async def lost_at(folder: Path, row: int) -> AsyncGenerator[Desk]:
    """A desk whose store is lost at this row; the loss must be raised by who ends the daemon."""
    operator = await a_long_run()
    assert isinstance(operator.storage, LongRun)
    operator.storage.fails_after = row
    with pytest.raises(BaseExceptionGroup) as ended:  # noqa: PT012 - the end of the nursery raises
        async with trio.open_nursery() as nursery:
            nursery.start_soon(operator.loss.serve, trio.lowlevel.checkpoint)
            yield Desk(operator, await nursery.start(serve_control, operator, folder / "control", STAFF))
            await trio.sleep_forever()
    assert ended.group_contains(StorageFailed)


@pytest.fixture
async def long_desk(tmp_path: Path, nursery: trio.Nursery) -> Desk:
    operator = await a_long_run()
    return Desk(operator, await nursery.start(serve_control, operator, tmp_path / "control", STAFF))


def count_lines(desk: Desk, target: str) -> int:
    with plug(desk.socket) as sock, sock.makefile("rb") as incoming:
        sock.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        return sum(b'"ann"' in line or b",ann," in line for line in incoming)


@pytest.mark.parametrize(("kind", "rows"), [("jsonl", 20_000), ("csv", 8_000)])
async def test_thousands_of_rows_are_exported_at_flat_memory(long_desk: Desk, kind: str, rows: int) -> None:
    storage = long_desk.operator.storage
    assert isinstance(storage, LongRun)
    storage.rows = rows
    tracemalloc.start(1)
    counted = await trio.to_thread.run_sync(count_lines, long_desk, f"/v1/runs/digits/export?format={kind}")
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert counted == rows
    assert peak_bytes < 5 * 1024 * 1024  # the whole is 10 to 25 MB


async def test_an_export_waits_for_a_reader_who_pauses(long_desk: Desk) -> None:
    storage = long_desk.operator.storage
    assert isinstance(storage, LongRun)
    with plug(long_desk.socket) as sock:
        sock.sendall(b"GET /v1/runs/digits/export HTTP/1.1\r\nHost: x\r\n\r\n")
        await wait_all_tasks_blocked(0.05)
        assert storage.pages_read < 20


async def test_an_export_ends_when_its_reader_has_gone(long_desk: Desk, nursery: trio.Nursery) -> None:
    storage = long_desk.operator.storage
    assert isinstance(storage, LongRun)
    with plug(long_desk.socket) as sock:
        sock.sendall(b"GET /v1/runs/digits/export HTTP/1.1\r\nHost: x\r\n\r\n")
        await wait_all_tasks_blocked(0.05)
    await wait_all_tasks_blocked(0.05)
    read = storage.pages_read
    await wait_all_tasks_blocked(0.05)
    assert storage.pages_read == read < 100


async def test_an_export_that_fails_midway_never_looks_whole(tmp_path: Path) -> None:
    async with lost_at(tmp_path, row=1000) as desk:
        raw = await trio.to_thread.run_sync(read_all, desk)
    assert raw.startswith(b"HTTP/1.1 200")
    assert not raw.endswith(b"0\r\n\r\n")


def read_all(desk: Desk) -> bytes:
    with plug(desk.socket) as sock:
        sock.sendall(b"GET /v1/runs/digits/export HTTP/1.1\r\nHost: x\r\n\r\n")
        raw = b""
        while piece := sock.recv(65536):
            raw += piece
        sock.shutdown(socket.SHUT_RDWR)
    return raw


async def test_an_export_that_fails_at_once_says_so(tmp_path: Path) -> None:
    async with lost_at(tmp_path, row=0) as desk:
        answer = await desk.ask("GET", "/v1/runs/digits/export?format=csv")
    assert (answer.status, answer.error()["code"]) == (503, "storage_failed")
