"""FLT18, FLT19, FLT20: what the units' limits of memory, processor and tasks do to those at work."""

import time
from collections.abc import Callable
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest
import trio

from crowdd.protocol.names import AgentStatus
from crowdd.testing.bots import BotPlan, run_bots
from crowdd.testing.checker import check_history
from crowdd.testing.history import History
from crowdd.testing.tables import DAEMON_TABLES

from .machine import CROWDCTL, DAEMON, ROUTER, Machine
from .machine_work import REMOTE, at_work, done, facts_of, launch
from .processes import a_task

__all__ = ["launch"]

HOLDERS = 5  # of threads; so many of them are not idle at a time
GO = "/var/lib/crowdd/go"
TASK = 'name = "odd"\n[blueprint]\ntype = "static"\n'
GLUTTON = "hoard = []\nwhile True:\n    hoard.append(b'x' * (16 << 20))\n"
HOLDER = f"import os, time\nwhile not os.path.exists({GO!r}):\n    time.sleep(0.05)\n"

pytestmark = pytest.mark.system


def odd_task(machine: Machine, code: str) -> str:
    """A task folder on the machine whose task.py does this as soon as the daemon reads it."""
    folder = Path("/srv/odd")
    machine.write(folder / "task.toml", TASK)
    machine.write(folder / "data.jsonl", '{"text": "a"}\n')
    machine.write(folder / "page" / "index.html", "<form>${text} <input name=a></form>")
    machine.write(folder / "task.py", code)
    return str(folder)


def memory_kills() -> int:
    """How many processes the kernel has killed for their memory."""
    return int(dict(line.split() for line in Path("/proc/vmstat").read_text().splitlines())["oom_kill"])


async def test_flt18_a_daemon_that_the_kernel_kills_for_its_memory_comes_back_and_has_lost_nothing(
    with_router: Machine, launch: Callable[..., Any], tmp_path: Path
) -> None:
    run, links = await launch(4, a_task(tmp_path, 400, REMOTE))
    history, plan = History(clock=time.monotonic), BotPlan(4, seed=18, arrive_s=0.1, think_s=0.2, double=0.1)
    glutton, kills, before = odd_task(with_router, GLUTTON), memory_kills(), with_router.show("NRestarts")

    def eat() -> None:
        done(with_router, run, 4)
        with with_router.limited(DAEMON, "MemoryMax=256M"):
            with_router.refused(CROWDCTL, "launch", glutton, "--dry-run")
            with_router.restarted(int(before) + 1)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(run_bots, plan, links, None, history)
        await trio.to_thread.run_sync(eat)
        healed_at, so_far = time.monotonic(), with_router.crowdctl("show", str(run))["units_done"]
        await trio.to_thread.run_sync(done, with_router, run, so_far + 4)
        with_router.crowdctl("stop", str(run))
    assert memory_kills() > kills
    facts = await facts_of(with_router, run, tmp_path / "copy.db")
    assert check_history(history.entries, facts, DAEMON_TABLES, healed_at=healed_at) == []


async def test_flt19_with_a_fraction_of_a_processor_nobody_is_taken_for_dead(
    with_router: Machine, launch: Callable[..., Any], tmp_path: Path
) -> None:
    run, links = await launch(8, a_task(tmp_path, 800, REMOTE))
    _, quiet_links = await launch(3, a_task(tmp_path / "quiet", 3, REMOTE))
    history, plan = History(clock=time.monotonic), BotPlan(8, seed=19, arrive_s=0.1, think_s=0.0)
    router_since = with_router.crowdctl("show", str(run))["routers"][0]["since"]
    # So little that both of them have to wait for it, with bots that do not think.
    with with_router.limited(DAEMON, "CPUQuota=10%"), with_router.limited(ROUTER, "CPUQuota=3%"):
        before = [with_router.throttled(unit) for unit in (DAEMON, ROUTER)]
        async with at_work(quiet_links) as pages, trio.open_nursery() as nursery:
            nursery.start_soon(run_bots, plan, links, None, history)
            await trio.to_thread.run_sync(done, with_router, run, 30)
            assert {status for page in pages for status, _ in page.told} <= {"in task"}
            for page in pages:
                assert (await page.submit({"kind": "a"})).status == "Submitted!"
            with_router.crowdctl("stop", str(run))
        after = [with_router.throttled(unit) for unit in (DAEMON, ROUTER)]
        assert all(then < now for then, now in zip(before, after, strict=True))
    assert [with_router.show("NRestarts", unit) for unit in (DAEMON, ROUTER)] == ["0", "0"]
    assert with_router.crowdctl("show", str(run))["routers"][0]["since"] == router_since
    facts = await facts_of(with_router, run, tmp_path / "copy.db")
    assert {agent.status for agent in facts.agents} == {AgentStatus.COMPLETED}
    assert len(facts.agents) >= 30
    assert check_history(history.entries, facts, DAEMON_TABLES) == []


def with_no_thread_left(machine: Machine) -> list["Popen[str]"]:
    """Have the code of tasks hold every thread that the daemon may have; those who wait for that code."""
    holder = odd_task(machine, HOLDER)
    asked = [machine.background(CROWDCTL, "launch", holder, "--dry-run") for _ in range(HOLDERS)]
    machine.until("none is left", lambda: any(each.poll() is not None for each in asked))
    return asked


async def test_flt20_at_the_limit_of_tasks_those_at_work_go_on_and_staff_are_told(
    with_router: Machine, launch: Callable[..., Any], tmp_path: Path
) -> None:
    run, links = await launch(3, a_task(tmp_path, 3, REMOTE))
    since = with_router.run("date", "+%s.%N")
    async with at_work(links[:2]) as (ann, ben):
        with with_router.limited(DAEMON, f"TasksMax={with_router.show('TasksCurrent')}"):
            asked = await trio.to_thread.run_sync(with_no_thread_left, with_router)
            assert (await ann.submit({"kind": "a"})).status == "Submitted!"
            async with at_work(links[2:]) as (cid,):
                assert (await cid.submit({"kind": "a"})).status == "Submitted!"
            assert "no thread can be started" in with_router.refused(CROWDCTL, "reload")
            done(with_router, run, 2)
            with_router.run("touch", GO)
            said = [await trio.to_thread.run_sync(each.communicate) for each in asked]
        with_router.run(CROWDCTL, "reload")
        assert (await ben.submit({"kind": "a"})).status == "Submitted!"
    with_router.run("rm", GO)
    assert any("no thread can be started" in words for words, _ in said)
    assert with_router.show("NRestarts") == "0"
    lines = with_router.run("journalctl", "-o", "cat", "--unit", DAEMON, f"--since=@{since}")
    assert "Traceback" not in lines
