"""What staff decide about people, in a whole daemon on the virtual clock: blocks, reviews, restarts."""

from pathlib import Path

import trio
from trio.testing import MockClock

from crowdd.daemon.control.why import sentences_of
from crowdd.daemon.verdict import Verdict
from crowdd.protocol.names import AgentStatus, Reason, RunState
from crowdd.storage.records import Agent, TaskRun, Worker

from .virtual import Virtual, VirtualPage, open_virtual

STAFF = "staff:ann"


async def the_worker(virtual: Virtual, name: str) -> Worker:
    return await virtual.storage.worker_by_name("inhouse", name)


async def submitted(virtual: Virtual, run: TaskRun, name: str) -> Agent:
    page = await virtual.at_work(run, name)
    await page.submit({"answer": name})
    worker = await the_worker(virtual, name)
    return (await virtual.storage.agents(run.id, worker_id=worker.id))[-1]


async def test_who_is_blocked_at_work_finishes_and_gets_nothing_new(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run, other = await virtual.launch("one"), await virtual.launch("two")
        page = await virtual.at_work(run, "bob")
        bob = await the_worker(virtual, "bob")
        (blocked,) = await virtual.operator.set_blocked([bob.id], True, "spam", STAFF)
        assert [unit.agent_id for unit in blocked.holds] == [1]
        again = await page.register()  # a reload: the unit is still theirs
        assert again.agent_id
        assert (await page.submit({"answer": 1})).verdict.value == "ok"
        assert (await page.register(after=page.agent)).reason == Reason.BLOCKED.value
        elsewhere = await virtual.page(other, "bob")
        assert (await elsewhere.register()).reason == Reason.BLOCKED.value
        await virtual.operator.set_blocked([bob.id], False, "sorry", STAFF)
        assert (await elsewhere.register()).agent_id


async def test_a_block_outlives_the_daemon(autojump_clock: MockClock, tmp_path: Path) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(sections='[texts]\nblocked = "Gesperrt."\n')
        agent = await submitted(virtual, run, "bob")
        bob = await the_worker(virtual, "bob")
        await virtual.operator.set_blocked([bob.id], True, "spam", STAFF)
        virtual.daemon.kill(down_s=1)
        await trio.sleep(2)
        await virtual.until_live(run.id)
        page: VirtualPage = await virtual.page(run, "bob")
        assert (await page.register(after=agent.wire_id)).reason == Reason.BLOCKED.value


async def test_work_is_reviewed_while_the_run_is_held_and_after_it_has_ended(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(units=2)
        first, second = [await submitted(virtual, run, name) for name in ("bob", "cem")]
        await virtual.operator.review([first.id], Verdict.SOFT_REJECT, None, STAFF)
        with trio.fail_after(7200):
            while virtual.operator.live(run.id) is not None:
                await trio.sleep(10)
        assert (await virtual.storage.run(run.id)).state is RunState.COMPLETED
        (reviewed,) = await virtual.operator.review([second.id], Verdict.REJECT, "empty", STAFF)
        assert (reviewed.changed, reviewed.owed) == (True, None)
        (undone,) = await virtual.operator.review([second.id], Verdict.APPROVE, "my mistake", STAFF)
        assert undone.changed
        assert await virtual.agents(run) == [AgentStatus.SOFT_REJECTED, AgentStatus.APPROVED]


async def test_an_owed_verdict_is_told_after_the_next_start(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(provider="mock", provider__failing='["approve"]')
        page = await virtual.at_work(run, "bob")
        await page.submit({})
        agent = (await virtual.storage.agents(run.id))[0]
        (reviewed,) = await virtual.operator.review([agent.id], Verdict.APPROVE, None, STAFF)
        assert reviewed.owed == "approve is told to fail"
        virtual.daemon.kill(down_s=1)
        await trio.sleep(2)
        await virtual.until_live(run.id)
        await trio.sleep(5)
        (owed,) = virtual.operator.owed(run.id)
        assert (owed.tries, owed.agent_id) == (2, agent.id)
        assert [error.source for error in await virtual.storage.errors(run.id)] == ["plug-in"]


async def test_a_refusal_can_be_explained_afterwards(autojump_clock: MockClock, tmp_path: Path) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(sections='[texts]\nblocked = "Gesperrt."\n')
        agent = await submitted(virtual, run, "bob")
        bob = await the_worker(virtual, "bob")
        await virtual.operator.set_blocked([bob.id], True, "spam", STAFF)
        page = await virtual.page(run, "bob")
        await page.register(after=agent.wire_id)
        decisions = await virtual.storage.decisions(run_id=run.id, worker_id=bob.id)
        assert [(each.kind, each.outcome, each.reason) for each in decisions][-1] == (
            "admission", "refused", "blocked"
        )  # fmt: skip
        told = sentences_of(decisions[-1], run)
        assert "Staff had blocked the worker." in told
        assert told[-1] == 'So: refused, blocked, told as "Gesperrt.".'
