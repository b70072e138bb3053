"""Live work with real processes: pairs who talk while daemon and router die lose and repeat nothing."""

import random
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio

from crowdd.testing.bots import BotPlan, run_bots
from crowdd.testing.history import History, Saw
from crowdd.testing.player_page import PlayerPage
from crowdd.testing.players import TaskPlayer

from ..process_table import LOOK_S
from .processes import READY_S, Daemon
from .trouble import Trouble, broken_promises, facts_of, go_through, patient

pytestmark = pytest.mark.system

WORDS = 40
AHEAD_MAX = 10  # of what is heard: so that there is talk in each trouble, however long it lasts
TASK = """
name = "pairs"
[blueprint]
type = "group"
size_min = 2
size_max = 2
[blueprint.drop_out]
grace_s = 60
"""
PAIRS = """
async def run_assignment(assignment, group):
    async for agent, update in group.updates():
        await group.send({"from": agent.index, **update}, but=agent)
"""
ALONE = """
async def run_unit(unit, agent):
    async for update in agent.updates():
        await agent.send({"from": 0, **update})
"""


async def talk(page: PlayerPage, data: Any, rng: random.Random) -> dict[str, Any]:
    """Say so many words, a few a second, and hear as many; the answer is what was heard."""
    heard: list[int] = []
    room = trio.Semaphore(AHEAD_MAX)

    async def say_all() -> None:
        for word in range(WORDS):
            await room.acquire()
            await page.send({"word": word})
            await trio.sleep(rng.uniform(0.05, 0.4))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(say_all)
        while len(heard) < WORDS:
            heard.append((await page.receive())["word"])
            room.release()
    return {"heard": heard}


def a_live_task(folder: Path, code: str, task: str = TASK, rows: int = 1) -> Path:
    (folder / "task" / "page").mkdir(parents=True)
    (folder / "task" / "page" / "index.html").write_text('<script src="crowdd.js"></script>')
    (folder / "task" / "task.toml").write_text(task)
    (folder / "task" / "task.py").write_text(code)
    (folder / "task" / "data.jsonl").write_text("".join(f'{{"row": {row}}}\n' for row in range(rows)))
    return folder / "task"


async def talk_despite(daemon: Daemon, task: Path, workers: int, troubles: Sequence[Trouble]) -> list[str]:
    """Let workers talk while there is trouble, to the end of the run; what the checker finds."""
    await daemon.start()
    label = await daemon.launch(task)
    links = await daemon.links(label, workers)
    history = History()
    plan = patient(BotPlan(workers, seed=3, arrive_s=0.1, think_s=0.1, metadata=0))
    share = workers * WORDS // (len(troubles) + 1)
    moments = [partial(_heard, history, share * number) for number in range(1, len(troubles) + 1)]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(run_bots, plan, links, TaskPlayer(play=talk), history)
        healed_at = await go_through(daemon, label, history, list(zip(moments, troubles, strict=True)))
        await daemon.until(label, lambda shown: shown.state == "completed")
    records = b"".join(await daemon.ask("export", label)).splitlines()
    assert await daemon.terminate() == 0, daemon.log
    assert [b'"heard":' + _all_words() in record for record in records] == [True] * workers
    return broken_promises(history, await facts_of(daemon), healed_at)


async def _heard(history: History, words: int) -> None:
    """Return once so many words were heard by all together."""
    with trio.fail_after(READY_S):
        while sum(isinstance(entry, Saw) for entry in history.entries) < words:
            await trio.sleep(LOOK_S)


def _all_words() -> bytes:
    return b"[" + b",".join(str(word).encode() for word in range(WORDS)) + b"]"


async def stop_and_start(daemon: Daemon) -> None:
    assert await daemon.terminate() == 0, daemon.log
    await daemon.start()


async def test_s4_two_workers_alone_hear_all_they_said_while_everything_is_killed(
    daemon: Daemon, tmp_path: Path
) -> None:
    task = a_live_task(tmp_path, ALONE, 'name = "alone"\n[blueprint]\ntype = "live"\n', rows=2)
    troubles = [daemon.kill_and_restart, daemon.kill_router, daemon.kill_both]
    assert await talk_despite(daemon, task, 2, troubles) == []


async def test_s5_s14_a_pair_hears_all_the_other_said_while_everything_is_killed(
    daemon: Daemon, tmp_path: Path
) -> None:
    troubles = [daemon.kill_router, daemon.kill_and_restart, daemon.kill_both]
    assert await talk_despite(daemon, a_live_task(tmp_path, PAIRS), 2, troubles) == []


async def test_a_pair_goes_on_after_a_goodbye_of_the_daemon(daemon: Daemon, tmp_path: Path) -> None:
    task = a_live_task(tmp_path, PAIRS, TASK + "[limits]\ngrace_s = 0\n")
    assert await talk_despite(daemon, task, 2, [partial(stop_and_start, daemon)]) == []
