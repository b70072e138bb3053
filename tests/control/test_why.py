"""Why, over the control socket: decisions in sentences with their facts, and the history beside them."""

import json
from typing import Any

from crowdd.daemon.review.rule import Rule, Tally, is_exceeded, with_soft_reject
from crowdd.storage.admission import NewDecision

from .fakes import NOW, Desk

RULE = {"block_qualification": "barred", "review": {"soft_reject_share": 0.4, "after_reviews": 1}}


async def why(desk: Desk, target: str) -> dict[str, Any]:
    answer = await desk.ask("GET", f"/v1/why/{target}")
    assert answer.status == 200
    told: dict[str, Any] = answer.json()
    return told


async def review(desk: Desk, verdict: str, agent: int, note: str = "") -> None:
    body = {"verdict": verdict, "agents": [agent], "note": note}
    assert (await desk.ask("POST", "/v1/reviews", json.dumps(body).encode())).status == 200


async def test_a_verdict_is_told_in_sentences_with_the_figures_of_the_rule(desk: Desk) -> None:
    await desk.operator.storage.create_qualification("barred", None, NOW)
    agent = await desk.operator.submitted(await desk.operator.a_run("digits", config=RULE), "ann", {})
    await review(desk, "soft_reject", agent.id, "so so")
    (decision,) = (await why(desk, f"agent/{agent.id}"))["decisions"]
    you = (await desk.ask("GET", "/v1/status")).json()["you"]
    assert decision["sentences"] == [
        f"{you} judged the work soft-rejected, saying: so so.",
        "With it, 1 of 1 reviewed answers of the worker in this task were soft-rejected; the run's rule "
        "allows 40%, once there are 1 reviews.",
        "So the worker was given barred, which bars them.",
    ]
    assert (decision["kind"], decision["outcome"], decision["reason"]) == (
        "review", "soft_rejected", "too_many_soft_rejects"
    )  # fmt: skip


async def test_the_rule_decides_the_same_on_the_recorded_facts(desk: Desk) -> None:
    await desk.operator.storage.create_qualification("barred", None, NOW)
    rule = {**RULE, "review": {"soft_reject_share": 0.4, "after_reviews": 3}}
    run = await desk.operator.a_run("digits", units=4, config=rule)
    agents = [await desk.operator.submitted(run, "ann", {}) for _ in range(4)]
    for agent, verdict in zip(agents, ["approve", "soft_reject", "soft_reject", "soft_reject"], strict=True):
        await review(desk, verdict, agent.id)
    decisions = (await why(desk, "worker?worker=ann"))["decisions"]
    assert [each["reason"] for each in decisions] == [None, None, "too_many_soft_rejects", None]
    for each in decisions[1:]:
        facts = each["facts"]
        exceeded = is_exceeded(Rule(**facts["rule"]), with_soft_reject(Tally(**facts["tally"])))
        assert (exceeded and not facts["has_block"]) == (each["reason"] is not None)


async def test_a_worker_is_told_of_in_one_run_or_in_all(desk: Desk) -> None:
    one, two = await desk.operator.a_run("one"), await desk.operator.a_run("two")
    agents = [await desk.operator.submitted(run, "ann", {}) for run in (one, two)]
    storage = desk.operator.storage
    for run in (one, two):
        new = NewDecision(run.id, agents[0].worker_id, "admission", "refused", "blocked", {"odd": 1})
        for _ in range(3):
            await storage.record_decision(new, NOW)
    await storage.set_blocked(agents[0].worker_id, True, NOW, "staff:eve", "spam")
    everywhere = await why(desk, "worker?worker=inhouse:ann")
    assert [(each["run"], each["count"]) for each in everywhere["decisions"]] == [("one", 3), ("two", 3)]
    told = await why(desk, "worker?worker=1&run=two")
    assert [each["run"] for each in told["decisions"]] == ["two"]
    assert told["decisions"][0]["sentences"][0] == "odd: 1."
    changes = [(each["kind"], each["subject_id"], each["after"]) for each in told["history"]]
    assert changes == [
        *[("agent", agents[1].id, status) for status in ("accepted", "in task", "completed")],
        ("worker", 1, "blocked"),
    ]


async def test_a_unit_is_told_of_with_everybody_who_had_it(desk: Desk) -> None:
    run = await desk.operator.a_run("digits")
    agent = await desk.operator.submitted(run, "ann", {})
    await review(desk, "reject", agent.id, "empty")
    told = await why(desk, f"unit/{agent.unit_id}")
    assert [each["after"] for each in told["history"] if each["kind"] == "unit"] == [
        "created", "launched", "assigned", "completed", "rejected"
    ]  # fmt: skip
    assert {each["subject_id"] for each in told["history"] if each["kind"] == "agent"} == {agent.id}
    assert [each["outcome"] for each in told["decisions"]] == ["rejected"]


async def test_what_is_not_there_has_no_why(desk: Desk) -> None:
    await desk.operator.storage.register_worker("inhouse", "ann", {}, NOW)
    for target, code in (
        ("unit/99", "no_such_unit"), ("agent/99", "no_such_agent"), ("agent/x", "no_such_agent"),
        ("worker?worker=bob", "no_such_worker"), ("worker?worker=ann&run=x", "no_such_run"),
    ):  # fmt: skip
        answer = await desk.ask("GET", f"/v1/why/{target}")
        assert (answer.status, answer.error()["code"]) == (404, code)
    assert await why(desk, "worker?worker=ann") == {"decisions": [], "history": []}
    said = await desk.crowdctl("why", "worker", "ann")
    assert said.output.startswith("Nothing was ever decided about them")


async def test_why_prints_sentences_and_json_has_the_facts(desk: Desk) -> None:
    agent = await desk.operator.submitted(await desk.operator.a_run("digits"), "ann", {})
    await review(desk, "approve", agent.id, "\x1b[2Jnice")
    printed = (await desk.crowdctl("why", "agent", str(agent.id))).output
    assert "review: approved (run digits, agent 1, unit 1)\n" in printed
    assert "judged the work approved, saying: \\x1b[2Jnice.\n" in printed
    told = json.loads((await desk.crowdctl("why", "agent", str(agent.id), "--json")).output)
    assert told["decisions"][0]["facts"]["note"] == "\x1b[2Jnice"
