"""The stream of a run's progress: at once, on every change, now and then, until the end."""

import json
from typing import Any

import trio
from trio.testing import MockClock

from crowdd.daemon.control.watch import SILENCE_MAX_S, Pace, write_progress
from crowdd.protocol.names import RunState
from crowdd.storage.records import TaskRun

from .fakes import Desk, FakeOperator, FakeRouter, plug


class Watcher:
    """Reads the stream without a socket, on virtual time."""

    def __init__(self) -> None:
        self._send, self._receive = trio.open_memory_channel[bytes](0)
        self.ended = trio.Event()

    async def watch(self, operator: FakeOperator, run: TaskRun) -> None:
        await write_progress(operator, run.id, self._send.send)
        self.ended.set()

    async def line(self) -> dict[str, Any]:
        line: dict[str, Any] = json.loads(await self._receive.receive())
        return line


async def watcher_of(operator: FakeOperator, run: TaskRun, nursery: trio.Nursery) -> Watcher:
    watcher = Watcher()
    nursery.start_soon(watcher.watch, operator, run)
    return watcher


async def test_the_first_line_comes_at_once(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    operator = FakeOperator()
    watcher = await watcher_of(operator, await operator.a_run("digits", units=3), nursery)
    began = trio.current_time()
    line = await watcher.line()
    assert trio.current_time() == began
    assert (line["run"], line["state"], line["units_total"], line["per_minute"]) == (
        "digits",
        "running",
        3,
        None,
    )


async def test_a_change_brings_a_line(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    operator = FakeOperator()
    run = await operator.a_run("digits")
    watcher = await watcher_of(operator, run, nursery)
    await watcher.line()
    await operator.submitted(run, "ann", {})
    assert (await watcher.line())["units_done"] == 1
    assert trio.current_time() < 1


async def test_a_router_that_goes_away_brings_a_line(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    operator = FakeOperator()
    run = await operator.a_run("digits")
    watcher = await watcher_of(operator, run, nursery)
    await watcher.line()
    operator.lives[run.id].router = FakeRouter(up=False)
    operator.lives[run.id].change()
    assert [router["up"] for router in (await watcher.line())["routers"]] == [False]


async def test_many_changes_at_once_bring_few_lines(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    operator = FakeOperator()
    run = await operator.a_run("digits", units=50)
    watcher = await watcher_of(operator, run, nursery)
    await watcher.line()
    for number in range(50):
        await operator.submitted(run, f"worker {number}", {})
    lines = 1
    while (await watcher.line())["units_done"] < 50:
        lines += 1
    assert lines <= 3


async def test_without_changes_a_line_comes_now_and_then(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    operator = FakeOperator()
    watcher = await watcher_of(operator, await operator.a_run("digits"), nursery)
    await watcher.line()
    began = trio.current_time()
    await watcher.line()
    assert 0 < trio.current_time() - began <= SILENCE_MAX_S + 1


async def test_the_last_line_has_the_final_state(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    operator = FakeOperator()
    run = await operator.a_run("digits")
    watcher = await watcher_of(operator, run, nursery)
    await watcher.line()
    await operator.move(run.id, RunState.COMPLETED)
    assert (await watcher.line())["state"] == "completed"
    await watcher.ended.wait()


async def test_a_run_that_is_carried_out_again_is_watched_again(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    operator = FakeOperator()
    run = await operator.a_run("digits")
    live = operator.lives.pop(run.id)
    watcher = await watcher_of(operator, run, nursery)
    assert (await watcher.line())["live"] is False
    operator.lives[run.id] = live
    assert (await watcher.line())["live"] is True
    await operator.submitted(run, "ann", {})
    assert (await watcher.line())["units_done"] == 1


async def test_a_run_that_has_ended_is_one_line_over_the_socket(desk: Desk) -> None:
    run = await desk.operator.a_run("digits")
    await desk.operator.move(run.id, RunState.STOPPED)
    answer = await desk.ask("GET", "/v1/runs/digits/watch")
    assert [json.loads(line)["state"] for line in answer.body.splitlines()] == ["stopped"]


async def test_a_watcher_who_leaves_is_forgotten(desk: Desk) -> None:
    run = await desk.operator.a_run("digits")
    sock = plug(desk.socket)
    sock.sendall(b"GET /v1/runs/digits/watch HTTP/1.1\r\nHost: x\r\n\r\n")
    while desk.operator.lives[run.id].watchers == 0:
        await trio.lowlevel.checkpoint()
    sock.close()
    while desk.operator.lives[run.id].watchers == 1:
        await trio.lowlevel.checkpoint()


def test_the_pace_is_that_of_the_last_minute() -> None:
    pace = Pace()
    assert pace.per_minute(0, now=0.0) is None
    assert pace.per_minute(10, now=30.0) == 20
    assert pace.per_minute(10, now=60.0) == 10
    assert pace.per_minute(10, now=90.0) == 0
