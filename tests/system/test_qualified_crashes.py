"""Real processes, killed in mid-run of a task with onboarding, gold and hooks: all promises hold."""

import os
import signal
import sys
from functools import partial
from pathlib import Path

import pytest
import trio

from crowdd.client import Snapshot
from crowdd.testing.bots import BotPlan, run_bots
from crowdd.testing.checker import check_history
from crowdd.testing.facts import read_facts
from crowdd.testing.history import History
from crowdd.testing.tables import DAEMON_TABLES

from .processes import Daemon, a_task

pytestmark = pytest.mark.system

ROWS, WORKERS = 60, 8
PLAN = BotPlan(WORKERS, seed=5, arrive_s=0.2, think_s=0.25, reload=0.1, double=0.1, no_work_tries_max=1000)
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


def _has_done(least: int, shown: Snapshot) -> bool:
    return shown.units_done >= least


async def test_daemon_and_router_killed_among_onboardings_golds_and_hooks_keep_every_promise(
    daemon: Daemon, tmp_path: Path
) -> None:
    task = a_task(tmp_path, ROWS, SECTIONS)
    (task / "task.py").write_text(CODE)
    await daemon.start()
    label = await daemon.launch(task)
    links, history = await daemon.links(label, WORKERS), History()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(run_bots, PLAN, links, None, history)
        for done, routers in ((2, False), (ROWS // 4, True), (ROWS // 2, False)):
            await daemon.until(label, partial(_has_done, done))
            daemon.kill()
            for router in daemon.router_pids() if routers else []:
                os.kill(router, signal.SIGKILL)
            await daemon.start()
        await daemon.until(label, lambda shown: shown.state == "completed")
    assert await daemon.terminate() == 0, daemon.log
    async with daemon.store() as storage:
        (run,) = await storage.runs()
        facts = await read_facts(storage, run.id)
    assert check_history(history.entries, facts, DAEMON_TABLES) == []
    assert {decision.kind for decision in facts.decisions} >= {"admission", "onboarding", "gold"}
    check = [sys.executable, "-m", "crowdd.cli", "storage", "check", "--data", str(daemon.data)]
    checked = await trio.run_process(check, check=False, capture_stdout=True, capture_stderr=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr
