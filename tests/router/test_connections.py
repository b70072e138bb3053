"""Which connections take nothing any more. Time is the number of looks."""

import asyncio
from typing import Any

import attrs
import pytest

from crowdd.router.addresses import Proxies
from crowdd.router.connections import Connections


@attrs.define(eq=False)
class Pipe(asyncio.Transport):
    """A transport whose other side tests play."""

    waiting: int = 0
    closing: bool = False
    aborted: bool = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("192.0.2.7", 4000) if name == "peername" else default

    def get_write_buffer_size(self) -> int:
        return self.waiting

    def is_closing(self) -> bool:
        return self.closing

    def abort(self) -> None:
        self.aborted = True


@pytest.fixture
def connections() -> Connections:
    return Connections(10, Proxies([]))


def looks(connections: Connections, pipe: Pipe, *waiting: int) -> bool:
    """Whether it is cut off after looks at which so much waited."""
    for size in waiting:
        pipe.waiting = size
        connections.end_stuck()
    return pipe.aborted


@pytest.mark.parametrize(
    ("waiting", "cut_off"),
    [((5,), False), ((5, 5), True), ((5, 9), True), ((5, 4), False), ((5, 4, 4), True), ((9, 6, 3), False)],
)
def test_flt21_whoever_takes_no_byte_between_two_looks_is_cut_off(
    connections: Connections, waiting: tuple[int, ...], cut_off: bool
) -> None:
    pipe = Pipe()
    connections.open(pipe)
    connections.pause(pipe, True)
    assert looks(connections, pipe, *waiting) is cut_off


def test_one_that_is_to_go_and_takes_nothing_is_cut_off_however_little_waits(
    connections: Connections,
) -> None:
    pipe = Pipe(closing=True)
    connections.open(pipe)
    assert looks(connections, pipe, 1, 1)


def test_one_that_took_enough_meanwhile_is_not_cut_off(connections: Connections) -> None:
    pipe = Pipe()
    connections.open(pipe)
    connections.pause(pipe, True)
    assert not looks(connections, pipe, 70_000)
    connections.pause(pipe, False)
    assert not looks(connections, pipe, 70_000)
    connections.pause(pipe, True)
    assert not looks(connections, pipe, 70_000)


@pytest.mark.parametrize(("count", "opened"), [(9, True), (10, True), (11, False)])
def test_sec9_there_are_so_many_connections_and_no_more(
    connections: Connections, count: int, opened: bool
) -> None:
    pipes = [Pipe() for _ in range(count)]
    assert [connections.open(pipe) is not None for pipe in pipes] == [True] * (count - 1) + [opened]
    connections.close(pipes[0])
    assert connections.open(Pipe()) is not None


def test_what_was_refused_is_said_once(connections: Connections, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(12):
        connections.open(Pipe())
    connections.end_stuck()
    connections.end_stuck()
    assert [record.getMessage() for record in caplog.records] == ["connections so far: 2 refused"]
