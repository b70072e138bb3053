"""Processes that are forked from one that has everything imported: started, ended, never left behind."""

import os
import re
import signal
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import trio

from crowdd.testing.certify.crowd import Browsers
from crowdd.testing.certify.scene import open_scene
from crowdd.testing.certify.tasks import TESTED
from crowdd.testing.certify.zygote import PROGRAM as COMMAND
from crowdd.testing.certify.zygote import Started, Zygote, start_zygote

pytestmark = pytest.mark.system

PROGRAM = "tests.certify.programs:{}"
IMPORTED = re.compile(r"^imports (.+)$", re.MULTILINE)


@pytest.fixture
async def zygote(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Zygote]:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    zygote = start_zygote()
    yield zygote
    zygote.close()


async def end_of(zygote: Zygote, program: str, log: Path, *arguments: str) -> int:
    """The exit status of a program that ends by itself."""
    started = await zygote.start(arguments, log, PROGRAM.format(program))
    with trio.fail_after(20):
        while (status := await zygote.status(started)) is None:
            await trio.sleep(0.01)
    return status


async def test_a_program_has_its_arguments_its_log_and_its_exit_status(
    zygote: Zygote, tmp_path: Path
) -> None:
    assert await end_of(zygote, "echo", tmp_path / "log", "hello", "there") == 0
    assert (tmp_path / "log").read_text() == "hello there\n"
    assert await end_of(zygote, "leave", tmp_path / "log", "75") == 75


async def test_a_program_that_breaks_says_how(zygote: Zygote, tmp_path: Path) -> None:
    assert await end_of(zygote, "fail", tmp_path / "log") == 70
    assert "ValueError: planned" in (tmp_path / "log").read_text()


async def test_who_is_killed_is_told_from_who_had_ended(zygote: Zygote, tmp_path: Path) -> None:
    waiting = await zygote.start([], tmp_path / "log", PROGRAM.format("wait"))
    assert await zygote.kill(waiting) == -signal.SIGKILL
    assert await zygote.kill(waiting) == -signal.SIGKILL
    ended = await zygote.start(["3"], tmp_path / "log", PROGRAM.format("leave"))
    with trio.fail_after(20):
        while await zygote.status(ended) is None:
            await trio.sleep(0.01)
    assert await zygote.kill(ended) == 3


async def test_daemon_router_and_browsers_find_all_that_they_import(
    zygote: Zygote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = zygote.start

    async def telling(arguments: Sequence[str], log: Path, program: str = COMMAND, *more: Any) -> Started:
        return await start([program, *arguments], log, PROGRAM.format("told"), *more)

    monkeypatch.setattr(zygote, "start", telling)
    async with open_scene(tmp_path / "s", zygote) as scene:
        await scene.set_up({TESTED: (4, 2)})
        links = {run.label: run.links for run in scene.runs}
        browsers = Browsers(scene.folder, zygote, "b", links, 1)
        await browsers.part.start()
        with trio.fail_after(60):
            while scene.daemon.is_running and not browsers.new_answers():
                await trio.sleep(0.01)
        await browsers.kill()
    logs = {part.name: part.log for part in (scene.daemon, scene.router, browsers.part)}
    assert {name: IMPORTED.findall(log) for name, log in logs.items()} == {name: [] for name in logs}


class Interrupted:
    """A line on which Ctrl-C comes after an order was sent, and before its answer is read."""

    def __init__(self, line: Any) -> None:
        self._line = line

    async def send(self, order: bytes) -> int:
        await self._line.send(order)
        raise KeyboardInterrupt


async def test_an_order_that_ctrl_c_ended_does_not_answer_the_next_one(
    zygote: Zygote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = await zygote.start([], tmp_path / "log", PROGRAM.format("wait"))
    with monkeypatch.context() as ctrl_c:
        ctrl_c.setattr(zygote, "_line", Interrupted(zygote._line))  # pyright: ignore[reportPrivateUsage]  # its only way out
        with pytest.raises(KeyboardInterrupt):
            await zygote.status(waiting)
    assert await zygote.kill(waiting) == -signal.SIGKILL


async def test_what_a_zygote_started_ends_with_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    zygote = start_zygote()
    started = await zygote.start([], tmp_path / "log", PROGRAM.format("wait"))
    watched = os.pidfd_open(started.pid)
    zygote.close()
    with trio.fail_after(20):
        await trio.lowlevel.wait_readable(watched)
    os.close(watched)
