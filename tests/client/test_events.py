"""Events through the client: each once, in order, over restarts of the daemon, until the run has ended."""

from collections.abc import Callable
from pathlib import Path

import pytest
import trio

from crowdd.client import DaemonUnreachable, Event, NoSuchRun
from crowdd.daemon.control import serve_control
from crowdd.protocol.names import RunState

from ..control.fakes import STAFF, Desk


async def test_events_of_a_run_end_with_it(desk: Desk) -> None:
    run = await desk.operator.a_run("digits", units=2)
    await desk.operator.submitted(run, "ann", {})
    await desk.operator.move(run.id, RunState.COMPLETED)
    told = await trio.to_thread.run_sync(lambda: list(desk.client().events("digits")))
    assert [event.id for event in told] == [e.id for e in await desk.operator.storage.history(run_id=run.id)]
    assert (told[-1].kind, told[-1].before, told[-1].after, told[-1].run) == (
        "run",
        "running",
        "completed",
        "digits",
    )


async def test_events_go_on_where_they_were_asked_to(desk: Desk) -> None:
    run = await desk.operator.a_run("digits", units=2)
    await desk.operator.move(run.id, RunState.COMPLETED)
    client = desk.client()
    told = await trio.to_thread.run_sync(lambda: list(client.events("digits")))
    rest = await trio.to_thread.run_sync(lambda: list(client.events("digits", after=told[2].id)))
    assert rest == told[3:]


async def test_events_of_no_run_are_refused(desk: Desk) -> None:
    with pytest.raises(NoSuchRun):
        await trio.to_thread.run_sync(lambda: next(desk.client().events("nothing")))


async def test_a_daemon_that_was_never_there_is_not_waited_for(tmp_path: Path) -> None:
    with pytest.raises(DaemonUnreachable):
        await trio.to_thread.run_sync(
            lambda: next(Desk(None, tmp_path / "none").client().events())  # type: ignore[arg-type]
        )


async def test_nothing_is_missed_and_nothing_comes_twice_when_the_daemon_restarts(
    desk: Desk, tmp_path: Path
) -> None:
    run = await desk.operator.a_run("digits", units=10)
    path, told, said, ended = tmp_path / "restarting", list[Event](), list[str](), list[bool]()

    def listen() -> None:
        for event in Desk(desk.operator, path).client().events("digits", on_away=said.append):
            told.append(event)
        ended.append(True)

    async def until(holds: Callable[[], bool]) -> None:
        while not holds():
            await trio.sleep(0.01)

    async with trio.open_nursery() as listening:
        async with trio.open_nursery() as first_life:
            await first_life.start(serve_control, desk.operator, path, STAFF)
            listening.start_soon(trio.to_thread.run_sync, listen)
            await until(lambda: len(told) >= 22)
            await desk.operator.submitted(run, "ann", {})
            first_life.cancel_scope.cancel()
        await until(lambda: bool(said))
        await desk.operator.submitted(run, "bob", {})  # while nobody could be told
        await desk.operator.move(run.id, RunState.COMPLETED)
        async with trio.open_nursery() as second_life:
            await second_life.start(serve_control, desk.operator, path, STAFF)
            await until(lambda: bool(ended))
            second_life.cancel_scope.cancel()
    assert [event.id for event in told] == [e.id for e in await desk.operator.storage.history(run_id=run.id)]


async def test_a_daemon_that_stays_away_is_given_up(desk: Desk, tmp_path: Path) -> None:
    await desk.operator.a_run("digits")
    path, told, failed = tmp_path / "leaving", list[Event](), list[DaemonUnreachable]()

    def listen() -> None:
        try:
            for event in Desk(desk.operator, path).client().events("digits", away_s=0.2):
                told.append(event)
        except DaemonUnreachable as exc:
            failed.append(exc)

    async with trio.open_nursery() as listening, trio.open_nursery() as life:
        await life.start(serve_control, desk.operator, path, STAFF)
        listening.start_soon(trio.to_thread.run_sync, listen)
        while not told:
            await trio.sleep(0.01)
        life.cancel_scope.cancel()
    assert failed
