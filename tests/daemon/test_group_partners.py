"""Simulated partners whose part is over before anybody played it, or who find their seat taken."""

import random
from types import SimpleNamespace
from typing import Any, cast

import pytest
import trio
from trio.testing import MockClock

from crowdd.daemon.grouping.partners import Partners, PartnerTools
from crowdd.daemon.grouping.seats import SIMULATED
from crowdd.protocol.names import AgentStatus, UnitStatus


def in_status(status: AgentStatus) -> Any:
    return SimpleNamespace(id=7, unit_id=1, assignment_id=1, status=status, provider_data={SIMULATED: True})


async def test_a_partner_whose_part_ends_before_it_begins_is_not_played(autojump_clock: MockClock) -> None:
    played: list[Any] = []

    async def play(partner: Any) -> None:
        played.append(partner)

    storage = SimpleNamespace(unit=trio.sleep, assignment=trio.sleep)
    tools: Any = SimpleNamespace(
        blueprint=SimpleNamespace(play_partner=lambda: play), house=SimpleNamespace(storage=storage)
    )
    partners = Partners(cast(PartnerTools, tools))
    partners.changed(in_status(AgentStatus.IN_TASK))
    partners.changed(in_status(AgentStatus.DISCONNECT))
    with trio.move_on_after(10):
        await partners.serve()
    assert played == []


@pytest.mark.parametrize(
    ("status", "can_be_had"), [(UnitStatus.ASSIGNED, True), (UnitStatus.LAUNCHED, False)]
)
async def test_partners_can_be_had_until_one_is_refused_a_seat_that_is_free(
    status: UnitStatus, can_be_had: bool
) -> None:
    async def given(*args: Any) -> Any:
        await trio.lowlevel.checkpoint()
        return SimpleNamespace(id=1, unit_index=0, status=status, reason="candidates_gone")

    storage = SimpleNamespace(register_worker=given, reserve=given, unit=given)
    house = SimpleNamespace(storage=storage, wall=lambda: None, rng=random.Random(1))
    blueprint = SimpleNamespace(play_partner=lambda: given)
    tools: Any = SimpleNamespace(blueprint=blueprint, house=house, run=SimpleNamespace(id=1, key=b"k" * 32))
    partners = Partners(cast(PartnerTools, tools))
    await partners.fill([await given()])
    assert partners.can_be_had is can_be_had
