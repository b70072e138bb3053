"""FLT16: the wall clock jumps under the daemon; nobody's time ends early for it, and nobody's never."""

from datetime import datetime, timedelta
from pathlib import Path

import attrs
import pytest
import trio
from trio.testing import MockClock

from crowdd.daemon.clock import simulated_wall
from crowdd.protocol.names import AgentStatus
from crowdd.testing.verdicts import Verdict

from .virtual import Virtual, open_virtual

DAY_S = 86_400
DURATION_S = 600
REJOIN_S = 120
A_WHILE_S = 30
JUMPS = pytest.mark.parametrize("jump_s", [DAY_S, -DAY_S, 3_600, -3_600], ids=lambda jump_s: f"{jump_s:+d}s")
WORKING, OVER = [AgentStatus.IN_TASK], [AgentStatus.TIMEOUT]


@attrs.define
class JumpingWall:
    """A clock that somebody sets while the daemon runs."""

    ahead_s: float = 0.0

    def __call__(self) -> datetime:
        return simulated_wall() + timedelta(seconds=self.ahead_s)


def given_a_clock(virtual: Virtual) -> JumpingWall:
    wall = JumpingWall()
    virtual.daemon.wall = wall
    return wall


LIMITS = {"limits__assignment_duration_s": str(DURATION_S), "limits__rejoin_s": str(REJOIN_S)}


@JUMPS
async def test_flt16_time_runs_as_it_did_when_the_clock_jumps(
    tmp_path: Path, autojump_clock: MockClock, jump_s: int
) -> None:
    async with open_virtual(tmp_path) as virtual:
        wall = given_a_clock(virtual)
        run = await virtual.launch(units=1, **LIMITS)
        await virtual.at_work(run, "ann")
        wall.ahead_s = jump_s
        await trio.sleep(DURATION_S - A_WHILE_S)
        assert await virtual.agents(run) == WORKING
        await trio.sleep(2 * A_WHILE_S)
        assert await virtual.agents(run) == OVER


@JUMPS
async def test_flt16_over_a_restart_nobody_s_time_ends_at_once_and_it_ends_after_a_whole_one(
    tmp_path: Path, autojump_clock: MockClock, jump_s: int
) -> None:
    async with open_virtual(tmp_path) as virtual:
        wall = given_a_clock(virtual)
        run = await virtual.launch(units=1, **LIMITS)
        await virtual.at_work(run, "ann")
        virtual.daemon.kill(1.0)
        wall.ahead_s = jump_s
        await trio.sleep(2.0)
        await virtual.until_live(run.id)
        await trio.sleep(REJOIN_S - A_WHILE_S)
        assert await virtual.agents(run) == WORKING
        await trio.sleep(DURATION_S + 2 * A_WHILE_S)
        assert await virtual.agents(run) == OVER


@JUMPS
async def test_flt16_who_is_at_work_when_the_clock_jumps_hands_in_as_ever(
    tmp_path: Path, autojump_clock: MockClock, jump_s: int
) -> None:
    async with open_virtual(tmp_path) as virtual:
        wall = given_a_clock(virtual)
        run = await virtual.launch(units=2, **LIMITS)
        ann = await virtual.at_work(run, "ann")
        wall.ahead_s = jump_s
        ben = await virtual.at_work(run, "ben")
        wall.ahead_s = -jump_s
        for page in (ben, ann):
            assert (await page.submit({"done": True})).verdict is Verdict.OK
        assert await virtual.agents(run) == [AgentStatus.COMPLETED] * 2
