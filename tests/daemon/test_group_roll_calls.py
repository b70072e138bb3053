"""Whether somebody is there: roll calls, closed pages, and what becomes of a group at the end of its wait."""

from pathlib import Path
from typing import Any

import trio
from trio.testing import MockClock

from crowdd.protocol.names import AgentStatus, UnitStatus
from crowdd.storage.records import TaskRun
from crowdd.testing.verdicts import Verdict

from .group_pages import member, units_of, until_agents
from .virtual import Virtual, open_virtual

WAITING, IN_TASK, COMPLETED = AgentStatus.WAITING, AgentStatus.IN_TASK, AgentStatus.COMPLETED
EXPIRED, DISCONNECT = AgentStatus.EXPIRED, AgentStatus.DISCONNECT


async def a_group_run(virtual: Virtual, size: int = 2, units: int = 1, **more: Any) -> TaskRun:
    return await virtual.launch(units=units, blueprint__group=str(size), **more)


async def test_who_waited_is_asked_whether_somebody_is_there_before_the_group_starts(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_group_run(virtual)
        async with member(virtual, run, "ann") as ann:
            await trio.sleep(120)
            async with member(virtual, run, "bob") as bob:
                await bob.becomes("in task")
                assert (ann.asked(), bob.asked()) == (1, 0)


async def test_who_does_not_answer_loses_the_seat_to_the_next(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_group_run(virtual)
        async with member(virtual, run, "ann", answers=False) as ann:
            await trio.sleep(120)
            async with member(virtual, run, "bob") as bob:
                await ann.becomes("disconnect")
                assert await virtual.agents(run) == [DISCONNECT, WAITING]
                async with member(virtual, run, "cat"):
                    await bob.becomes("in task")
        assert (await virtual.agents(run))[1:] == [IN_TASK, IN_TASK]


async def test_nobody_starts_with_a_partner_whose_page_is_closed(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_group_run(virtual)
        async with member(virtual, run, "ann"):
            pass
        await trio.sleep(5)
        async with member(virtual, run, "bob") as bob:
            await trio.sleep(10)
            assert await virtual.agents(run) == [WAITING, WAITING]
            await until_agents(virtual, run, DISCONNECT, WAITING)
            async with member(virtual, run, "cat"):
                await bob.becomes("in task")


async def test_at_the_limit_a_group_that_is_large_enough_starts_without_the_rest(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_group_run(virtual, size=3, blueprint__group_min="2", blueprint__waiting__limit_s="60")
        async with member(virtual, run, "ann") as ann, member(virtual, run, "bob") as bob:
            await ann.becomes("in task")
            await bob.becomes("in task")
            assert await units_of(virtual, run) == [
                UnitStatus.ASSIGNED,
                UnitStatus.ASSIGNED,
                UnitStatus.EXPIRED,
            ]
            await ann.live.send({"text": "two of us"})
            await bob.live.until(1)


PARTNER = """
async def simulated_partner(partner):
    told = await partner.receive()
    await partner.send({"answer to": told["update"]["text"]})
    return {"row": partner.unit.assignment.row}
"""


async def test_at_the_limit_a_simulated_partner_takes_the_seat_talks_and_submits(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_group_run(virtual, code=PARTNER, blueprint__waiting__limit_s="60")
        async with member(virtual, run, "ann") as ann:
            await ann.becomes("in task")
            await ann.live.send({"text": "anybody?"})
            assert await ann.live.until(1) == [{"from": 1, "update": {"answer to": "anybody?"}}]
            assert (await ann.page.submit({})).verdict is Verdict.OK
        await until_agents(virtual, run, COMPLETED, COMPLETED)
        _, partner = await virtual.storage.agents(run.id)
        assert partner.provider_data == {"simulated": True}
        assert (await virtual.storage.submission(partner.id)).data == b'{"row":0}'
        assert await virtual.storage.owed(run.id) == []
