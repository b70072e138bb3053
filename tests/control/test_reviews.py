"""Reviews over the control socket: by agent and by unit, refused in words, told to the provider, listed."""

import json
from typing import Any

from crowdd.protocol.names import AgentStatus, RunState, UnitStatus
from crowdd.storage.writes import SetGrant

from .fakes import NOW, Answer, Desk


async def review(desk: Desk, verdict: str, **body: Any) -> Answer:
    return await desk.ask("POST", "/v1/reviews", json.dumps({"verdict": verdict, **body}).encode())


async def test_a_review_moves_agent_and_unit_and_is_told_to_the_provider(desk: Desk) -> None:
    run = await desk.operator.a_run("digits")
    agents = [await desk.operator.submitted(run, name, {}) for name in ("ann", "bob", "cem")]
    await review(desk, "approve", agents=[agents[0].id], note="nice")
    await review(desk, "soft_reject", units=[agents[1].unit_id])
    await review(desk, "reject", agents=[agents[2].id], note="empty")
    storage = desk.operator.storage
    assert [(await storage.agent(agent.id)).status for agent in agents] == [
        AgentStatus.APPROVED, AgentStatus.SOFT_REJECTED, AgentStatus.REJECTED
    ]  # fmt: skip
    assert [(await storage.unit(agent.unit_id)).status for agent in agents] == [
        UnitStatus.ACCEPTED, UnitStatus.SOFT_REJECTED, UnitStatus.REJECTED
    ]  # fmt: skip
    ledger = (await desk.operator.provider_of(run.id)).ledger
    assert [(told.method, *told.given) for told in ledger] == [
        ("approve", agents[0].id, "nice"),
        ("soft_reject", agents[1].id, None),
        ("reject", agents[2].id, "empty"),
    ]
    assert desk.operator.errands.owed() == []
    you = (await desk.ask("GET", "/v1/status")).json()["you"]
    listed = (await desk.ask("GET", "/v1/runs/digits/agents?worker=cem")).json()["agents"]
    assert [each["review"] for each in listed] == [
        {"status": "rejected", "note": "empty", "who": you, "at": NOW.isoformat()}
    ]
    units = (await desk.ask("GET", "/v1/runs/digits/units")).json()["units"]
    assert [each["review"]["note"] for each in units] == ["nice", None, "empty"]
    records = (await desk.ask("GET", "/v1/runs/digits/export")).body.splitlines()
    verdicts = [json.loads(line)["review"]["status"] for line in records]
    assert verdicts == ["approved", "soft_rejected", "rejected"]
    table = (await desk.ask("GET", "/v1/runs/digits/export?format=csv")).body.decode()
    assert "review.note" in table.splitlines()[0]


async def test_work_of_an_ended_run_is_reviewed_as_well(desk: Desk) -> None:
    run = await desk.operator.a_run("digits")
    agent = await desk.operator.submitted(run, "ann", {})
    await desk.operator.move(run.id, RunState.STOPPED)
    del desk.operator.lives[run.id]
    (reviewed,) = (await review(desk, "approve", agents=[agent.id])).json()["reviews"]
    assert (reviewed["status"], reviewed["changed"], reviewed["owed"]) == ("approved", True, None)


async def test_the_same_verdict_again_changes_nothing_and_another_is_refused(desk: Desk) -> None:
    agent = await desk.operator.submitted(await desk.operator.a_run("digits"), "ann", {})
    outcomes = [
        (await review(desk, verdict, agents=[agent.id], note="because")).json()["reviews"][0]
        for verdict in ("approve", "approve", "soft_reject", "reject")
    ]
    assert [each["changed"] for each in outcomes] == [True, False, False, False]
    assert [each["refused"] for each in outcomes] == [
        None, None, *["It was approved, which pays: that is final."] * 2
    ]  # fmt: skip
    assert len(await desk.operator.storage.reviews(agent.id)) == 1


async def test_what_was_not_submitted_is_not_judged(desk: Desk) -> None:
    run = await desk.operator.a_run("digits")
    work = await desk.operator.at_work(run, "ann")
    (outcome,) = (await review(desk, "approve", units=[work.unit.id])).json()["reviews"]
    assert outcome["refused"] == "There is no answer to judge: the agent is in task."
    free = await review(desk, "approve", units=[2])
    assert (free.status, free.error()["code"]) == (409, "nothing_to_review")


async def test_a_rejection_is_undone_where_the_provider_can(desk: Desk) -> None:
    agent = await desk.operator.submitted(await desk.operator.a_run("digits"), "ann", {})
    await review(desk, "reject", agents=[agent.id], note="empty")
    soft = (await review(desk, "soft_reject", agents=[agent.id])).json()["reviews"][0]
    assert soft["refused"] == "It was rejected; that can only be undone by approving it."
    undone = (await review(desk, "approve", agents=[agent.id], note="my mistake")).json()["reviews"][0]
    assert (undone["changed"], undone["status"]) == (True, "approved")
    assert [each.note for each in await desk.operator.storage.reviews(agent.id)] == ["empty", "my mistake"]


async def test_a_provider_that_fails_is_owed_the_verdict(desk: Desk) -> None:
    run = await desk.operator.a_run("digits")
    agent = await desk.operator.submitted(run, "ann", {})
    (await desk.operator.provider_of(run.id)).fail_next["approve"] = 1
    (outcome,) = (await review(desk, "approve", agents=[agent.id])).json()["reviews"]
    assert (outcome["status"], outcome["owed"]) == ("approved", "approve is told to fail")
    (owed,) = (await desk.ask("GET", "/v1/runs/digits")).json()["owed"]
    assert (owed["call"], owed["agent_id"], owed["error"]) == ("approve", agent.id, "approve is told to fail")
    (error,) = (await desk.ask("GET", "/v1/runs/digits/errors")).json()["errors"]
    assert (error["agent_id"], error["source"]) == (agent.id, "plug-in")


async def test_too_many_soft_rejects_give_the_block_qualification_with_the_figures(desk: Desk) -> None:
    storage = desk.operator.storage
    rule = {"block_qualification": "barred", "review": {"soft_reject_share": 0.4, "after_reviews": 3}}
    run = await desk.operator.a_run("digits", units=4, config=rule)
    await storage.create_qualification("barred", None, NOW)
    agents = [await desk.operator.submitted(run, "ann", {}) for _ in range(4)]
    verdicts = ["approve", "soft_reject", "soft_reject", "soft_reject"]
    outcomes = [
        (await review(desk, verdict, agents=[agent.id])).json()["reviews"][0]
        for verdict, agent in zip(verdicts, agents, strict=True)
    ]
    assert [each["blocks"] for each in outcomes] == [False, False, True, False]
    (grant,) = await storage.grants(agents[0].worker_id, "barred")
    (entry,) = await storage.history("grant", agents[0].worker_id)
    assert (grant.value, entry.who) == (1, "daemon")
    assert entry.why == "2 of 3 reviewed answers were soft-rejected: more than 40%"


async def test_who_has_the_block_qualification_is_not_given_it_again(desk: Desk) -> None:
    storage = desk.operator.storage
    rule = {"block_qualification": "barred", "review": {"soft_reject_share": 0.0, "after_reviews": 1}}
    agent = await desk.operator.submitted(await desk.operator.a_run("digits", config=rule), "ann", {})
    await storage.create_qualification("barred", None, NOW)
    await storage.commit([SetGrant("barred", agent.worker_id, 7, "staff:eve", "before")], NOW)
    (outcome,) = (await review(desk, "soft_reject", agents=[agent.id])).json()["reviews"]
    assert outcome["blocks"] is False
    assert [grant.value for grant in await storage.grants(agent.worker_id)] == [7]


async def test_requests_without_sense_are_refused_and_nothing_is_judged(desk: Desk) -> None:
    agent = await desk.operator.submitted(await desk.operator.a_run("digits"), "ann", {})
    nonsense: tuple[tuple[str, dict[str, Any]], ...] = (
        ("praise", {"agents": [agent.id]}), ("approve", {}), ("approve", {"agents": []}),
        ("approve", {"agents": ["1"]}), ("approve", {"agents": [True]}), ("approve", {"agents": [0]}),
        ("reject", {"agents": [agent.id]}), ("reject", {"agents": [agent.id], "note": " "}),
        ("approve", {"agents": [agent.id], "note": 7}), ("approve", {"agents": list(range(1, 202))}),
    )  # fmt: skip
    for verdict, body in nonsense:
        answer = await review(desk, verdict, **body)
        assert answer.status == 400, (verdict, body)
    unknown = await review(desk, "approve", agents=[agent.id, 99])
    assert (unknown.status, unknown.error()["message"]) == (404, "There is no agent 99. Nothing was done.")
    assert (await desk.operator.storage.agent(agent.id)).status is AgentStatus.COMPLETED
