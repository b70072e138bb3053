"""What routers say of agents, against what they are: pages that close, and links that were lost."""

from collections.abc import Collection
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from crowdd.daemon.clock import simulated_wall
from crowdd.daemon.lifecycle import GaveBack, Save, step
from crowdd.daemon.lifecycle.sync import AWAY, PRESENT, Sync, sync
from crowdd.daemon.status_sync import Life, StatusSync, SyncDoors
from crowdd.protocol.limits import HEARTBEAT_S, PAGE_CLOSED_S
from crowdd.protocol.names import LIVE_AGENT, AgentId, AgentStatus, RunId, UnitStatus, WireId
from crowdd.protocol.packets import ReturnStatuses
from crowdd.storage.records import TaskRun
from crowdd.testing.verdicts import Verdict

from .disks import Disk
from .virtual import Virtual, VirtualPage, open_virtual

IN_TASK, COMPLETED = AgentStatus.IN_TASK, AgentStatus.COMPLETED
CLOSED_FOR_GOOD_S = PAGE_CLOSED_S + 3 * HEARTBEAT_S


S = AgentStatus


@pytest.mark.parametrize("status", AgentStatus)
def test_a_page_that_shows_more_than_its_agent_still_is_gets_corrected(status: AgentStatus) -> None:
    assert sync(PRESENT, None, status) is (Sync.NOTHING if status in LIVE_AGENT else Sync.CORRECT)


def test_the_same_status_is_nothing_new_and_any_other_is_corrected() -> None:
    assert sync(PRESENT, "in task", S.IN_TASK) is sync(PRESENT, "timeout", S.TIMEOUT) is Sync.NOTHING
    assert sync(PRESENT, "in task", S.TIMEOUT) is sync(PRESENT, "timeout", S.IN_TASK) is Sync.CORRECT
    assert sync(PRESENT, "waiting", S.IN_TASK) is Sync.CORRECT


@pytest.mark.parametrize("presence", [PRESENT, AWAY])
@pytest.mark.parametrize("status", [status for status in AgentStatus if status in LIVE_AGENT])
def test_a_submission_under_way_is_left_alone(presence: str, status: AgentStatus) -> None:
    assert sync(presence, "completed", status) is Sync.NOTHING


@pytest.mark.parametrize("status", AgentStatus)
def test_only_that_a_page_is_gone_may_come_from_a_router_and_never_over_a_final_status(
    status: AgentStatus,
) -> None:
    gone = (sync(AWAY, status.value, status), sync(PRESENT, "disconnect", status))
    if status in LIVE_AGENT:
        assert gone == (Sync.GONE, Sync.GONE)
    else:  # W20
        same = status is S.DISCONNECT
        assert gone == (Sync.NOTHING, Sync.NOTHING if same else Sync.CORRECT)


@pytest.mark.parametrize(("presence", "shows"), [("", None), ("asleep", "in task"), (PRESENT, "COMPLETED")])
def test_a_word_that_nobody_knows_is_skipped(presence: str, shows: str | None) -> None:
    assert sync(presence, shows, S.IN_TASK) is Sync.UNKNOWN


async def close(page: VirtualPage) -> None:
    await page.doors.post("return_unit", {"USED_AGENT_ID": page.agent, "leaving": True}, 60)


async def launched(virtual: Virtual, release_on_close: bool) -> TaskRun:
    return await virtual.launch(units=1, release_on_close=str(release_on_close).lower())


async def test_a_page_that_closes_keeps_its_unit(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with open_virtual(tmp_path) as virtual:
        page = await virtual.at_work(run := await launched(virtual, False), "ann")
        await close(page)
        await trio.sleep(CLOSED_FOR_GOOD_S)
        assert await virtual.agents(run) == [IN_TASK]


async def test_where_the_run_says_so_a_page_that_closes_gives_its_unit_back(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        page = await virtual.at_work(run := await launched(virtual, True), "ann")
        await close(page)
        await trio.sleep(CLOSED_FOR_GOOD_S)
        assert await virtual.agents(run) == [AgentStatus.DISCONNECT]
        assert await virtual.units(run) == [UnitStatus.LAUNCHED]
        assert (await (await virtual.page(run, "bob")).register()).verdict is Verdict.OK
        refused = await page.submit({"n": 1})
        assert (refused.verdict, refused.reason) == (Verdict.REFUSED, "task_missing")


async def test_a_unit_is_given_back_once_a_disk_that_was_full_has_space(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    disk = Disk()
    async with open_virtual(tmp_path, disk.open) as virtual:
        page = await virtual.at_work(run := await launched(virtual, True), "ann")
        live = virtual.operator.live(run.id)
        await close(page)
        disk.full = True
        await trio.sleep(CLOSED_FOR_GOOD_S)
        disk.full = False
        await trio.sleep(CLOSED_FOR_GOOD_S)
        assert virtual.operator.live(run.id) is live
        assert await virtual.units(run) == [UnitStatus.LAUNCHED]


async def test_a_reload_is_no_close(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with open_virtual(tmp_path) as virtual:
        page = await virtual.at_work(run := await launched(virtual, True), "ann")
        await close(page)
        await trio.sleep(HEARTBEAT_S)
        await page.register()
        await trio.sleep(CLOSED_FOR_GOOD_S)
        assert await virtual.agents(run) == [IN_TASK]


async def test_who_has_submitted_may_close_the_page(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with open_virtual(tmp_path) as virtual:
        page = await virtual.at_work(run := await launched(virtual, True), "ann")
        await close(page)
        assert (await page.submit({"n": 1})).verdict is Verdict.OK
        await trio.sleep(CLOSED_FOR_GOOD_S)
        assert await virtual.agents(run) == [COMPLETED]


async def test_a_page_that_missed_how_its_work_ended_is_told_when_the_link_is_back(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await launched(virtual, False)
        page = await virtual.at_work(run, "ann")
        with virtual.router(run).open_socket("10.0.0.1") as socket:
            await socket.send({"packet_type": "alive", "subject_id": page.agent})
            await trio.sleep(2 * HEARTBEAT_S)  # by now the router has said that the page is there
            await end_untold(virtual)
            virtual.router(run).cut()
            with trio.fail_after(60):
                while (await socket.receive()).get("data", {}).get("status") != "returned":
                    pass


async def test_a_whole_report_is_looked_up_in_one_go_but_for_those_of_whom_it_means_nothing() -> None:
    asked: list[list[WireId]] = []

    async def find(names: Collection[WireId]) -> list[Life]:
        asked.append(list(names))
        return []

    report = ReturnStatuses({"ann": PRESENT, "bob": AWAY, "cid": PRESENT}, {}, {}, partial=True)
    assert await StatusSync(RunId(1), SyncDoors(find, gone=None)).hear("router", report) == []
    assert asked == [["ann", "cid"]]


async def end_untold(virtual: Virtual) -> None:
    """As if the daemon had died between saving and telling."""
    agent = await virtual.storage.agent(AgentId(1))
    saves = step(agent, await virtual.storage.unit(agent.unit_id), GaveBack(), run_goes_on=True)
    writes = [write for save in saves if isinstance(save, Save) for write in save.writes]
    await virtual.storage.commit(writes, simulated_wall())
