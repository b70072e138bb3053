"""Real processes, killed in mid-run: nothing that was acknowledged is lost, nothing is done twice."""

import socket
import sys
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
import trio
from click.testing import CliRunner

from crowdd.cli import crowdd
from crowdd.storage.errors import LeaseLost, StorageFailed
from crowdd.testing.bots import BotPlan, run_bots
from crowdd.testing.history import History

from ..process_table import LOOK_S
from .processes import READY_S, Daemon, a_task
from .trouble import Trouble, broken_promises, facts_of, go_through, patient

pytestmark = pytest.mark.system

ROWS = 120
WORKERS = 8
PLAN = patient(BotPlan(WORKERS, seed=7, arrive_s=0.2, think_s=0.25, reload=0.05, double=0.1, give_back=0.03))


async def broken_despite(daemon: Daemon, tmp_path: Path, trouble: Trouble) -> list[str]:
    """A run with workers, `trouble` twice in the middle of it, and its end: which promises were broken."""
    await daemon.start()
    label = await daemon.launch(a_task(tmp_path, ROWS))
    links, history = await daemon.links(label, WORKERS), History()

    async def until_done(units: int) -> None:
        await daemon.until(label, lambda shown: shown.units_done >= units)

    moments = [partial(until_done, ROWS // 6), partial(until_done, ROWS // 3)]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(run_bots, PLAN, links, None, history)
        healed_at = await go_through(daemon, label, history, [(moment, trouble) for moment in moments])
        await daemon.until(label, lambda shown: shown.state == "completed")
    assert await daemon.terminate() == 0, daemon.log
    return broken_promises(history, await facts_of(daemon), healed_at)


async def test_flt1_a_daemon_killed_in_mid_run_loses_and_doubles_nothing(
    daemon: Daemon, tmp_path: Path
) -> None:
    assert await broken_despite(daemon, tmp_path, daemon.kill_and_restart) == []


async def test_a_router_killed_in_mid_run_loses_and_doubles_nothing(daemon: Daemon, tmp_path: Path) -> None:
    assert await broken_despite(daemon, tmp_path, daemon.kill_router) == []


async def test_flt1_daemon_and_router_killed_together_lose_and_double_nothing(
    daemon: Daemon, tmp_path: Path
) -> None:
    assert await broken_despite(daemon, tmp_path, daemon.kill_both) == []


async def test_a_daemon_killed_while_a_task_is_unpacked_leaves_none_of_it(daemon: Daemon) -> None:
    await daemon.start()
    scratch = daemon.data / "scratch"
    with closing(socket.socket(socket.AF_UNIX)) as launching:
        launching.connect(str(daemon.data / "control"))
        launching.send(b"POST /v1/runs HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhalf")
        with trio.fail_after(READY_S):
            while not list(scratch.glob("*/task.tar.gz")):
                await trio.sleep(LOOK_S)
        daemon.kill()
    assert list(scratch.iterdir()) != []
    await daemon.start()
    assert not scratch.exists()
    assert await daemon.terminate() == 0, daemon.log


async def test_a_second_daemon_on_the_same_store_is_refused_and_told_who_holds_it(
    daemon: Daemon, tmp_path: Path
) -> None:
    await daemon.start()
    assert daemon.process is not None
    second = await trio.run_process(
        [
            sys.executable,
            "-m",
            "crowdd.cli",
            "serve",
            "--data",
            str(daemon.data),
            "--control",
            str(tmp_path / "other"),
        ],
        check=False,
        capture_stderr=True,
    )
    assert second.returncode == 78
    assert str(daemon.process.pid) in second.stderr.decode()


@pytest.mark.parametrize("beside", [[], [ValueError("a bug")], [StorageFailed("the disk failed")]])
def test_a_lost_store_has_its_exit_status_whatever_else_went_wrong(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, beside: list[Exception]
) -> None:
    async def lost(*_asked: object) -> None:
        await trio.lowlevel.checkpoint()
        raise ExceptionGroup("lost", [*beside, LeaseLost("epoch 2 has taken this store")])

    monkeypatch.setattr("crowdd.daemon.service.serve_daemon", lost)
    ended = CliRunner().invoke(crowdd, ["serve", "--data", str(tmp_path)])
    assert (ended.exit_code, "epoch 2" in ended.output) == (76, True)


async def test_a_control_socket_in_the_way_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    options = ["--data", str(tmp_path / "data"), "--control", str(tmp_path / "taken")]
    command = [sys.executable, "-m", "crowdd.cli", "serve", *options]
    ended = await trio.run_process(command, check=False, capture_stderr=True)
    assert (ended.returncode, b"Traceback" in ended.stderr) == (1, False)
    assert b"is in the way" in ended.stderr
