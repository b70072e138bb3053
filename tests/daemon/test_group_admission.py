"""How workers come into groups: onboarded first, screened alone, kept apart from seats they had before."""

from pathlib import Path

import trio
from trio.testing import MockClock

from crowdd.protocol.names import AgentStatus
from crowdd.testing.verdicts import Verdict

from .group_pages import member
from .virtual import open_virtual

WAITING, IN_TASK, COMPLETED = AgentStatus.WAITING, AgentStatus.IN_TASK, AgentStatus.COMPLETED

ONBOARDING = """
[onboarding]
qualification = "knows the game"
"""
SCREENING = """
[limits]
allowed_concurrent = 1
[screening]
qualification = "screened"
max_units = 5
"""
SCREENED = """
def screening_units():
    while True:
        yield {"question": "2 + 2"}

def on_unit_submitted(agent):
    return agent.unit.index == -1 and agent.data == {"answer": 4}
"""


async def test_s6_a_new_worker_of_a_group_task_is_onboarded_before_a_seat_is_taken(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        code = "def validate_onboarding(worker, data):\n    return True\n"
        run = await virtual.launch(units=1, sections=ONBOARDING, code=code, blueprint__group="2")
        page = await virtual.page(run, "ann")
        assert (await page.register()).status == "onboarding"
        assert await virtual.agents(run) == []
        passed = await page.submit_onboarding({})
        assert (passed.verdict, passed.status) == (Verdict.OK, "waiting")
        assert passed.told["waiting"]["size"] == 2
        assert await virtual.agents(run) == [WAITING]


async def test_a_screening_unit_of_a_group_task_is_done_alone(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(
            units=1, sections=SCREENING, code=SCREENED, blueprint__group="2", block_qualification="failed"
        )
        async with member(virtual, run, "ann") as ann, member(virtual, run, "bob"):
            assert ann.told["status"] == "in task"
            assert await virtual.agents(run) == [IN_TASK, IN_TASK]
            await ann.live.send({"text": "alone"})
            assert [update["echo"]["text"] for update in await ann.live.until(1)] == ["alone"]
            assert (await ann.page.submit({"answer": 4})).verdict is Verdict.OK
            await trio.sleep(1)
            after = await ann.page.register(after=ann.page.agent)
            assert after.status == "waiting"
            assert await virtual.agents(run) == [COMPLETED, IN_TASK, WAITING]
