"""Who is at work is taken up a slice a turn of the loop: what is told in between is newer."""

import math
from collections.abc import Callable, Sequence
from typing import Any, cast

import attrs
import pytest
import trio
from trio.testing import MockClock

from crowdd.daemon.blueprints.live_contract import LiveRules
from crowdd.daemon.house import House
from crowdd.daemon.live.attendance import AGENTS_A_TURN as AWAY_A_TURN
from crowdd.daemon.live.attendance import Attendance
from crowdd.daemon.live.cast import Ends, Player
from crowdd.daemon.live.stage import AGENTS_A_TURN, Stage
from crowdd.daemon.live.stage_tools import StageTools
from crowdd.daemon.live.unit_cast import UnitCast
from crowdd.daemon.router_link import RouterLink
from crowdd.protocol.names import AgentId, AgentStatus, WireId
from crowdd.storage.records import Agent

from .test_lifecycle import an_agent

GRACE_S = 30.0


@attrs.define(eq=False)
class _UpLink:
    """A router that is reached."""

    @property
    def state(self) -> Any:
        return self

    up = True

    async def until(self, up: bool) -> None:
        if not up:
            await trio.sleep_forever()


def up_links() -> Sequence[RouterLink]:
    return [cast(RouterLink, _UpLink())]


@attrs.frozen
class Unaccompanied(UnitCast):
    """A cast whose agents' pages are away, and for whom no code runs."""

    players: Sequence[Agent] = ()
    lost: list[AgentId] = attrs.Factory(list[AgentId])

    async def present(self) -> Sequence[Agent]:
        return self.players

    def is_played(self, player: Player) -> bool:
        return False

    async def happen(self, agent_id: AgentId, event: Ends) -> None:
        self.lost.append(agent_id)


def at_work(count: int) -> list[Agent]:
    one = an_agent(AgentStatus.IN_TASK)
    return [attrs.evolve(one, id=AgentId(n), wire_id=WireId(f"w{n}")) for n in range(count)]


def a_stage(house: House, players: Sequence[Agent]) -> tuple[Stage, Unaccompanied]:
    nothing: Any = None
    cast = Unaccompanied(house.storage, nothing, house.data, nothing, nothing, lambda: math.inf, players)
    rules = LiveRules(grace_s=GRACE_S)
    tools = StageTools(house, cast, nothing, rules, house.user_code, nothing, nothing, lambda: None)
    return Stage(tools), cast


async def lost_of(serve: Callable[[Sequence[RouterLink]], Any]) -> None:
    with trio.move_on_after(2 * GRACE_S):
        await serve(up_links())


async def test_all_who_are_at_work_are_known_again(autojump_clock: MockClock, house: House) -> None:
    players = at_work(2 * AGENTS_A_TURN + 1)
    stage, cast = a_stage(house, players)
    await stage.take_up()
    await lost_of(stage.serve)
    assert sorted(cast.lost) == [player.id for player in players]


async def test_who_is_dismissed_while_others_are_taken_up_is_not_known_again(
    autojump_clock: MockClock, house: House
) -> None:
    *others, last = at_work(2 * AGENTS_A_TURN + 1)  # two turns before the last of them has theirs
    stage, cast = a_stage(house, [*others, last])
    async with trio.open_nursery() as nursery:
        nursery.start_soon(stage.take_up)
        nursery.start_soon(dismiss, stage, last)
    await lost_of(stage.serve)
    assert sorted(cast.lost) == [player.id for player in others]


async def dismiss(stage: Stage, agent: Agent) -> None:
    await trio.lowlevel.checkpoint()
    stage.changed(attrs.evolve(agent, status=AgentStatus.DISCONNECT))


@pytest.mark.parametrize("turns", range(8))  # some of them are while graces begin
@pytest.mark.parametrize("what", ["came", "forget"])
async def test_who_came_or_ended_while_others_graces_began_is_not_lost(
    autojump_clock: MockClock, what: str, turns: int
) -> None:
    lost: list[WireId] = []

    async def is_lost(wire_id: WireId) -> None:
        lost.append(wire_id)

    attendance = Attendance(GRACE_S, is_lost, lambda wire_id, present: None)
    *others, last = (WireId(f"w{n}") for n in range(AWAY_A_TURN + 1))
    for wire_id in [*others, last]:
        attendance.expect(wire_id)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(attendance.watch, up_links())
        for _ in range(turns):
            await trio.lowlevel.checkpoint()
        getattr(attendance, what)(last)
        await trio.sleep(2 * GRACE_S)
        nursery.cancel_scope.cancel()
    assert sorted(lost) == sorted(others)
