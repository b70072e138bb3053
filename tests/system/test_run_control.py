"""Staff change runs of a real daemon that is killed meanwhile: what a command said is so afterwards."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import trio

from crowdd.client.errors import DaemonUnreachable, NoSuchRun
from crowdd.storage import check_store

from ..process_table import files_of
from .processes import READY_S, Daemon, a_task
from .test_crowdctl import bots, crowdctl, done

pytestmark = pytest.mark.system

MANY_ROWS = 4000
STEP_LOOK_S = 0.002


async def test_a_run_is_paused_and_extended_and_its_daemon_killed_and_it_goes_on_so(
    daemon: Daemon, tmp_path: Path
) -> None:
    more = tmp_path / "more.csv"
    more.write_text("text,_truth\nword 90,90\nword 91,91\n")
    await daemon.start()
    await done(daemon, "launch", str(a_task(tmp_path, 3)), "label=words", "limits.max_num_concurrent_units=1")
    assert "Run words is paused" in await done(daemon, "pause", "words", "--why", "lunch")
    told = await done(
        daemon, "extend", "words", "--rows", str(more), "--max-concurrent-units", "0", "--pay", "0.30"
    )
    assert "2 rows added" in told
    daemon.kill()
    await daemon.start()

    assert "running (paused)" in await done(daemon, "runs")
    assert "lunch" in await done(daemon, "show", "words")
    await done(daemon, "resume", "words")
    await bots(await daemon.links("words", 1))
    await daemon.until("words", lambda shown: shown.state == "completed")
    await done(daemon, "export", "words", "-o", str(tmp_path / "words.csv"))
    exported = (tmp_path / "words.csv").read_text()
    assert all(f"word {number}" in exported for number in (0, 1, 2, 90, 91))
    refused = await crowdctl(daemon, "extend", "words", "--pay", "0.40")
    assert (refused.returncode, "has ended: it is completed" in refused.stderr) == (1, True)
    assert await daemon.terminate() == 0
    async with daemon.store() as storage:
        run = await storage.run_by_label("words")
        assert [unit.pay_cents for unit in await storage.units(run.id)] == [0, 30, 30, 30, 30]
        assert run.config["pay"]["reward"] == "0.30"


def folder_is_gone(daemon: Daemon, _shown: Any) -> bool:
    return not (daemon.data / "runs" / "1").exists()


def records_go(_daemon: Daemon, shown: Any) -> bool:
    return bool(shown.units_total < MANY_ROWS)


def is_marked(_daemon: Daemon, shown: Any) -> bool:
    return bool(shown.deleting)


@pytest.mark.parametrize("moment", [is_marked, folder_is_gone, records_go])
async def test_a_run_whose_daemon_is_killed_while_it_is_deleted_is_gone_after_the_next_start(
    daemon: Daemon, tmp_path: Path, moment: Callable[[Daemon, Any], bool]
) -> None:
    await daemon.start()
    label = await daemon.launch(a_task(tmp_path, MANY_ROWS))
    kept = await daemon.launch(a_task(tmp_path / "other", 3), "label=kept")
    await daemon.until(label, lambda shown: shown.units_total == MANY_ROWS)
    await daemon.ask("stop", label, True)
    await daemon.until(label, lambda shown: shown.state == "stopped")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(delete, daemon, label)
        with trio.fail_after(READY_S), suppress(NoSuchRun):
            while not moment(daemon, await daemon.ask("show", label)):
                await trio.sleep(STEP_LOOK_S)
        daemon.kill()
    await daemon.start()
    with trio.fail_after(READY_S):
        while [run.label for run in await daemon.ask("runs")] != [kept]:
            await trio.sleep(STEP_LOOK_S)
    assert await daemon.terminate() == 0
    assert check_store(daemon.data / "crowdd.db") == []
    assert [path.name for path in (daemon.data / "runs").iterdir()] == ["2"]
    assert len(list((daemon.data / "tasks").iterdir())) == 1


async def test_a_run_that_is_deleted_while_its_task_is_broken_leaves_no_router_running(
    daemon: Daemon, tmp_path: Path
) -> None:
    await daemon.start()
    label = await daemon.launch(a_task(tmp_path, 1))
    await daemon.ask("stop", label, True)
    await daemon.until(label, lambda shown: shown.state == "stopped")
    (router,) = daemon.router_pids()
    daemon.kill()
    (task,) = (daemon.data / "tasks").iterdir()
    (task / "task.py").write_text("no Python")
    await daemon.start()
    assert (await daemon.ask("delete", label)).left == ()
    assert [*files_of(router)] == []


async def delete(daemon: Daemon, label: str) -> None:
    with suppress(DaemonUnreachable, NoSuchRun):
        await daemon.ask("delete", label)
