"""Many agents ended at once, while their pages go on submitting."""

from collections.abc import Sequence
from typing import Any, cast

import attrs
import pytest

from crowdd.daemon import goodbye
from crowdd.daemon.house import House
from crowdd.daemon.lifecycle import Dismissed
from crowdd.protocol.names import AgentStatus, RunId, UnitId
from crowdd.storage.contract import Storage
from crowdd.storage.errors import StorageFailed
from crowdd.storage.records import Agent, Unit

from .desk import Desk, a_desk


async def submitted_between(desk: Desk, house: House, first: str) -> Sequence[Agent]:
    """The active agents as they were before the first of them submitted."""
    details = await desk.agent(first)
    await desk.agent("bob")
    agents = await house.storage.reserved_agents(RunId(desk.run.id))
    await desk.submit(details, {})
    return agents


async def test_who_submits_while_staff_stop_the_run_keeps_nobody_else_from_being_dismissed(
    house: House,
) -> None:
    desk = await a_desk(house)
    agents = await submitted_between(desk, house, "ann")
    await goodbye.end_all(list(agents), lambda agent: Dismissed(), house, desk.runner)
    statuses = [(await house.storage.agent(agent.id)).status for agent in agents]
    assert statuses == [AgentStatus.COMPLETED, AgentStatus.DISCONNECT]


@attrs.define(eq=False)
class LostUnits:
    """A store that fails whenever a unit is read."""

    storage: Storage

    async def unit(self, unit_id: UnitId) -> Unit:
        raise StorageFailed("the disk is gone")

    def __getattr__(self, name: str) -> Any:
        return getattr(self.storage, name)


async def test_a_store_that_is_lost_on_the_way_is_told_as_it_is(house: House) -> None:
    desk = await a_desk(house)
    for name in ("ann", "bob"):
        await desk.agent(name)
    agents = await house.storage.reserved_agents(RunId(desk.run.id))
    lost = attrs.evolve(house, storage=cast(Storage, LostUnits(house.storage)))
    with pytest.raises(StorageFailed):
        await goodbye.end_all(list(agents), lambda agent: Dismissed(), lost, desk.runner)
