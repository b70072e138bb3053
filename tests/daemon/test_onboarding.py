"""Onboarding from the first page to the first unit: S6 to S10, reloads, shutdowns, broken validators."""

from pathlib import Path
from typing import Any

import trio
from trio.testing import MockClock

from crowdd.daemon.intake import onboarding_metadata_scope
from crowdd.protocol.names import AgentId, AgentStatus, Reason, RunState, WorkerId
from crowdd.storage.records import OnboardingAgent, TaskRun
from crowdd.testing.verdicts import Answered, Verdict

from .virtual import Virtual, VirtualPage, open_virtual

ONBOARDING = """
[onboarding]
qualification = "knows digits"
data = { rules = "Look twice." }
"""
CODE = """
def validate_onboarding(worker, data):
    return data.get("answer") == "right"
"""
THOUGHTFUL = """
import trio
async def validate_onboarding(worker, data):
    await trio.sleep(5)
    return True
"""
RIGHT, WRONG = {"answer": "right"}, {"answer": "wrong"}


async def a_run(virtual: Virtual, code: str = CODE, **more: Any) -> TaskRun:
    return await virtual.launch(sections=ONBOARDING, code=code, **more)


async def onboardings(virtual: Virtual, run: TaskRun) -> list[AgentStatus]:
    return [agent.status for agent in await virtual.storage.onboarding_agents(run.id)]


async def the_onboarding(virtual: Virtual, run: TaskRun) -> OnboardingAgent:
    (agent,) = await virtual.storage.onboarding_agents(run.id)
    return agent


async def values(virtual: Virtual, number: int = 1) -> dict[str, int]:
    facts = await virtual.storage.worker_facts((await virtual.storage.runs())[-1].id, WorkerId(number))
    return dict(facts.grants)


def is_onboarding(answered: Answered) -> bool:
    return answered.verdict is Verdict.OK and answered.agent_id.startswith("onboarding_")


async def test_s6_a_new_worker_is_onboarded_before_the_first_unit(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_run(virtual)
        page = await virtual.page(run, "ann")
        answered = await page.register()
        assert is_onboarding(answered)
        assert answered.told["init_task_data"] == {"rules": "Look twice."}
        assert (answered.status, answered.told["time_left_s"]) == ("onboarding", 1800)
        assert await virtual.agents(run) == []


async def test_s7_who_fails_gets_nothing_and_is_disqualified(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_run(virtual)
        page = await virtual.page(run, "ann")
        await page.register()
        failed = await page.submit_onboarding(WRONG)
        assert (failed.verdict, failed.reason) == (Verdict.REFUSED, "not_qualified")
        again = await page.register()
        assert (again.verdict, again.reason) == (Verdict.REFUSED, "not_qualified")
        assert await virtual.agents(run) == []
        assert await onboardings(virtual, run) == [AgentStatus.REJECTED]
        assert await values(virtual) == {"knows digits": 0, "knows digits-failed": 0}


async def test_s8_who_failed_stays_failed_in_every_run_of_the_qualification(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        page = await virtual.page(await a_run(virtual), "ann")
        await page.register()
        await page.submit_onboarding(WRONG)
        later = await virtual.page(await a_run(virtual, label="more"), "ann")
        refused = await later.register()
        assert (refused.agent_id, refused.reason) == ("", "not_qualified")


async def test_s9_the_answer_to_a_passed_onboarding_is_the_first_unit(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_run(virtual)
        page = await virtual.page(run, "ann")
        await page.register()
        passed = await page.submit_onboarding(RIGHT)
        assert (passed.verdict, passed.status) == (Verdict.OK, "in task")
        assert passed.told["init_task_data"] == {"row": 0}
        assert (await page.register()).agent_id == passed.agent_id
        assert await virtual.agents(run) == [AgentStatus.IN_TASK]
        assert await values(virtual) == {"knows digits": 1}
        assert (await page.submit({"label": 1})).verdict is Verdict.OK


async def test_s10_who_passed_before_is_not_onboarded_again(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        page = await virtual.page(await a_run(virtual), "ann")
        await page.register()
        await page.submit_onboarding(RIGHT)
        later = await virtual.page(await a_run(virtual, label="more"), "ann")
        assert (await later.register()).status == "in task"


async def test_the_same_submission_again_gets_the_same_unit(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_run(virtual)
        page = await virtual.page(run, "ann")
        onboarding = (await page.register()).agent_id
        answers: list[Answered] = []

        async def submit() -> None:
            copy = VirtualPage(page.doors, onboarding)
            answers.append(await copy.submit_onboarding(RIGHT))

        async with trio.open_nursery() as nursery:
            for _ in range(5):
                nursery.start_soon(submit)
        await submit()
        assert len({answer.agent_id for answer in answers}) == 1
        assert await virtual.agents(run) == [AgentStatus.IN_TASK]


async def test_a_reload_during_the_onboarding_shows_it_again_with_the_same_data(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    code = (
        CODE
        + "\nimport itertools\nn = itertools.count()\ndef onboarding_data(worker): return {'n': next(n)}\n"
    )
    async with open_virtual(tmp_path) as virtual:
        run = await a_run(virtual, code)
        page = await virtual.page(run, "ann")
        first, second = await page.register(), await page.register()
        assert first.agent_id == second.agent_id
        assert first.told["init_task_data"] == second.told["init_task_data"] == {"n": 0}


async def test_a_reload_while_the_validator_thinks_waits_for_its_verdict(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_run(virtual, THOUGHTFUL)
        page = await virtual.page(run, "ann")
        await page.register()
        answers: list[Answered] = []

        async def submit() -> None:
            answers.append(await VirtualPage(page.doors, page.agent).submit_onboarding({}))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(submit)
            await trio.sleep(1)
            assert await onboardings(virtual, run) == [AgentStatus.WAITING]
            answers.append(await page.register())
        assert {answer.status for answer in answers} == {"in task"}
        assert len({answer.agent_id for answer in answers}) == 1


async def test_a_validator_that_takes_longer_than_a_page_waits_is_asked_once(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    code = """
import itertools, trio
asked = itertools.count(1)
async def validate_onboarding(worker, data):
    await trio.sleep(50)
    return next(asked) == 1
"""
    async with open_virtual(tmp_path) as virtual:
        run = await a_run(virtual, code)
        page = await virtual.page(run, "ann")
        onboarding = (await page.register()).agent_id
        later = await page.submit_onboarding({})
        assert (later.verdict, later.reason) == (Verdict.LATER, "try_later")
        page.agent = onboarding
        assert (await page.submit_onboarding({})).status == "in task"


async def test_a_broken_validator_makes_pages_try_again_and_is_noted(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    code = """
tries = []
def validate_onboarding(worker, data):
    tries.append(data)
    worker.grant("never")
    if len(tries) < 3:
        raise LookupError("no such rule")
    return "yes" if len(tries) == 3 else True
"""
    async with open_virtual(tmp_path) as virtual:
        run = await a_run(virtual, code)
        await virtual.storage.create_qualification("never", None, run.created_at)
        page = await virtual.page(run, "ann")
        onboarding = (await page.register()).agent_id
        assert (await page.submit_onboarding(RIGHT)).verdict is Verdict.LATER
        assert (await page.register()).verdict is Verdict.LATER  # a reload
        page.agent = onboarding
        assert (await page.submit_onboarding(RIGHT)).verdict is Verdict.LATER
        assert await values(virtual) == {}
        errors = await virtual.storage.errors(run.id)
        assert [error.source for error in errors] == ["hook", "hook", "hook"]
        assert "no such rule" in errors[0].data["message"]
        assert (await page.register()).status == "in task"
        assert await values(virtual) == {"knows digits": 1, "never": 1}


async def test_a_grant_of_what_does_not_exist_is_the_authors_to_see(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    code = "def validate_onboarding(worker, data):\n    worker.grant('nobody made this')\n    return True\n"
    async with open_virtual(tmp_path) as virtual:
        run = await a_run(virtual, code)
        page = await virtual.page(run, "ann")
        await page.register()
        assert (await page.submit_onboarding({})).verdict is Verdict.LATER
        assert "nobody made this" in (await virtual.storage.errors(run.id))[0].data["message"]
        assert await onboardings(virtual, run) == [AgentStatus.WAITING]


async def test_who_takes_too_long_may_begin_anew(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_run(virtual)
        page = await virtual.page(run, "ann")
        first = await page.register()
        await trio.sleep(1801)
        late = await page.submit_onboarding(RIGHT)
        assert (late.verdict, late.reason, late.status) == (Verdict.REFUSED, "time_over", "timeout")
        over = await page.register()
        assert (over.finished, over.agent_id) == (True, first.agent_id)
        anew = await page.register(after=first.agent_id)
        assert is_onboarding(anew)
        assert anew.agent_id != first.agent_id
        assert (await page.submit_onboarding(RIGHT)).status == "in task"


async def test_an_onboarding_can_be_given_back(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_run(virtual)
        page = await virtual.page(run, "ann")
        first = await page.register()
        for _ in range(2):
            returned = await page.doors.post("return_unit", {"USED_AGENT_ID": first.agent_id}, 60)
            assert returned.verdict is Verdict.OK
        assert await onboardings(virtual, run) == [AgentStatus.RETURNED]


async def test_a_shutdown_interrupts_an_onboarding_and_the_next_start_goes_on_with_it(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_run(virtual, limits__grace_s="0")
        page = await virtual.page(run, "ann")
        first = await page.register()
        virtual.daemon.stop(down_s=5)
        await trio.sleep(1)
        await virtual.until_live(run.id)
        stopped = await the_onboarding(virtual, run)
        assert (stopped.status, stopped.reason) == (AgentStatus.DISCONNECT, Reason.SHUTDOWN.value)
        back = await page.register()
        assert (back.agent_id, back.status) == (first.agent_id, "onboarding")
        assert (await page.submit_onboarding(RIGHT)).status == "in task"


async def test_a_submission_that_comes_after_a_restart_is_taken(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_run(virtual, limits__grace_s="0")
        page = await virtual.page(run, "ann")
        await page.register()
        virtual.daemon.stop(down_s=5)
        await trio.sleep(1)
        await virtual.until_live(run.id)
        assert (await page.submit_onboarding(RIGHT)).status == "in task"


async def test_a_crash_between_submission_and_verdict_loses_neither(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_run(virtual, THOUGHTFUL)
        page = await virtual.page(run, "ann")
        await page.register()
        answers: list[Answered] = []

        async def submit() -> None:
            answers.append(await page.submit_onboarding(RIGHT))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(submit)
            await trio.sleep(1)
            assert await onboardings(virtual, run) == [AgentStatus.WAITING]
            virtual.daemon.kill(down_s=5)
        assert answers[0].status == "in task"  # the router asked again, once the daemon was back
        assert await virtual.agents(run) == [AgentStatus.IN_TASK]


async def test_when_the_run_ends_nobody_is_left_in_onboarding(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_run(virtual, units=1)
        slow, quick = await virtual.page(run, "ann"), await virtual.page(run, "bob")
        await slow.register()
        await quick.register()
        await quick.submit_onboarding(RIGHT)
        await quick.submit({})
        await trio.sleep(1)
        assert (await virtual.storage.run(run.id)).state is RunState.COMPLETED
        ann, _ = await virtual.storage.onboarding_agents(run.id)
        assert (ann.status, ann.reason) == (AgentStatus.DISCONNECT, Reason.RUN_ENDED.value)
        refused = await slow.submit_onboarding(RIGHT)
        assert (refused.verdict, refused.reason) == (Verdict.REFUSED, "run_ended")


async def test_a_run_stopped_at_once_dismisses_those_in_onboarding(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_run(virtual)
        await (await virtual.page(run, "ann")).register()
        await virtual.operator.stop(run.id, now=True, who="staff:ann")
        assert await onboardings(virtual, run) == [AgentStatus.DISCONNECT]


async def test_staff_may_have_a_failed_worker_onboarded_again(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_run(virtual)
        page = await virtual.page(run, "ann")
        await page.register()
        await page.submit_onboarding(WRONG)
        await virtual.storage.revoke("knows digits", WorkerId(1), run.created_at, "staff:ann", "mercy")
        assert is_onboarding(await page.register())
        assert (await page.submit_onboarding(RIGHT)).status == "in task"
        assert await values(virtual) == {"knows digits": 1}


async def test_two_links_of_one_worker_share_one_onboarding(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_run(virtual)
        one, other = await virtual.page(run, "ann"), await virtual.page(run, "ann")
        assert (await one.register()).agent_id == (await other.register()).agent_id


async def test_without_onboarding_an_onboarding_id_is_unknown(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch()
        page = await virtual.page(run, "ann")
        page.agent = (await page.register()).agent_id
        refused = await page.submit_onboarding(RIGHT)
        assert (refused.verdict, refused.reason) == (Verdict.REFUSED, "unknown_agent")


async def test_what_is_told_during_an_onboarding_is_kept_once(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_run(virtual)
        page = await virtual.page(run, "ann")
        body = {"USED_AGENT_ID": (await page.register()).agent_id, "metadata": {"log": {"n": 1}}}
        for _ in range(2):
            assert (await page.doors.post("submit_metadata", body, 60)).verdict is Verdict.OK
        agent = await the_onboarding(virtual, run)
        (told,) = (await virtual.storage.facts(onboarding_metadata_scope(agent.id))).values()
        assert (told["kind"], told["data"]) == ("log", {"log": {"n": 1}})


async def test_an_onboarding_has_a_history_and_its_verdict_a_decision(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_run(virtual)
        page = await virtual.page(run, "ann")
        await page.register()
        await page.submit_onboarding(RIGHT)
        history = await virtual.storage.history(kind="onboarding")
        assert [entry.after for entry in history] == ["onboarding", "waiting", "approved"]
        decided = await virtual.storage.decisions(run_id=run.id)
        assert ("onboarding", "passed") in [(each.kind, each.outcome) for each in decided]
        assert await virtual.storage.onboarding_agent(AgentId(1)) == await the_onboarding(virtual, run)


async def test_a_broken_run_that_is_stopped_at_once_onboards_nobody_any_more(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_run(virtual)
        await (await virtual.page(run, "ann")).register()
        (kept,) = (path.parent for path in tmp_path.glob("data/tasks/*/task.toml"))
        (kept / "task.py").write_text("raise RuntimeError('out of coffee')\n")
        virtual.daemon.kill(down_s=1)
        await trio.sleep(2)
        assert (await virtual.storage.run(run.id)).trouble
        await virtual.operator.stop(run.id, now=True, who="staff:ann")
        assert await onboardings(virtual, run) == [AgentStatus.DISCONNECT]
