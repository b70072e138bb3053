"""A router that knows nothing yet is told how earlier work ended, and answers from it without the daemon."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
from tests.daemon.virtual import Virtual, VirtualPage, open_virtual
from trio.testing import MockClock

from crowdd.daemon import last_words as last_words_module
from crowdd.daemon.last_words import last_words
from crowdd.protocol.names import AgentStatus, Reason
from crowdd.protocol.packets import UpdateStatus
from crowdd.storage.records import TaskRun
from crowdd.testing.verdicts import Verdict

SOON_S = 30.0


@asynccontextmanager
async def without_daemon(virtual: Virtual, run: TaskRun) -> AsyncGenerator[None]:
    """Daemon and router start anew, meet once, and then the daemon cannot be reached."""
    virtual.router(run).restart(down_s=0.1)
    virtual.daemon.kill(down_s=1)
    await trio.sleep(2)
    await virtual.daemon.present()
    await virtual.until_live(run.id)
    await trio.sleep(2)
    virtual.router(run).weather.closed += 1
    virtual.router(run).cut()
    yield


async def give_back(page: VirtualPage) -> None:
    answered = await page.doors.post("return_unit", {"USED_AGENT_ID": page.agent}, 60)
    assert answered.verdict is Verdict.OK


async def test_who_comes_back_is_told_how_it_ended_at_once(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with open_virtual(tmp_path) as virtual:
        page = await virtual.at_work(run := await virtual.launch(units=1), "ann")
        await give_back(page)
        async with without_daemon(virtual, run):
            began = trio.current_time()
            answered = await page.submit({"n": 1})
            assert (answered.verdict, answered.reason) == (Verdict.REFUSED, "returned")
            assert trio.current_time() - began < 1


async def test_an_answer_of_who_is_at_work_is_kept_and_nothing_else_can_be_done(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        page = await virtual.at_work(run := await virtual.launch(units=1), "ann")
        async with without_daemon(virtual, run):
            later = await page.doors.post("return_unit", {"USED_AGENT_ID": page.agent}, 90)
            assert later.verdict is Verdict.LATER
            assert (await page.submit({"n": 1})).verdict is Verdict.OK


async def test_a_socket_hears_the_end_in_the_tasks_own_words(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    texts = '[texts]\nreturned = "Zurückgegeben."\n'
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(units=1, sections=texts)
        page = await virtual.at_work(run, "ann")
        await give_back(page)
        async with without_daemon(virtual, run):
            with virtual.router(run).open_socket("10.0.0.1") as socket:
                await socket.send({"packet_type": "alive", "subject_id": page.agent})
                told = await socket.receive()
                assert told["packet_type"] == "update_status"
                assert told["data"] == {"status": "returned", "reason": "returned", "text": "Zurückgegeben."}


async def words(virtual: Virtual, run: TaskRun) -> list[UpdateStatus]:
    run = await virtual.storage.run(run.id)
    return [word async for some in last_words(run, virtual.storage) for word in some]


async def test_of_those_who_still_work_there_is_no_last_word(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(units=3)
        assert await words(virtual, run) == []
        gone, _ = await virtual.at_work(run, "ann"), await virtual.at_work(run, "bob")
        await give_back(gone)
        assert [(word.subject, word.status) for word in await words(virtual, run)] == [
            (gone.agent, AgentStatus.RETURNED)
        ]


async def test_an_interrupted_agent_is_asked_back_while_its_unit_is_kept(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(units=1, limits__rejoin_s="600")
        await virtual.at_work(run, "ann")
        virtual.daemon.stop(down_s=1)
        await trio.sleep(60)
        await virtual.daemon.present()
        (word,) = await words(virtual, run)
        assert (word.status, word.reason) == (AgentStatus.DISCONNECT, Reason.SHUTDOWN)
        await trio.sleep(4_000)
        (word,) = await words(virtual, run)
        assert (word.status, word.reason) == (AgentStatus.DISCONNECT, Reason.TASK_MISSING)


async def test_of_many_only_the_newest_are_told(
    tmp_path: Path, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(last_words_module, "STATES_MAX", 4)
    monkeypatch.setattr(last_words_module, "AGENTS_AT_ONCE", 3)
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(units=9)
        pages = [await virtual.at_work(run, f"worker{number}") for number in range(9)]
        for page in pages:
            await give_back(page)
        assert [word.subject for word in await words(virtual, run)] == [page.agent for page in pages[-4:]]
