"""Journals that an earlier daemon left behind: the code that made them goes on from where it was.

`make journals` records them anew, which only a change of their form on purpose may need.
"""

import hashlib
import shutil
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest
import trio
from tests.daemon.virtual import Virtual, open_virtual
from trio.testing import MockClock

from crowdd.daemon.live.piece import REPLAY_PATIENCE_S
from crowdd.protocol.names import AT_WORK_AGENT, AgentStatus
from crowdd.storage.records import TaskRun
from crowdd.testing.simulation.stores import sqlite_store
from crowdd.testing.verdicts import Verdict

from .record import LAUNCH, RECORDED, SCHEMA
from .scenes import SCENES
from .transcript import Transcript, make_store

NAMES = [scene.name for scene in SCENES]
LATER_S = 60.0  # the next daemon starts so long after the one that was killed
ENTRIES = "SELECT kind, piece_id, position, what, agent_id, result FROM journal_entry"
UPDATES = """SELECT onboarding, agent_id, outgoing, number, "update" FROM live_update"""


@asynccontextmanager
async def taken_up(folder: Path, name: str, old: str = "", new: str = "") -> AsyncGenerator[Virtual]:
    """A daemon on what the one that was killed left behind; in the task's code `old` has become `new`.

    Its code has had the time to come to where it was.
    """
    transcript = Transcript.read(RECORDED / name / "journal.sql")
    make_store(folder / "crowdd.db", SCHEMA.read_text(), transcript.sql)
    await trio.sleep(transcript.killed_s + LATER_S)
    open_store = sqlite_store(folder)
    task = task_folder(folder)
    shutil.copytree(RECORDED / name, task, ignore=shutil.ignore_patterns("journal.sql"))
    code = (task / "task.py").read_text()
    assert old in code
    (task / "task.py").write_text(code.replace(old, new))
    async with open_virtual(folder, open_store) as virtual:
        run = await the_run(virtual)
        live = await virtual.until_live(run.id)
        await trio.sleep(2 * REPLAY_PATIENCE_S)
        assert old or live.pieces == transcript.pieces
        yield virtual


async def the_run(virtual: Virtual) -> TaskRun:
    await virtual.daemon.present()
    (run,) = await virtual.storage.runs()
    return run


def task_folder(folder: Path) -> Path:
    return folder / "data" / "tasks" / hashlib.sha256(LAUNCH.encode()).hexdigest()[:32]


async def errors(virtual: Virtual) -> list[str]:
    return [str(error.data) for error in await virtual.storage.errors((await the_run(virtual)).id)]


def rows(database: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(database)) as db:
        return db.execute(query).fetchall()


async def submit_all(virtual: Virtual, run: TaskRun) -> list[Verdict]:
    """Everybody at work submits, from a page that knows no more than whose it is."""
    page = await virtual.page(run, "anybody")
    verdicts: list[Verdict] = []
    for agent in await virtual.storage.agents(run.id, AT_WORK_AGENT):
        page.agent = agent.wire_id
        verdicts.append((await page.submit({"done": True})).verdict)
    return verdicts


@pytest.mark.parametrize("name", NAMES)
async def test_a_recorded_journal_replays(name: str, tmp_path: Path, autojump_clock: MockClock) -> None:
    async with taken_up(tmp_path, name) as virtual:
        assert await errors(virtual) == []
    for query in (ENTRIES, UPDATES):
        make_store(tmp_path / "before.db", SCHEMA.read_text(), (RECORDED / name / "journal.sql").read_text())
        before, after = rows(tmp_path / "before.db", query), rows(tmp_path / "crowdd.db", query)
        assert before
        assert [row for row in before if row not in after] == []
        (tmp_path / "before.db").unlink()


@pytest.mark.parametrize("name", NAMES)
async def test_code_that_was_replayed_goes_on_to_its_end(
    name: str, tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with taken_up(tmp_path, name) as virtual:
        run = await the_run(virtual)
        assert set(await submit_all(virtual, run)) <= {Verdict.OK}
        await trio.sleep(REPLAY_PATIENCE_S)
        assert await errors(virtual) == []
        assert AgentStatus.IN_TASK not in await virtual.agents(run)


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("everything", '"thrown": rng.randint(1, 6)', '"thrown": 7', "now it sends"),
        ("everything", "await agent.sleep(3)", "pass", "the code did sleep before"),
        ("onboarding", 'agent.random.choice(["now", "then", "again"])', '"always"', "now it sends"),
        ("replaced", "but=agent", "", "now it waits for send"),
    ],
)
async def test_code_that_does_something_else_is_found(
    name: str, old: str, new: str, said: str, tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with taken_up(tmp_path, name, old, new) as virtual:
        assert said in " ".join(await errors(virtual))
