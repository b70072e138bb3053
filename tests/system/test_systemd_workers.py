"""The services with workers at work: kills, restarts, stops, over a router that is a service of its own."""

import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio

from crowdd.protocol.names import AgentStatus, UnitStatus
from crowdd.testing.bots import BotPlan, run_bots
from crowdd.testing.checker import check_history
from crowdd.testing.history import History
from crowdd.testing.tables import DAEMON_TABLES

from .machine import CROWDCTL, DAEMON, Machine
from .machine_work import REMOTE, at_work, done, facts_of, launch
from .processes import a_task

__all__ = ["launch"]

PATIENCE_S = 30.0
KILLS = 20
STUBBORN = """
import trio
from crowdd.daemon.blueprints.live import LiveBlueprint

class Blueprint(LiveBlueprint):
    async def run_unit(self, unit, agent):
        while True:  # swallows its cancellation: nobody may do that
            try:
                await trio.sleep(0.2)
            except trio.Cancelled:
                pass
"""

pytestmark = pytest.mark.system


def _is_another(machine: Machine, before: str) -> bool:
    return machine.show("MainPID") != before and machine.show("ActiveState") == "active"


async def test_flt13_twenty_kills_of_the_daemon_under_load_lose_and_double_nothing(
    with_router: Machine, launch: Callable[..., Any], tmp_path: Path
) -> None:
    run, links = await launch(6, a_task(tmp_path, 400, REMOTE))
    history, plan = (
        History(clock=time.monotonic),
        BotPlan(6, seed=13, arrive_s=0.1, think_s=0.2, double=0.1, reload=0.05),
    )

    def kill() -> None:
        for number in range(KILLS):
            if number % 5 == 0:  # systemd gives up a service that falls ten times a minute
                with_router.run("systemctl", "reset-failed", DAEMON)
            before = with_router.show("MainPID")
            with_router.run("kill", f"-{signal.SIGKILL}", before)
            with_router.until("it is ready again", partial(_is_another, with_router, before))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(run_bots, plan, links, None, history)
        await trio.to_thread.run_sync(kill)
        healed_at = time.monotonic()
        await trio.to_thread.run_sync(done, with_router, run, KILLS)
        with_router.crowdctl("stop", str(run))
    facts = await facts_of(with_router, run, tmp_path / "copy.db")
    assert check_history(history.entries, facts, DAEMON_TABLES, healed_at=healed_at) == []


async def test_a_stop_tells_every_page_and_ends_well(
    with_router: Machine, launch: Callable[..., Any], tmp_path: Path
) -> None:
    run, links = await launch(5, a_task(tmp_path, 5, REMOTE), "limits.grace_s=1")
    async with at_work(links) as pages:
        await trio.to_thread.run_sync(with_router.run, "systemctl", "stop", "crowdd.socket", DAEMON)
        with trio.fail_after(PATIENCE_S):
            while not all(page.told and page.told[-1][0] == "disconnect" for page in pages):
                await trio.sleep(0.02)
        assert all("Your work is kept" in page.told[-1][1] for page in pages)
    assert (with_router.show("Result"), with_router.show("ExecMainStatus")) == ("success", "0")
    facts = await facts_of(with_router, run, tmp_path / "copy.db")
    assert {(agent.status, agent.reason) for agent in facts.agents} == {(AgentStatus.DISCONNECT, "shutdown")}
    assert {unit.status for unit in facts.units} == {UnitStatus.ASSIGNED}


async def test_a_stop_with_work_that_goes_on_takes_longer_than_systemd_s_limit(
    with_router: Machine, launch: Callable[..., Any], tmp_path: Path
) -> None:
    with with_router.with_drop_in(DAEMON, "[Service]", "TimeoutStopSec=2"):
        await trio.to_thread.run_sync(with_router.run, "systemctl", "restart", DAEMON)
        _, links = await launch(1, a_task(tmp_path, 1, REMOTE), "limits.grace_s=5")
        async with at_work(links):
            await trio.to_thread.run_sync(with_router.run, "systemctl", "stop", DAEMON)
        assert (with_router.show("Result"), with_router.show("ExecMainStatus")) == ("success", "0")


async def test_a_stop_that_a_task_s_code_holds_up_is_ended_by_force_and_the_store_is_whole(
    with_router: Machine, launch: Callable[..., Any], tmp_path: Path
) -> None:
    task = a_task(tmp_path, 1, REMOTE, "live")
    (task / "task.py").write_text(STUBBORN)
    toml = Path("/etc/crowdd/crowdd.toml")
    with_router.write(toml, "[pace]\ngoodbye_s = 0.5\n")
    await trio.to_thread.run_sync(with_router.run, "systemctl", "restart", DAEMON)
    run, links = await launch(1, task, "limits.grace_s=0")
    async with at_work(links):
        await trio.to_thread.run_sync(with_router.run, "systemctl", "stop", DAEMON)
    assert (with_router.show("Result"), with_router.show("ExecMainStatus")) == ("exit-code", "70")
    assert "the stop is stuck" in with_router.journal()
    with_router.run("rm", str(toml))
    check = ("runuser", "-u", "crowdd", "--", "/opt/crowdd/bin/crowdd", "storage", "check")
    assert "everything holds" in with_router.run(*check, "--data", "/var/lib/crowdd")
    await trio.to_thread.run_sync(with_router.fresh)
    with_router.run(CROWDCTL, "stop", str(run), "--now")


async def test_a_restart_for_an_upgrade_disconnects_nobody(
    with_router: Machine, launch: Callable[..., Any], tmp_path: Path
) -> None:
    run, links = await launch(5, a_task(tmp_path, 5, REMOTE))
    before = with_router.show("MainPID")
    async with at_work(links) as pages:
        said = await trio.to_thread.run_sync(with_router.run, CROWDCTL, "restart")
        assert "The daemon is back after" in said
        assert with_router.show("MainPID") != before
        for page in pages:
            assert (await page.submit({"kind": "a"})).status == "Submitted!"
            assert {status for status, _ in page.told} <= {"in task", "completed"}
    await trio.to_thread.run_sync(done, with_router, run, 5)  # the router may have answered for the daemon
    facts = await facts_of(with_router, run, tmp_path / "copy.db")
    assert [agent.status for agent in facts.agents] == [AgentStatus.COMPLETED] * 5
