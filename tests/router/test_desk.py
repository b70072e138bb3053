"""The shell around a run's core: mailboxes, links and waiting, on the virtual clock."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import attrs
import pytest
import trio
import trio.testing

from crowdd.protocol.codec import encode_frame
from crowdd.protocol.handshake import Peer
from crowdd.protocol.limits import LINK_SILENT_S, REQUEST_HOLD_S, SOCKET_QUEUE_PACKETS_MAX
from crowdd.protocol.names import AgentStatus
from crowdd.protocol.packets import RegisterAgent, UpdateStatus
from crowdd.router import mailbox as mailbox_module
from crowdd.router.commands import HttpAnswer
from crowdd.router.desk import Desk
from crowdd.router.mailbox import Mailbox
from crowdd.router.run import RouterRun

from .daemon import Daemon, linked_in_memory
from .kit import KEY, PLAIN, WALL, agent_id, packet, register


def a_desk() -> Desk:
    return Desk(
        RouterRun("digits", KEY, 7, trio.current_time(), lambda: WALL),
        lambda digests: None,
        lambda desk, command: None,
    )


@asynccontextmanager
async def ticking(desk: Desk) -> AsyncGenerator[None]:
    async with trio.open_nursery() as nursery:

        async def keep_time() -> None:
            while True:
                await trio.sleep(0.25)
                desk.tick()

        nursery.start_soon(keep_time)
        yield
        nursery.cancel_scope.cancel()


class DeadWire:
    """A connection over which nothing ever comes."""

    async def serve(self, hear: Callable[[bytes], None], take: Callable[[], bytes | None]) -> None:
        await trio.sleep_forever()

    def wake(self) -> None: ...


class LostWire(DeadWire):
    """A connection that is gone as soon as one looks."""

    async def serve(self, hear: Callable[[bytes], None], take: Callable[[], bytes | None]) -> None:
        await trio.lowlevel.checkpoint()


async def test_a_request_is_answered_by_the_daemon(autojump_clock: trio.testing.MockClock) -> None:
    desk = a_desk()
    async with linked_in_memory(Daemon(), desk):
        answer = await desk.ask(register(), PLAIN)
    assert answer.body["data"]["agent_id"] == agent_id()


async def test_a_request_is_answered_in_words_when_no_daemon_comes(
    autojump_clock: trio.testing.MockClock,
) -> None:
    desk = a_desk()
    async with ticking(desk):
        answer = await desk.ask(register(), PLAIN)
    assert answer.body["data"]["agent_id"] is None
    assert REQUEST_HOLD_S <= trio.current_time() <= REQUEST_HOLD_S + 1


async def test_a_page_that_left_leaves_nothing_behind(autojump_clock: trio.testing.MockClock) -> None:
    desk = a_desk()
    with trio.move_on_after(1):
        await desk.ask(register(), PLAIN)
    daemon = Daemon()
    async with linked_in_memory(daemon, desk):
        await daemon.hears(RegisterAgent)
        await trio.testing.wait_all_tasks_blocked()
        assert (await desk.ask(register("again"), PLAIN)).status == 200


async def test_a_page_that_takes_nothing_is_closed_once_its_queue_is_full(
    autojump_clock: trio.testing.MockClock,
) -> None:
    desk = a_desk()
    opened = desk.open_socket("10.0.0.1")
    assert opened is not None
    socket, mailbox = opened
    desk.hear(socket, packet("alive", agent_id()))
    daemon = Daemon()
    async with linked_in_memory(daemon, desk):
        for version in range(SOCKET_QUEUE_PACKETS_MAX + 1):
            daemon.say(UpdateStatus(agent_id(), version, AgentStatus.IN_TASK))
            await trio.testing.wait_all_tasks_blocked()
    assert mailbox.closing is not None
    assert mailbox.closing[0] == 1013
    assert len(mailbox.packets) == 0  # nobody takes it; what is unconfirmed is told again


def test_what_waits_for_one_page_is_bounded_in_bytes_and_one_packet_always_fits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mailbox_module, "SOCKET_QUEUE_BYTES_MAX", 100)
    mailbox = Mailbox()
    assert mailbox.put({"text": "x" * 1_000})
    assert not mailbox.put({})
    mailbox.clear()
    assert all(mailbox.put({"n": 10}) for _ in range(12))
    assert not mailbox.put({"n": 10})


def test_what_was_taken_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailbox_module, "SOCKET_QUEUE_BYTES_MAX", 16)
    mailbox = Mailbox()
    assert mailbox.put({"n": 10})
    assert mailbox.put({"n": 11})
    assert not mailbox.put({"n": 12})
    mailbox.take()
    assert mailbox.put({"n": 12})


def test_a_mailbox_keeps_what_is_left_when_it_closes() -> None:
    mailbox = Mailbox()
    mailbox.put({"n": 1})
    mailbox.close(1001, "bye")
    mailbox.close(1008, "a second reason does not count")
    assert mailbox.take() == b'{"n":1}'
    assert mailbox.closing == (1001, "bye")


async def test_a_silent_daemon_loses_its_link(autojump_clock: trio.testing.MockClock) -> None:
    desk = a_desk()
    async with ticking(desk):
        words = await desk.serve_link(Peer(1, 1, KEY, {}, []), DeadWire())
    assert words == "nothing was heard of the daemon"
    assert LINK_SILENT_S <= trio.current_time() <= LINK_SILENT_S + 1
    assert not desk.run.linked


async def test_a_lost_connection_ends_the_link() -> None:
    desk = a_desk()
    assert await desk.serve_link(Peer(1, 1, KEY, {}, []), LostWire()) == "the connection was lost"
    assert not desk.run.linked


@attrs.define(eq=False)
class ReadAhead(DeadWire):
    """A connection of which more was read than is heard at once."""

    frames: list[bytes]
    left: list[bytes | None] = attrs.Factory(list[bytes | None])

    async def serve(self, hear: Callable[[bytes], None], take: Callable[[], bytes | None]) -> None:
        for frame in self.frames:
            hear(frame)
        self.left.append(take())
        await trio.lowlevel.checkpoint()


async def test_nothing_is_heard_of_a_daemon_after_what_is_no_frame() -> None:
    desk = a_desk()
    wire = ReadAhead([b"no frame", encode_frame([UpdateStatus(agent_id(), 1, AgentStatus.IN_TASK)])])
    words = await desk.serve_link(Peer(1, 1, KEY, {}, []), wire)
    assert words.startswith("the daemon sent what is no frame")
    assert desk.run.link_up(Peer(1, 1, KEY, {agent_id(): "in task"}, []), 0.0)  # it is news


async def test_nothing_is_taken_for_a_connection_that_another_replaced() -> None:
    desk = a_desk()
    older = ReadAhead([b"no frame"])
    await desk.serve_link(Peer(1, 1, KEY, {}, []), older)
    assert older.left == [None]


async def test_a_newer_link_takes_the_place_of_the_older_one() -> None:
    desk = a_desk()
    words: list[str] = []
    async with trio.open_nursery() as nursery:

        async def first() -> None:
            words.append(await desk.serve_link(Peer(1, 1, KEY, {}, []), DeadWire()))

        nursery.start_soon(first)
        await trio.testing.wait_all_tasks_blocked()
        async with linked_in_memory(Daemon(epoch=2), desk):
            answer: HttpAnswer = await desk.ask(register(), PLAIN)
            assert answer.status == 200
            assert desk.refuses(Peer(1, 1, KEY, {}, [])) is not None
            assert desk.refuses(Peer(1, 2, KEY, {}, [])) is None
    assert words == ["a newer link of the daemon took its place"]
