"""What is missing is said once, with its beginning, until it is over; P14."""

import logging
from datetime import UTC, datetime, timedelta

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from crowdd.daemon.degraded import Degradation, Degraded, Lack
from crowdd.daemon.router_outbox import RouterOutbox
from crowdd.protocol.names import RunId

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = BEGIN

    def __call__(self) -> datetime:
        return self.now


def test_what_is_missing_is_shown_with_when_it_began_though_it_is_said_again() -> None:
    clock = Clock()
    degraded = Degraded(clock)
    degraded.begin(Lack.DISK_FULL, "no space left")
    clock.now += timedelta(minutes=5)
    degraded.begin(Lack.DISK_FULL, "still none")
    assert degraded.now() == [Degradation(Lack.DISK_FULL, "", "still none", BEGIN)]


def test_it_is_logged_once_and_once_more_when_it_is_over(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    clock = Clock()
    degraded = Degraded(clock)
    for _ in range(10):
        degraded.begin(Lack.ROUTER_AWAY, "pages wait", "digits: west", RunId(1))
    clock.now += timedelta(seconds=7)
    for _ in range(10):
        degraded.end(Lack.ROUTER_AWAY, "digits: west")
    assert [record.getMessage() for record in caplog.records] == [
        "degraded, router away (digits: west): pages wait",
        "router away (digits: west) is over after 7 s",
    ]
    assert degraded.now() == []


def test_two_of_a_kind_are_apart() -> None:
    degraded = Degraded(Clock())
    degraded.begin(Lack.ROUTER_AWAY, "pages wait", "west", RunId(1))
    degraded.begin(Lack.ROUTER_AWAY, "pages wait", "east", RunId(2))
    degraded.end(Lack.ROUTER_AWAY, "west")
    assert degraded.has(Lack.ROUTER_AWAY, "east")
    assert not degraded.has(Lack.ROUTER_AWAY, "west")


def test_what_was_missing_for_a_run_goes_with_the_run() -> None:
    degraded = Degraded(Clock())
    degraded.begin(Lack.ROUTER_AWAY, "pages wait", "west", RunId(1))
    degraded.begin(Lack.DISK_FULL, "no space left")
    degraded.leave(RunId(1))
    assert [each.lack for each in degraded.now()] == [Lack.DISK_FULL]


async def test_whoever_shows_it_hears_of_each_change(nursery: trio.Nursery) -> None:
    degraded, seen = Degraded(Clock()), list[int]()

    async def look() -> None:
        while True:
            await degraded.until_changed()
            seen.append(len(degraded.now()))

    nursery.start_soon(look)
    await wait_all_tasks_blocked()
    for _ in range(2):
        degraded.begin(Lack.DISK_FULL, "no space left")
        await wait_all_tasks_blocked()
    for _ in range(2):
        degraded.end(Lack.DISK_FULL)
        await wait_all_tasks_blocked()
    assert seen == [1, 0]


def test_what_a_router_has_set_aside_is_said_until_it_is_taken_away() -> None:
    degraded = Degraded(Clock())
    outbox = RouterOutbox(degraded, "digits: west", RunId(1))
    for count, said in ((1, "1 thing that"), (3, "3 things that")):
        outbox.reported({"set_aside": count})
        (lack,) = degraded.now()
        assert (lack.lack, lack.about) == (Lack.OUTBOX_SET_ASIDE, "digits: west")
        assert lack.words.startswith(said)
    outbox.reported({})
    assert degraded.now() == []


async def test_what_is_set_aside_holds_up_neither_time_outs_nor_the_end_of_a_run() -> None:
    outbox = RouterOutbox(Degraded(Clock()), "digits: west", RunId(1))
    outbox.announced([])
    outbox.reported({"set_aside": 1})
    with trio.fail_after(5):
        await outbox.settled()
        await outbox.emptied()
