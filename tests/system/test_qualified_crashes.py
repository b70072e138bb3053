"""Real processes, killed in mid-run of a task with onboarding, gold and hooks: all promises hold."""

import sys
from functools import partial
from pathlib import Path

import pytest
import trio

from crowdd.testing.bots import BotPlan, run_bots
from crowdd.testing.history import History

from .processes import Daemon, a_task
from .trouble import Moment, Trouble, broken_promises, facts_of, go_through, patient

pytestmark = pytest.mark.system

ROWS, WORKERS = 60, 8
PLAN = patient(BotPlan(WORKERS, seed=5, arrive_s=0.2, think_s=0.25, reload=0.1, double=0.1))
SECTIONS = """
[limits]
allowed_concurrent = 1
[onboarding]
qualification = "introduced"
[gold]
qualification_base = "known"
max_units = 40
max_incorrect_golds = 9
"""
CODE = """
import itertools, time, random
number = itertools.count()
def validate_onboarding(worker, data):
    time.sleep(random.random() / 4)
    return worker.id != 3
def gold_for_worker(worker):
    return {"text": "gold", "n": next(number)}
def worker_can_do_unit(worker, unit):
    return True
def on_unit_submitted(agent):
    time.sleep(random.random() / 4)
    if random.random() < 0.05:
        raise KeyboardInterrupt
    return agent.data["kind"] == "a"
"""


async def test_daemon_and_router_killed_among_onboardings_golds_and_hooks_keep_every_promise(
    daemon: Daemon, tmp_path: Path
) -> None:
    task = a_task(tmp_path, ROWS, SECTIONS)
    (task / "task.py").write_text(CODE)
    await daemon.start()
    label = await daemon.launch(task)
    links, history = await daemon.links(label, WORKERS), History()

    async def until_done(units: int) -> None:
        await daemon.until(label, lambda shown: shown.units_done >= units)

    troubles: list[tuple[Moment, Trouble]] = [
        (partial(until_done, 2), daemon.kill_and_restart),
        (partial(until_done, ROWS // 4), daemon.kill_both),
        (partial(until_done, ROWS // 2), daemon.kill_and_restart),
    ]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(run_bots, PLAN, links, None, history)
        healed_at = await go_through(daemon, label, history, troubles)
        await daemon.until(label, lambda shown: shown.state == "completed")
    assert await daemon.terminate() == 0, daemon.log
    facts = await facts_of(daemon)
    assert broken_promises(history, facts, healed_at) == []
    assert {decision.kind for decision in facts.decisions} >= {"admission", "onboarding", "gold"}
    check = [sys.executable, "-m", "crowdd.cli", "storage", "check", "--data", str(daemon.data)]
    checked = await trio.run_process(check, check=False, capture_stdout=True, capture_stderr=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr
