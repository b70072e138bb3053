"""What agents who came and went leave behind in the daemon and in its router: objects, counted.

What is kept up to a limit is kept of very few here, and what is kept for a moment is waited for. What grows
all the same grows for as long as the daemon lives.
"""

from collections import Counter
from pathlib import Path

import pytest
import trio
from tests.daemon.live_pages import ECHO, live_page
from tests.daemon.virtual import Virtual, VirtualPage, open_virtual
from tests.held import held_by
from trio.testing import MockClock

from crowdd.storage.records import TaskRun
from crowdd.testing.simulation.stores import sqlite_store
from crowdd.testing.verdicts import Verdict

AGENTS = 40  # in each half; the first fills all that is kept up to a limit
KEPT = 8
MOMENT_S = 120.0  # longer than pages and requests wait for anything
LIMITS = (
    "crowdd.daemon.deadlines.STALE_MAX",
    "crowdd.daemon.faces.FACES_MAX",
    "crowdd.daemon.providers.mock.LEDGER_MAX",
    "crowdd.protocol.states.STATES_MAX",
    "crowdd.router.agents.STATES_MAX",
    "crowdd.router.outbox.STATES_MAX",
    "crowdd.router.registrations.REGISTRATIONS_KEPT_MAX",
    "crowdd.router.tickets.STALE_MAX",
)


@pytest.fixture
def few_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    for limit in LIMITS:
        monkeypatch.setattr(limit, KEPT)


async def test_workers_who_register_and_submit_leave_no_object_behind(
    few_kept: None, autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with open_virtual(tmp_path, sqlite_store(tmp_path)) as virtual:
        run = await virtual.launch(units=2 * AGENTS + 1, provider="mock")
        before = await left_by_static(virtual, run, 0)
        after = await left_by_static(virtual, run, AGENTS)
        assert grown(before, after) == {}


async def test_workers_of_live_work_leave_no_object_behind(
    few_kept: None, autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with open_virtual(tmp_path, sqlite_store(tmp_path)) as virtual:
        units = {"blueprint__type": "echo"}
        run = await virtual.launch(units=2 * AGENTS + 1, provider="mock", code=ECHO, **units)
        before = await left_by_live(virtual, run, 0)
        after = await left_by_live(virtual, run, AGENTS)
        assert grown(before, after) == {}


async def left_by_static(virtual: Virtual, run: TaskRun, first: int) -> Counter[str]:
    for number in range(first, first + AGENTS):
        await submitted(await virtual.at_work(run, f"worker-{number}"))
    return await left(virtual)


async def left_by_live(virtual: Virtual, run: TaskRun, first: int) -> Counter[str]:
    for number in range(first, first + AGENTS):
        page = await virtual.at_work(run, f"worker-{number}")
        async with live_page(page) as live:
            await live.send({"text": "hello"})
            await live.until(1)
            await submitted(page)
    return await left(virtual)


async def left(virtual: Virtual) -> Counter[str]:
    await trio.sleep(MOMENT_S)
    return held_by(virtual)


async def submitted(page: VirtualPage) -> None:
    assert (await page.submit({"answer": page.agent})).verdict is Verdict.OK


def grown(before: Counter[str], after: Counter[str]) -> dict[str, int]:
    """Classes of which about as many more are there as agents came since."""
    return {name: more for name, more in (after - before).items() if more > AGENTS // 2}
