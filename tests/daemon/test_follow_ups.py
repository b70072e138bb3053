"""What follows from a submitted unit: screening (S11, S12), gold, the author's hook; also across a crash."""

from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from crowdd.protocol.names import AgentStatus, RunId, RunState, WorkerId
from crowdd.storage.records import TaskRun
from crowdd.testing.simulation.stores import sqlite_store
from crowdd.testing.verdicts import Verdict

from .virtual import Virtual, VirtualPage, open_virtual

JUDGE = """
def on_unit_submitted(agent):
    if agent.unit.index >= 0:
        return None
    return agent.data["n"] == agent.unit.data["_truth"]
"""
SCREENING = """
[limits]
allowed_concurrent = 1
[screening]
qualification = "screened"
max_units = 2
"""
SCREENING_UNITS = """
def screening_units():
    n = 0
    while True:
        n += 1
        yield {"screen": n, "_truth": 7}
"""
GOLD = """
[limits]
allowed_concurrent = 1
[gold]
qualification_base = "digits"
max_units = 9
min_golds = 2
"""
GOLD_FOR_WORKER = """
import itertools
n = itertools.count()
def gold_for_worker(worker):
    return {"gold": next(n), "_truth": 7}
"""
RIGHT, WRONG = {"n": 7}, {"n": 3}


async def a_screening_run(virtual: Virtual) -> TaskRun:
    await virtual.daemon.present()
    code = JUDGE + SCREENING_UNITS
    return await virtual.launch(sections=SCREENING, code=code, block_qualification="banned")


async def values(virtual: Virtual, run_id: RunId, number: int = 1) -> dict[str, int]:
    return dict((await virtual.storage.worker_facts(run_id, WorkerId(number))).grants)


async def work(page: VirtualPage, after: str, answer: dict[str, int]) -> tuple[dict[str, int], str]:
    """One unit from its page to its answer: what the page was given, and the agent."""
    given = await page.register(after)
    assert given.verdict is Verdict.OK, given
    assert (await page.submit(answer)).verdict is Verdict.OK
    return given.told["init_task_data"], page.agent


async def test_s12_who_passes_the_screening_gets_real_units(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_screening_run(virtual)
        page = await virtual.page(run, "ann")
        screening, agent = await work(page, "", RIGHT)
        assert screening["screen"] == 1
        real, _ = await work(page, agent, RIGHT)
        assert "screen" not in real
        assert await values(virtual, run.id) == {"screened": 1}


async def test_s12_who_fails_the_screening_is_refused_from_then_on(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_screening_run(virtual)
        page = await virtual.page(run, "ann")
        _, agent = await work(page, "", WRONG)
        refused = await page.register(agent)
        assert (refused.verdict, refused.reason) == (Verdict.REFUSED, "blocked")
        assert await values(virtual, run.id) == {"banned": 1}


async def test_s11_a_screening_unit_given_back_frees_its_place(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_screening_run(virtual)
        ann, bob, eve = [await virtual.page(run, name) for name in ("ann", "bob", "eve")]
        assert (await ann.register()).verdict is Verdict.OK
        assert (await bob.register()).verdict is Verdict.OK
        assert (await eve.register()).verdict is Verdict.REFUSED
        await ann.doors.post("return_unit", {"USED_AGENT_ID": ann.agent}, 60)
        assert (await eve.register()).verdict is Verdict.OK


async def test_a_real_unit_can_be_the_screening(tmp_path: Path, autojump_clock: MockClock) -> None:
    real = SCREENING.replace("max_units = 2", "use_real_units = true")
    code = "def on_unit_submitted(agent): return agent.data['n'] == 7\n"
    async with open_virtual(tmp_path) as virtual:
        await virtual.daemon.present()
        run = await virtual.launch(sections=real, code=code, block_qualification="banned")
        page = await virtual.page(run, "ann")
        _, agent = await work(page, "", RIGHT)
        _, agent = await work(page, agent, WRONG)
        await trio.sleep(1)
        assert await values(virtual, run.id) == {"screened": 1}


async def test_golds_come_first_and_are_counted(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(sections=GOLD, code=JUDGE + GOLD_FOR_WORKER)
        page, agent, seen = await virtual.page(run, "ann"), "", list[bool]()
        for _ in range(4):
            given, agent = await work(page, agent, RIGHT)
            seen.append("gold" in given)
        await trio.sleep(1)
        assert seen == [True, True, False, False]
        assert await values(virtual, run.id) == {"digits-correct-golds": 2, "digits-completed-count": 2}


async def test_too_many_wrong_golds_are_the_end(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(sections=GOLD, code=JUDGE + GOLD_FOR_WORKER)
        page = await virtual.page(run, "ann")
        _, agent = await work(page, "", WRONG)
        refused = await page.register(agent)
        assert (refused.verdict, refused.reason) == (Verdict.REFUSED, "not_qualified")
        assert await values(virtual, run.id) == {"digits-wrong-golds": 1}


async def test_the_next_unit_waits_for_a_judge_who_thinks(tmp_path: Path, autojump_clock: MockClock) -> None:
    slow = "import trio\nasync def on_unit_submitted(agent):\n    await trio.sleep(5)\n    return True\n"
    async with open_virtual(tmp_path) as virtual:
        await virtual.daemon.present()
        code = slow + SCREENING_UNITS
        run = await virtual.launch(sections=SCREENING, code=code, block_qualification="banned")
        page = await virtual.page(run, "ann")
        _, agent = await work(page, "", RIGHT)
        given = await page.register(agent)
        assert "screen" not in given.told["init_task_data"]


async def test_an_answer_is_followed_up_after_a_crash(tmp_path: Path, autojump_clock: MockClock) -> None:
    slow = (
        "import trio\nasync def on_unit_submitted(agent):\n    await trio.sleep(5)\n"
        "    agent.worker.grant('done', (agent.worker.value('done') or 0) + 1)\n"
    )
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(code=slow)
        await virtual.storage.create_qualification("done", None, run.created_at)
        page = await virtual.page(run, "ann")
        _, agent = await work(page, "", RIGHT)
        await trio.sleep(1)
        virtual.daemon.kill(down_s=5)
        await trio.sleep(1)
        await virtual.until_live(run.id)
        await page.register(agent)  # waits for what follows from the first
        assert await values(virtual, run.id) == {"done": 1}


async def test_a_run_ends_once_its_last_answer_is_followed_up(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    slow = "import trio\nasync def on_unit_submitted(agent):\n    await trio.sleep(20)\n"
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(units=1, code=slow)
        await work(await virtual.page(run, "ann"), "", RIGHT)
        await trio.sleep(10)
        assert (await virtual.storage.run(run.id)).state is RunState.RUNNING
        await trio.sleep(20)
        assert (await virtual.storage.run(run.id)).state is RunState.COMPLETED


async def test_a_hook_that_raises_is_noted_with_the_agent_and_not_asked_again(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(units=1, code="def on_unit_submitted(agent): return 1 / 0\n")
        await work(await virtual.page(run, "ann"), "", RIGHT)
        await trio.sleep(1)
        (error,) = await virtual.storage.errors(run.id)
        assert (error.source, error.agent_id) == ("hook", 1)
        assert "ZeroDivisionError" in error.data["message"]
        assert (await virtual.storage.run(run.id)).state is RunState.COMPLETED


@pytest.mark.parametrize(
    "error", ["KeyboardInterrupt()", "asyncio.CancelledError()", "Rude()", "ValueError('\\ud800')"]
)
@pytest.mark.parametrize("kind", ["def", "async def"])
async def test_whatever_a_hook_raises_the_run_goes_on(
    tmp_path: Path, autojump_clock: MockClock, kind: str, error: str
) -> None:
    code = (
        "import asyncio\nclass Rude(Exception):\n    def __str__(self): return 1 / 0\n"
        f"{kind} on_unit_submitted(agent): raise {error}\n"
    )
    async with open_virtual(tmp_path, sqlite_store(tmp_path)) as virtual:
        run = await virtual.launch(units=1, code=code)
        await work(await virtual.page(run, "ann"), "", RIGHT)
        await trio.sleep(1)
        assert len(await virtual.storage.errors(run.id)) == 1
        assert (await virtual.storage.run(run.id)).state is RunState.COMPLETED


async def test_what_hooks_grant_one_worker_for_two_answers_at_once_is_granted_twice(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    slow = (
        "import trio\nasync def on_unit_submitted(agent):\n    had = agent.worker.value('done') or 0\n"
        "    await trio.sleep(5)\n    agent.worker.grant('done', had + 1)\n"
    )
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(code=slow, provider="mock")
        await virtual.storage.create_qualification("done", None, run.created_at)
        ann, again = await virtual.page(run, "ann"), await virtual.page(run, "ann", "&assignment_id=another")
        await ann.register()
        await again.register()
        assert ann.agent != again.agent
        await ann.submit(RIGHT)
        await again.submit(RIGHT)
        await trio.sleep(20)
        assert await values(virtual, run.id) == {"done": 2}


async def test_an_answer_that_comes_late_is_followed_up_as_well(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(sections=GOLD, code=JUDGE + GOLD_FOR_WORKER, limits__grace_s="0")
        page = await virtual.at_work(run, "ann")
        virtual.daemon.stop(down_s=5)
        await trio.sleep(1)
        await virtual.until_live(run.id)
        (agent,) = await virtual.storage.agents(run.id)
        assert agent.status is AgentStatus.DISCONNECT
        assert (await page.submit(RIGHT)).verdict is Verdict.OK
        await trio.sleep(1)
        assert await values(virtual, run.id) == {"digits-correct-golds": 1}


BY_CODE = """
def on_unit_submitted(agent):
    said = agent.data["n"]
    if said == 7:
        agent.approve("well done")
    elif said == 3:
        agent.soft_reject()
    elif said == 1:
        agent.reject("This is no seven.")
    elif said == 0:
        agent.reject("")
    elif said == -1:
        agent.approve()
        raise RuntimeError("out of coffee")
"""


async def judged(virtual: Virtual, *answers: int, sections: str = "", **overrides: str) -> TaskRun:
    """A run whose own code has judged these answers, of one worker each."""
    run = await virtual.launch(
        units=len(answers) + 1, provider="mock", sections=sections, code=BY_CODE, **overrides
    )
    for number, answer in enumerate(answers):
        await work(await virtual.page(run, f"w{number}"), "", {"n": answer})
    await trio.sleep(1)
    return run


async def test_the_tasks_own_code_judges_work_like_staff(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await judged(virtual, 7, 3, 1, 5)
        assert await virtual.agents(run) == [
            AgentStatus.APPROVED, AgentStatus.SOFT_REJECTED, AgentStatus.REJECTED, AgentStatus.COMPLETED
        ]  # fmt: skip
        reviews = [
            (await virtual.storage.reviews(agent.id)) for agent in await virtual.storage.agents(run.id)
        ]
        assert [(each.who, each.note) for several in reviews for each in several] == [
            ("task", "well done"), ("task", None), ("task", "This is no seven.")
        ]  # fmt: skip
        decided = await virtual.storage.decisions(run_id=run.id)
        assert [each.outcome for each in decided if each.kind == "review"] == [
            "approved", "soft_rejected", "rejected"
        ]  # fmt: skip


async def test_a_rejection_without_a_reason_and_a_hook_that_raises_judge_nothing(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await judged(virtual, 0, -1)
        assert await virtual.agents(run) == [AgentStatus.COMPLETED, AgentStatus.COMPLETED]
        errors = await virtual.storage.errors(run.id)
        assert [each.agent_id for each in errors] == [1, 2]
        assert "a rejection needs a reason" in str(errors[0].data)
        assert "out of coffee" in str(errors[1].data)


async def test_a_note_that_no_store_holds_judges_nothing_and_the_run_goes_on(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    code = "def on_unit_submitted(agent): agent.approve('half of \\ud800')"
    async with open_virtual(tmp_path, sqlite_store(tmp_path)) as virtual:
        run = await virtual.launch(units=1, code=code)
        await work(await virtual.page(run, "ann"), "", RIGHT)
        await trio.sleep(1)
        assert len(await virtual.storage.errors(run.id)) == 1
        assert await virtual.agents(run) == [AgentStatus.COMPLETED]
        assert (await virtual.storage.run(run.id)).state is RunState.COMPLETED


async def test_work_that_the_code_soft_rejects_counts_for_the_rule(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    rule = "[review]\nsoft_reject_share = 0.5\nafter_reviews = 2\n"
    async with open_virtual(tmp_path) as virtual:
        await virtual.daemon.present()
        run = await virtual.launch(sections=rule, code=BY_CODE, block_qualification="banned")
        page, agent = await virtual.page(run, "ann"), ""
        for _ in range(2):
            _, agent = await work(page, agent, WRONG)
            await trio.sleep(1)
        assert (await page.register(agent)).reason == "blocked"


async def test_a_verdict_of_the_code_is_reached_after_a_crash_too(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    slow = BY_CODE.replace(
        "def on_unit_submitted(agent):",
        "import trio\nasync def on_unit_submitted(agent):\n    await trio.sleep(20)",
    )
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(code=slow)
        await work(await virtual.page(run, "ann"), "", RIGHT)
        virtual.daemon.kill(down_s=1)
        await trio.sleep(40)
        assert await virtual.agents(run) == [AgentStatus.APPROVED]
