"""Blocking workers over the control socket: what they keep, what the provider hears, what history says."""

import json
from typing import Any

import pytest

from crowdd.daemon.control.limits import WORKERS_MAX
from crowdd.protocol.names import RunState

from ..storage.counting import counted
from .fakes import NOW, Answer, Desk


async def ask(desk: Desk, target: str, **body: Any) -> Answer:
    return await desk.ask("POST", f"/v1{target}", json.dumps(body).encode())


async def test_who_is_blocked_at_work_is_told_with_what_they_hold(desk: Desk) -> None:
    run = await desk.operator.a_run("digits")
    work = await desk.operator.at_work(run, "ann")
    answer = await ask(desk, "/workers/block", workers=["ann"], reason="spam")
    (ann,) = answer.json()["workers"]
    assert (ann["blocked"], ann["changed"], ann["owed"]) == (True, True, None)
    assert ann["holds"] == [{"run": "digits", "unit_id": work.unit.id, "agent_id": work.agent.id}]
    assert (await desk.operator.storage.agent(work.agent.id)).status is work.agent.status
    provider = await desk.operator.provider_of(run.id)
    assert provider.told("block") == [("ann", "spam")]
    (entry,) = await desk.operator.storage.history("worker")
    you = (await desk.ask("GET", "/v1/status")).json()["you"]
    assert (entry.who, entry.after, entry.why) == (you, "blocked", "spam")


async def test_blocking_again_changes_nothing_and_tells_nobody(desk: Desk) -> None:
    run = await desk.operator.a_run("digits")
    await desk.operator.submitted(run, "ann", {})
    for changed in (True, False):
        answer = await ask(desk, "/workers/block", workers=["ann"], reason="spam")
        assert answer.json()["workers"][0]["changed"] is changed
    assert len((await desk.operator.provider_of(run.id)).told("block")) == 1


async def test_unblocking_lets_them_in_again(desk: Desk) -> None:
    run = await desk.operator.a_run("digits")
    await desk.operator.submitted(run, "ann", {})
    await ask(desk, "/workers/block", workers=["ann"], reason="spam")
    answer = await ask(desk, "/workers/unblock", workers=["ann"], reason="sorry")
    assert answer.json()["workers"][0]["blocked"] is False
    provider = await desk.operator.provider_of(run.id)
    assert [told.method for told in provider.ledger if "block" in told.method] == ["block", "unblock"]


async def test_a_provider_that_fails_is_owed_the_block_which_holds_already(desk: Desk) -> None:
    run = await desk.operator.a_run("digits")
    await desk.operator.submitted(run, "ann", {})
    (await desk.operator.provider_of(run.id)).fail_next["block"] = 1
    answer = await ask(desk, "/workers/block", workers=["ann"], reason="spam")
    (ann,) = answer.json()["workers"]
    assert (ann["blocked"], ann["owed"]) == (True, "block is told to fail")
    (owed,) = (await desk.ask("GET", "/v1/runs/digits")).json()["owed"]
    assert (owed["call"], owed["worker_id"], owed["agent_id"], owed["tries"]) == ("block", ann["id"], None, 1)
    (error,) = (await desk.ask("GET", "/v1/runs/digits/errors")).json()["errors"]
    assert error["text"] == "telling the provider to block worker 1: block is told to fail"


async def test_a_worker_of_no_run_is_blocked_although_there_is_nobody_to_tell(desk: Desk) -> None:
    await desk.operator.storage.register_worker("inhouse", "ann", {}, NOW)
    answer = await ask(desk, "/workers/block", workers=["ann"], reason="spam")
    assert (answer.json()["workers"][0]["blocked"], desk.operator.errands.owed()) == (True, [])


async def test_a_block_needs_a_reason_and_workers_who_are_known(desk: Desk) -> None:
    await desk.operator.storage.register_worker("inhouse", "ann", {}, NOW)
    assert (await ask(desk, "/workers/block", workers=["ann"])).status == 400
    assert (await ask(desk, "/workers/block", workers=["ann"], reason=" ")).status == 400
    refused = await ask(desk, "/workers/block", workers=["ann", "bob"], reason="spam")
    assert (refused.status, refused.error()["message"]) == (404, "There is no worker 'bob'.")
    assert not (await desk.operator.storage.worker_by_name("inhouse", "ann")).blocked


async def test_a_hundred_workers_are_looked_up_together(desk: Desk) -> None:
    names = [f"worker {number}" for number in range(100)]
    for name in names:
        await desk.operator.storage.register_worker("inhouse", name, {}, NOW)
    calls = counted(desk.operator.storage)
    words = [*names[:50], *(f"inhouse:{name}" for name in names[50:])]
    answer = await ask(desk, "/workers/block", workers=words, reason="spam")
    assert [worker["name"] for worker in answer.json()["workers"]] == names
    assert calls["workers_among"] == 3  # who is meant, how they were, how they are
    assert calls["worker"] + calls["worker_by_name"] + calls["workers"] == 0


@pytest.mark.parametrize("what", ["block", "unblock", "grant", "revoke"])
async def test_more_workers_than_one_request_may_name_are_refused_in_words(desk: Desk, what: str) -> None:
    await desk.operator.storage.create_qualification("trained", None, NOW)
    about = {"qualification": "trained"} if what in ("grant", "revoke") else {"reason": "spam"}
    answer = await ask(desk, f"/workers/{what}", workers=["ann"] * (WORKERS_MAX + 1), **about)
    assert answer.status == 400
    assert (
        answer.error()["message"] == "1001 workers are named; at most 1000 may be at once. Nothing is done."
    )


async def test_a_block_is_not_told_through_a_run_that_is_being_deleted(desk: Desk) -> None:
    old, new = await desk.operator.a_run("old"), await desk.operator.a_run("new")
    for run in (old, new):
        await desk.operator.submitted(run, "ann", {})
    await desk.operator.move(new.id, RunState.COMPLETED)
    await desk.operator.storage.begin_deletion(new.id, NOW, "staff:bob")
    await ask(desk, "/workers/block", workers=["ann"], reason="spam")
    assert (await desk.operator.provider_of(old.id)).told("block") == [("ann", "spam")]
    assert (await desk.operator.provider_of(new.id)).told("block") == []
