"""What pages say while their pieces are opened: stored and confirmed at once, given to the piece later."""

import itertools
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import attrs
import pytest
import trio
from tests.daemon.conftest import a_run, launched_units
from tests.daemon.scribes import open_scribe
from trio.testing import wait_all_tasks_blocked

from crowdd.daemon.house import House
from crowdd.daemon.live import hearing
from crowdd.daemon.live.agent import LiveAgent, Person
from crowdd.daemon.live.cloakroom import Cloakroom
from crowdd.daemon.live.errors import NothingReceived
from crowdd.daemon.live.hearing import weight
from crowdd.daemon.live.hold import Hold
from crowdd.daemon.live.ledger import PieceKey
from crowdd.daemon.live.line import Attached, Line
from crowdd.daemon.live.opening import open_piece
from crowdd.daemon.live.outbound import Outbound
from crowdd.daemon.live.piece import Ending, PieceTools
from crowdd.daemon.live.scribe import Scribe
from crowdd.protocol.errors import Unsendable
from crowdd.protocol.names import AgentId, AgentStatus, PieceKind, WireId
from crowdd.protocol.packets import MephistoBoundLiveUpdate
from crowdd.storage.contract import Registration, Reserved
from crowdd.storage.errors import Duplicate, StorageFailed
from crowdd.storage.records import Agent, JournalEntry, LiveUpdate

_sequences = itertools.count(1)


@attrs.define(eq=False)
class Router:
    """Remembers what it need not send again."""

    name: str = "router"
    confirmed: list[Any] = attrs.Factory(list[Any])

    def stream_stored(self, packet: MephistoBoundLiveUpdate) -> None:
        self.confirmed.append(packet.update["n"])

    def stream_send(self, wire_id: WireId, number: int, update: Mapping[str, Any]) -> None:
        raise Unsendable

    def forget(self, wire_id: WireId) -> None: ...

    def forget_sent(self, wire_id: WireId) -> None: ...


@attrs.define(eq=False)
class Scene:
    """Somebody at work, whose page speaks while nothing leads to their piece."""

    house: House
    agent: Agent
    line: Line
    room: Cloakroom
    router: Router = attrs.Factory(Router)
    scribe: Scribe = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.scribe = Scribe(self.house.storage)

    def says(self, n: int, page: str = "page", number: int | None = None, **more: Any) -> None:
        """Something that pages of crowdd.js count, or (page "") name."""
        count = (n if number is None else number) if page else 0
        update = {"n": n, **more}
        packet = MephistoBoundLiveUpdate(self.agent.wire_id, 1, next(_sequences), update, page, count)
        self.line.heard(self.router, packet)
        self.room.came(self.line)

    async def stored(self) -> list[tuple[int, Any]]:
        updates = await self.house.storage.live_updates(False, self.agent.id, False)
        return [(update.number, update.update["n"]) for update in updates]

    async def mail(self, to: Attached, count: int) -> list[Any]:
        """So much as the piece's code is given, in order; and that no more is there."""
        agent, given = LiveAgent(to.piece, to.piece.seats[0], _nobody), list[Any]()

        async def code() -> None:
            given.extend([(await agent.receive())["n"] for _ in range(count)])
            with pytest.raises(NothingReceived):
                await agent.receive(timeout_s=0)

        async def ended(ending: Ending) -> None:
            assert ending.error is None

        async with open_scribe(self.scribe):
            await to.piece.serve(code, ended)
        return given

    async def attached(self) -> Attached:
        """A piece that was just read."""
        house = self.house
        tools = PieceTools(house.storage, self.scribe, house.wall, house.user_code, lambda _: None)
        key = PieceKey(PieceKind.UNIT, self.agent.unit_id)
        opened = await open_piece(key, [self.agent.id], 1, False, tools)
        return Attached(opened.piece, opened.hearings[self.agent.id], None)


def _nobody(agent_id: AgentId) -> Person:
    raise LookupError(agent_id)


@asynccontextmanager
async def open_scene(house: House, agent: Agent) -> AsyncGenerator[Scene]:
    room = Cloakroom(house.storage, False, house.wall)
    read = partial(house.storage.live_updates, False, agent.id, True)
    line = Line(agent.id, agent.wire_id, False, Outbound(agent.id, agent.wire_id, read), house.wall, Hold())
    room.serves(line)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(room.serve)
        yield Scene(house, agent, line, room)
        nursery.cancel_scope.cancel()


@pytest.fixture
async def agent(house: House) -> Agent:
    run = await a_run(house)
    await launched_units(house, run, 1)
    worker = await house.storage.register_worker("mock", "anna", {}, house.wall())
    path = (AgentStatus.ACCEPTED, AgentStatus.IN_TASK)
    registration = Registration(run.id, worker.id, WireId("w" * 22), "link", "", path, None)
    reserved = await house.storage.reserve(registration, house.wall())
    assert isinstance(reserved, Reserved)
    return reserved.agent


async def test_what_a_page_says_is_stored_and_confirmed_though_no_piece_is_there(
    house: House, agent: Agent
) -> None:
    async with open_scene(house, agent) as scene:
        for n in (1, 2, 3):
            scene.says(n)
        await wait_all_tasks_blocked()
        assert await scene.stored() == [(1, 1), (2, 2), (3, 3)]
        assert scene.router.confirmed == [1, 2, 3]


@pytest.mark.parametrize("page", ["page", ""])
async def test_what_is_known_is_confirmed_again_and_stored_once(
    house: House, agent: Agent, page: str
) -> None:
    async with open_scene(house, agent) as scene:
        for n in (1, 2, 2, 1, 3):
            scene.says(n, page, update_id=f"u{n}")
            await wait_all_tasks_blocked()
        for n in (3, 4):
            scene.says(n, page, update_id=f"u{n}")
        await wait_all_tasks_blocked()
        assert await scene.stored() == [(1, 1), (2, 2), (3, 3), (4, 4)]
        assert scene.router.confirmed == [1, 2, 2, 1, 3, 3, 4]


async def test_what_comes_before_one_that_is_missing_is_not_taken(house: House, agent: Agent) -> None:
    async with open_scene(house, agent) as scene:
        scene.says(1)
        scene.says(3)
        scene.says(1, "another page")
        await wait_all_tasks_blocked()
        assert await scene.stored() == [(1, 1), (2, 1)]


@pytest.mark.parametrize(("name", "limit"), [("HEARD_MAX", 2), ("HEARD_BYTES_MAX", 2 * weight({"n": 1}))])
async def test_what_is_too_much_of_one_agent_is_left_to_its_piece(
    house: House, agent: Agent, monkeypatch: pytest.MonkeyPatch, name: str, limit: int
) -> None:
    monkeypatch.setattr(hearing, name, limit)
    async with open_scene(house, agent) as scene:
        for n in (1, 2, 3, 4):
            scene.says(n)
            await wait_all_tasks_blocked()
        assert await scene.stored() == [(1, 1), (2, 2)]
        assert scene.router.confirmed == [1, 2]
        assert [packet.update["n"] for _, packet in scene.line.hand_over()] == [3, 4]


async def test_after_what_was_too_much_nothing_is_confirmed_for_that_would_confirm_it_too(
    house: House, agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hearing, "HEARD_MAX", 2)
    async with open_scene(house, agent) as scene:
        attached = await scene.attached()
        await scene.room.leave(scene.line)
        scene.line.attach(attached)
        for n in (1, 1, 2, 3, 2):
            scene.says(n)
        assert await scene.mail(attached, 2) == [1, 2]
        assert scene.router.confirmed == [1, 1, 2]


async def test_the_piece_gets_each_once_whether_it_was_read_or_came_since(house: House, agent: Agent) -> None:
    async with open_scene(house, agent) as scene:
        scene.says(1)
        await wait_all_tasks_blocked()
        attached = await scene.attached()
        scene.says(2)
        await wait_all_tasks_blocked()
        scene.says(3)
        await scene.room.leave(scene.line)
        scene.says(4)
        scene.line.attach(attached)
        scene.says(5)
        scene.says(2)
        assert await scene.mail(attached, 5) == [1, 2, 3, 4, 5]
        assert await scene.stored() == [(n, n) for n in (1, 2, 3, 4, 5)]
        assert sorted(scene.router.confirmed) == [1, 2, 2, 3, 4, 5]


async def test_who_leaves_waits_for_what_is_under_way(
    house: House, agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    add, goes_on = house.storage.add_live, trio.Event()

    async def slow(updates: Sequence[LiveUpdate], journal: Sequence[JournalEntry]) -> None:
        await goes_on.wait()
        await add(updates, journal)

    monkeypatch.setattr(house.storage, "add_live", slow)
    async with open_scene(house, agent) as scene, trio.open_nursery() as nursery:
        attached = await scene.attached()
        scene.says(1)
        await wait_all_tasks_blocked()
        nursery.start_soon(scene.room.leave, scene.line)
        scene.says(2)
        await wait_all_tasks_blocked()
        assert scene.router.confirmed == []
        assert len(nursery.child_tasks) == 1
        goes_on.set()
        await wait_all_tasks_blocked()
        assert len(nursery.child_tasks) == 0
        scene.line.attach(attached)
        assert await scene.mail(attached, 2) == [1, 2]


async def test_what_cannot_be_stored_here_is_left_to_the_piece(
    house: House, agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_scene(house, agent) as scene:
        with monkeypatch.context() as patch:
            patch.setattr(house.storage, "add_live", _raises(Duplicate("another's fault")))
            scene.says(1)
            await wait_all_tasks_blocked()
            scene.says(2)
            await wait_all_tasks_blocked()
        assert scene.router.confirmed == []
        attached = await scene.attached()
        scene.line.attach(attached)
        assert await scene.mail(attached, 2) == [1, 2]
        assert scene.router.confirmed == [1, 2]


async def test_a_lost_store_is_nothing_to_go_on_from(
    house: House, agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(house.storage, "add_live", _raises(StorageFailed("the disk")))
    with pytest.RaisesGroup(StorageFailed):
        async with open_scene(house, agent) as scene:
            scene.says(1)
            try:
                await trio.sleep_forever()
            finally:
                assert scene.router.confirmed == []


async def test_whoever_has_left_meanwhile_is_confirmed_and_given_nothing(house: House, agent: Agent) -> None:
    async with open_scene(house, agent) as scene:
        scene.says(1)
        scene.line.end()
        scene.says(2)
        await wait_all_tasks_blocked()
        assert scene.router.confirmed == [1, 2]
        assert await scene.stored() == []


def _raises(error: Exception) -> Callable[..., Awaitable[None]]:
    async def fails(*_: Any) -> None:
        raise error

    return fails
