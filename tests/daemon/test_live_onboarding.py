"""Onboardings that the author's code accompanies: S6 to S9 live, ends of every kind, restarts, the way on."""

from pathlib import Path
from typing import Any

import trio
from trio.testing import MockClock

from crowdd.protocol.names import AgentId, AgentStatus, PieceKind, Reason
from crowdd.storage.records import OnboardingAgent, TaskRun
from crowdd.testing.verdicts import Answered, Verdict

from .live_pages import LivePage, live_page
from .virtual import Virtual, VirtualPage, open_virtual

SECTIONS = """
[onboarding]
qualification = "can talk"
data = {{ word = "blue" }}
time_s = {time_s}
[blueprint.drop_out]
grace_s = 30
"""
QUIZ = """
async def run_onboarding(agent):
    await agent.send({"question": agent.unit.data["word"]})
    update = await agent.receive()
    await agent.send({"heard": update["text"]})
    return update["text"] == "right"
"""
TOLD = """
from pathlib import Path
from crowdd.daemon.live.errors import AgentGone

async def run_onboarding(agent):
    await agent.send({"question": 1})
    try:
        await agent.receive()
    except AgentGone as gone:
        agent.folder.joinpath("told").write_text(f"{type(gone).__name__} {agent.status.value}")
        raise
"""


async def a_run(virtual: Virtual, code: str = QUIZ, time_s: float = 1800, **more: Any) -> TaskRun:
    return await virtual.launch(
        sections=SECTIONS.format(time_s=time_s), code=code, blueprint__live="true", **more
    )


async def newcomer(virtual: Virtual, run: TaskRun, worker: str = "ann") -> VirtualPage:
    page = await virtual.at_work(run, worker)
    assert page.agent.startswith("onboarding_")
    return page


async def the_onboarding(virtual: Virtual, run: TaskRun) -> OnboardingAgent:
    return (await virtual.storage.onboarding_agents(run.id))[-1]


async def grants(virtual: Virtual, run: TaskRun) -> dict[str, int]:
    worker = (await the_onboarding(virtual, run)).worker_id
    return dict((await virtual.storage.worker_facts(run.id, worker)).grants)


async def told_waiting(live: LivePage) -> None:
    with trio.fail_after(60):
        while "waiting" not in live.statuses():
            await trio.sleep(0.05)


async def passed(page: VirtualPage, live: LivePage) -> Answered:
    """What a page does that is told `waiting`: it submits by itself."""
    await told_waiting(live)
    return await page.submit_onboarding({})


def told(virtual: Virtual, run: TaskRun) -> str:
    """What the author's code was told of the end."""
    (note,) = (virtual.daemon.data / "runs" / str(run.id) / "onboardings").glob("*/told")
    return note.read_text()


async def test_s6_a_new_worker_talks_with_the_code_before_the_first_unit(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_run(virtual)
        page = await newcomer(virtual, run)
        async with live_page(page) as live:
            await live.until(1)
            await live.send({"text": "right"})
            assert await live.until(2) == [{"question": "blue"}, {"heard": "right"}]
            answered = await passed(page, live)
        assert (answered.verdict, answered.status) == (Verdict.OK, "in task")
        assert await grants(virtual, run) == {"can talk": 1}
        assert (await the_onboarding(virtual, run)).status is AgentStatus.APPROVED
        assert await virtual.agents(run) == [AgentStatus.IN_TASK]


async def test_s7_code_that_returns_false_fails_its_worker(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_run(virtual)
        page = await newcomer(virtual, run)
        async with live_page(page) as live:
            await live.send({"text": "wrong"})
            answered = await passed(page, live)
        assert (answered.verdict, answered.reason) == (Verdict.REFUSED, "not_qualified")
        assert await grants(virtual, run) == {"can talk": 0, "can talk-failed": 0}
        (decision,) = [d for d in await virtual.storage.decisions(run_id=run.id) if d.kind == "onboarding"]
        assert (decision.outcome, decision.facts["run_onboarding"]) == ("failed", False)


async def test_s9_the_same_page_goes_on_with_the_unit_on_a_socket_for_its_new_agent(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_run(virtual)
        page = await newcomer(virtual, run)
        async with live_page(page) as live:
            await live.send({"text": "right"})
            answered = await passed(page, live)
        assert answered.told["init_task_data"]["past_live_updates"] == []
        assert page.agent == answered.agent_id
        async with live_page(page) as live:
            await live.send({"text": "hello"})
            assert await live.until(1) == [{"echo": {"text": "hello"}}]
            assert (await page.submit({"done": True})).verdict is Verdict.OK


async def test_what_the_code_returns_is_judged_by_the_hook(tmp_path: Path, autojump_clock: MockClock) -> None:
    code = """
async def run_onboarding(agent):
    return {"score": (await agent.receive())["score"]}

def validate_onboarding(worker, data):
    return data["score"] > 3
"""
    async with open_virtual(tmp_path) as virtual:
        run = await a_run(virtual, code)
        for worker, score, status in (("ann", 3, ""), ("bob", 4, "in task")):
            page = await newcomer(virtual, run, worker)
            async with live_page(page) as live:
                await live.send({"score": score})
                assert (await passed(page, live)).status in (status, None, "waiting")
            assert (await the_onboarding(virtual, run)).data == {"score": score}
        judged = [agent.status for agent in await virtual.storage.onboarding_agents(run.id)]
        assert judged == [AgentStatus.REJECTED, AgentStatus.APPROVED]


async def test_the_verdict_comes_also_when_the_page_is_closed_before_it_asks(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_run(virtual)
        page = await newcomer(virtual, run)
        async with live_page(page) as live:
            await live.send({"text": "right"})
            await told_waiting(live)
        await trio.sleep(1)
        assert (await the_onboarding(virtual, run)).status is AgentStatus.APPROVED
        assert (await page.register()).status == "in task"


async def test_a_page_that_submits_first_is_judged_once_the_code_has_ended(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    code = """
import trio
async def run_onboarding(agent):
    async for update in agent.updates():
        await agent.send({"echo": update})
    answer = await agent.submitted()
    await agent.sleep(10)
    return answer["text"] == "right"
"""
    async with open_virtual(tmp_path) as virtual:
        run = await a_run(virtual, code)
        page = await newcomer(virtual, run)
        async with live_page(page) as live:
            await live.send({"n": 1})
            await live.until(1)
            begun = trio.current_time()
            assert (await page.submit_onboarding({"text": "right"})).status == "in task"
            assert 10 <= trio.current_time() - begun < 20
        assert (await the_onboarding(virtual, run)).data == {"text": "right"}


async def test_what_is_sent_last_before_the_code_returns_arrives_also_after_a_cut(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_run(virtual)
        page = await newcomer(virtual, run)
        async with live_page(page) as live:
            await live.until(1)
            await live.send({"text": "right"})
        await trio.sleep(1)  # the page is away when its onboarding ends
        async with live_page(page, seen=1) as live:
            assert await live.until(1) == [{"heard": "right"}]
            assert (await passed(page, live)).status == "in task"


async def test_code_that_raises_ends_the_onboarding_without_a_verdict(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    code = "async def run_onboarding(agent):\n    print((await agent.receive())['text'])\n"
    async with open_virtual(tmp_path) as virtual:
        run = await a_run(virtual, code)
        page = await newcomer(virtual, run)
        first = page.agent
        async with live_page(page) as live:
            await live.send({"no text": 1})
            await trio.sleep(1)
            assert live.statuses()[-1] == "disconnect"
        agent = await the_onboarding(virtual, run)
        assert (agent.status, agent.reason) == (AgentStatus.DISCONNECT, Reason.TASK_ERROR.value)
        assert await grants(virtual, run) == {}
        (error,) = await virtual.storage.errors(run.id)
        assert error.data["message"] == "working on onboarding 1: 'text'"
        again = await (await virtual.page(run, "ann")).register(after=first)
        assert again.agent_id.startswith("onboarding_")
        assert again.agent_id != first


async def test_code_that_never_returns_after_the_submission_ends_the_onboarding_in_bounded_time(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    code = "import trio\nasync def run_onboarding(agent):\n    await trio.sleep_forever()\n"
    async with open_virtual(tmp_path) as virtual:
        run = await a_run(virtual, code)
        page = await newcomer(virtual, run)
        onboarding = page.agent
        assert (await page.submit_onboarding({})).verdict is Verdict.LATER
        await trio.sleep(40)
        page.agent = onboarding
        answered = await page.submit_onboarding({})
        assert (answered.verdict, answered.reason) == (Verdict.REFUSED, "task_error")
        (error,) = await virtual.storage.errors(run.id)
        said = "working on onboarding 1: it went on for 60 s after everybody had left"
        assert error.data["message"] == said


async def test_what_does_not_fit_into_json_is_an_error_of_the_code(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    code = "async def run_onboarding(agent):\n    return {1j}\n"
    async with open_virtual(tmp_path) as virtual:
        run = await a_run(virtual, code)
        await newcomer(virtual, run)
        await trio.sleep(1)
        (error,) = await virtual.storage.errors(run.id)
        assert "what run_onboarding returns must fit into JSON" in error.data["message"]


async def test_who_stays_away_for_longer_than_the_grace_is_lost(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_run(virtual, TOLD)
        page = await newcomer(virtual, run)
        async with live_page(page) as live:
            await live.until(1)
        await trio.sleep(20)
        async with live_page(page, seen=1):
            await trio.sleep(15)
            assert (await the_onboarding(virtual, run)).status is AgentStatus.ONBOARDING
        await trio.sleep(60)
        agent = await the_onboarding(virtual, run)
        assert (agent.status, agent.reason) == (AgentStatus.DISCONNECT, Reason.TASK_MISSING.value)
        assert told(virtual, run) == "AgentDisconnected disconnect"


async def test_each_end_is_told_the_code_as_what_it_is(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with open_virtual(tmp_path) as virtual:
        for label, time_s, said in (
            ("returned", 1800, "AgentReturned returned"),
            ("late", 40, "AgentTimeout timeout"),
            ("dismissed", 1800, "AgentDisconnected disconnect"),
            ("submitted", 1800, "AgentSubmitted completed"),
        ):
            run = await a_run(virtual, TOLD, time_s, label=label)
            page = await newcomer(virtual, run)
            async with live_page(page) as live:
                await live.until(1)
                if label == "returned":
                    await page.doors.post("return_unit", {"USED_AGENT_ID": page.agent}, 60)
                elif label == "late":
                    await trio.sleep(60)
                elif label == "dismissed":
                    await virtual.operator.stop(run.id, now=True, who="staff:ann")
                else:
                    await page.submit_onboarding({})
                await trio.sleep(1)
            assert told(virtual, run) == said


async def test_a_reload_is_given_what_was_said_so_far(tmp_path: Path, autojump_clock: MockClock) -> None:
    code = """
async def run_onboarding(agent):
    async for update in agent.updates():
        await agent.send({"echo": update["n"]})
"""
    async with open_virtual(tmp_path) as virtual:
        run = await a_run(virtual, code)
        page = await newcomer(virtual, run)
        async with live_page(page) as live:
            await live.send({"n": 1})
            await live.until(1)
        again = await page.register()
        init = again.told["init_task_data"]
        assert init["task_data"] == {"word": "blue"}
        mine, theirs = init["past_live_updates"]
        assert mine["n"] == 1
        assert theirs == {"echo": 1, "update_id": "o1.1"}
        assert again.told["seen"] == 1


async def test_after_a_crash_the_code_goes_on_where_it_was(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_run(virtual)
        page = await newcomer(virtual, run)
        async with live_page(page) as live:
            await live.until(1)
            virtual.daemon.kill(down_s=5)
            await trio.sleep(1)
            await live.send({"text": "right"})
            assert await live.until(2) == [{"question": "blue"}, {"heard": "right"}]
            answered = await passed(page, live)
        assert answered.status == "in task"
        journal = await virtual.storage.journal(PieceKind.ONBOARDING, 1)
        assert [entry.what for entry in journal] == ["begun", "send", "receive", "send"]


async def test_a_crash_between_the_submission_and_what_the_code_returns_loses_neither(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    code = """
async def run_onboarding(agent):
    answer = await agent.submitted()
    await agent.sleep(10)
    return answer["text"] == "right"
"""
    async with open_virtual(tmp_path) as virtual:
        run = await a_run(virtual, code)
        page = await newcomer(virtual, run)
        answers: list[Answered] = []

        async def submit() -> None:
            answers.append(await page.submit_onboarding({"text": "wrong"}))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(submit)
            await trio.sleep(2)
            assert (await the_onboarding(virtual, run)).status is AgentStatus.WAITING
            virtual.daemon.kill(down_s=2)
        assert answers[0].reason == "not_qualified"
        assert await grants(virtual, run) == {"can talk": 0, "can talk-failed": 0}


async def test_after_a_shutdown_the_onboarding_goes_on_for_who_comes_back(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_run(virtual)
        page = await newcomer(virtual, run)
        async with live_page(page) as live:
            await live.until(1)
            virtual.daemon.stop(down_s=5)  # and the run's grace_s before that
            await trio.sleep(28)
            assert live.statuses()[-1] == "disconnect"
            await virtual.until_live(run.id)
            assert (await page.register()).status == "onboarding"
            await live.alive(seen=1)
            await live.send({"text": "right"})
            assert (await passed(page, live)).status == "in task"
        assert await virtual.agents(run) == [AgentStatus.IN_TASK]


async def test_a_page_that_missed_the_shutdown_is_told_of_it_when_it_says_something(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_run(virtual)
        page = await newcomer(virtual, run)
        virtual.daemon.stop(down_s=5)  # and the run's grace_s before that
        await trio.sleep(28)
        virtual.router(run).restart(down_s=1)
        await trio.sleep(5)
        async with live_page(page) as live:
            await trio.sleep(1)
            assert live.statuses() == ["disconnect"]


async def test_with_resume_end_a_crash_ends_the_onboarding(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_run(virtual, blueprint__resume='"end"')
        page = await newcomer(virtual, run)
        async with live_page(page) as live:
            await live.until(1)
            virtual.daemon.kill(down_s=1)
            await trio.sleep(10)
        assert (await the_onboarding(virtual, run)).reason == Reason.TASK_ERROR.value


async def test_pages_may_call_functions_and_their_errors_are_noted_without_an_agent(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_run(virtual, "async def run_onboarding(agent):\n    await agent.submitted()\n")
        page = await newcomer(virtual, run)
        async with live_page(page) as live:
            for name in ("echo", "fail"):
                await live.send({"request_id": name, "target": name, "args": "21"})
            answers = {answer["handles"]: answer for answer in await live.until(2)}
        assert answers["echo"]["response"] == "21"
        assert "error" in answers["fail"]
        (error,) = await virtual.storage.errors(run.id)
        assert error.agent_id is None
        assert "in onboarding 1" in error.data["message"]


async def test_an_onboarding_and_a_unit_of_the_same_number_do_not_meet(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    code = """
async def run_onboarding(agent):
    async for update in agent.updates():
        if update.get("end"):
            return
        await agent.send({"onboarding": update["n"]})
"""
    async with open_virtual(tmp_path) as virtual:
        run = await a_run(virtual, code)
        ann, bob = await newcomer(virtual, run, "ann"), await newcomer(virtual, run, "bob")
        async with live_page(ann) as live:
            await live.send({"end": True})
            await passed(ann, live)
        assert (await virtual.storage.agent(AgentId(1))).wire_id == ann.agent
        async with live_page(ann) as at_work, live_page(bob) as onboarded:
            await at_work.send({"n": 1})
            await onboarded.send({"n": 2})
            assert await at_work.until(1) == [{"echo": {"n": 1}}]
            assert await onboarded.until(1) == [{"onboarding": 2}]


async def test_without_run_onboarding_a_live_task_has_an_onboarding_that_is_a_form(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_run(virtual, "")
        page = await virtual.page(run, "ann")
        answered = await page.register()
        assert answered.told["init_task_data"] == {"word": "blue"}
        assert (await page.submit_onboarding({})).status == "in task"
