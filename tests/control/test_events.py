"""The stream of events: everything after a position, as it happens, until the run has ended."""

import json
from typing import Any

import trio
from trio.testing import MockClock

from crowdd.daemon.control.events import LOOK_GAP_S, SILENCE_MAX_S, write_events
from crowdd.protocol.names import RunState
from crowdd.storage.records import TaskRun

from .fakes import NOW, Desk, FakeOperator


class Listener:
    """Reads the stream without a socket, on virtual time."""

    def __init__(self) -> None:
        self._send, self._receive = trio.open_memory_channel[bytes](0)
        self.ended = trio.Event()

    async def listen(self, operator: FakeOperator, run: TaskRun | None, after: int | None) -> None:
        await write_events(operator.storage, None if run is None else run.id, after, self._send.send)
        self.ended.set()

    async def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (await self._receive.receive()).splitlines()]


def listener_of(
    operator: FakeOperator, run: TaskRun | None, after: int | None, nursery: trio.Nursery
) -> Listener:
    listener = Listener()
    nursery.start_soon(listener.listen, operator, run, after)
    return listener


async def test_the_stream_begins_with_its_position_and_all_that_was(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    operator = FakeOperator()
    run = await operator.a_run("digits", units=1)
    await operator.a_run("letters", units=1)
    listener = listener_of(operator, run, 0, nursery)
    assert await listener.lines() == [{"position": 0, "ended": False}]
    told = await listener.lines()
    assert [(line["kind"], line["after"], line["run"]) for line in told] == [
        ("run", "launching", "digits"),
        ("unit", "created", "digits"),
        ("unit", "launched", "digits"),
        ("run", "running", "digits"),
    ]


async def test_without_a_position_only_what_comes_is_told(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    operator = FakeOperator()
    run = await operator.a_run("digits", units=1)
    listener = listener_of(operator, None, None, nursery)
    (here,) = await listener.lines()
    assert here["position"] == await operator.storage.history_end() > 0
    await operator.at_work(run, "ann")
    assert {line["kind"] for line in await listener.lines()} == {"agent", "unit"}


async def test_an_event_is_told_soon_after_it_was_written(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    operator = FakeOperator()
    run = await operator.a_run("digits")
    listener = listener_of(operator, run, None, nursery)
    await listener.lines()
    await trio.sleep(3)
    began = trio.current_time()
    await operator.submitted(run, "ann", {})
    await listener.lines()
    assert trio.current_time() - began <= LOOK_GAP_S


async def test_the_last_line_says_that_the_run_has_ended(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    operator = FakeOperator()
    run = await operator.a_run("digits")
    listener = listener_of(operator, run, None, nursery)
    await listener.lines()
    await operator.move(run.id, RunState.COMPLETED)
    (end,) = await listener.lines()
    assert end["after"] == "completed"
    assert await listener.lines() == [{"position": end["id"], "ended": True}]
    await listener.ended.wait()


async def test_a_quiet_stream_shows_that_the_daemon_lives(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    operator = FakeOperator()
    listener = listener_of(operator, await operator.a_run("digits"), None, nursery)
    first = await listener.lines()
    began = trio.current_time()
    assert await listener.lines() == first
    assert 0 < trio.current_time() - began <= SILENCE_MAX_S + LOOK_GAP_S


async def test_what_is_no_runs_is_told_to_those_who_hear_everything(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    operator = FakeOperator()
    ann = await operator.storage.register_worker("inhouse", "ann", {}, NOW)
    listener = listener_of(operator, None, 0, nursery)
    await listener.lines()
    await operator.storage.set_blocked(ann.id, True, NOW, "staff:ada", "spam")
    (line,) = await listener.lines()
    assert (line["kind"], line["run"], line["why"]) == ("worker", None, "spam")


async def test_many_events_come_in_order_and_whole(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    operator = FakeOperator()
    run = await operator.a_run("digits", units=1200)
    listener = listener_of(operator, run, 0, nursery)
    told: list[int] = []
    while len(told) < 2402:
        told += [line["id"] for line in await listener.lines() if "id" in line]
    assert told == [entry.id for entry in await operator.storage.history(run_id=run.id, limit=5000)]


async def test_events_of_an_ended_run_come_over_the_socket_and_end(desk: Desk) -> None:
    run = await desk.operator.a_run("digits", units=1)
    await desk.operator.move(run.id, RunState.STOPPED)
    answer = await desk.ask("GET", "/v1/events?run=digits&after=0")
    lines = [json.loads(line) for line in answer.body.splitlines()]
    assert [line["after"] for line in lines[1:-1]] == [
        "launching",
        "created",
        "launched",
        "running",
        "stopped",
    ]
    assert lines[-1] == {"position": lines[-2]["id"], "ended": True}


async def test_events_of_no_run_are_refused(desk: Desk) -> None:
    assert (await desk.ask("GET", "/v1/events?run=nothing")).error()["code"] == "no_such_run"
    assert (await desk.ask("GET", "/v1/events?after=soon")).status == 400
