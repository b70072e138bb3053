"""Pay for late answers over the control socket: told to the provider, listed, audited, refused in words."""

import json
from typing import Any

import pytest

from crowdd.storage.records import TaskRun

from .fakes import NOW, Answer, Desk


async def pay(desk: Desk, **body: Any) -> Answer:
    return await desk.ask("POST", "/v1/runs/digits/late/pay", json.dumps(body).encode())


async def a_late_answer(desk: Desk) -> TaskRun:
    """Of ann, who has given the unit back; and something of nobody that this store knows."""
    run = await desk.operator.a_run("digits", units=1)
    await desk.operator.at_work(run, "ann")
    await desk.operator.came_late(run)
    await desk.operator.gave_back(run)
    return run


async def test_a_late_answer_that_is_paid_is_told_to_the_provider_and_listed_so(desk: Desk) -> None:
    run = await a_late_answer(desk)
    answer = (await pay(desk, late=[1], amount="0.30", note="thank you")).json()
    assert answer == {"late": [{"id": 1, "cents": 30, "changed": True, "refused": None, "owed": None}]}
    told = (await desk.operator.provider_of(run.id)).told("bonus")
    assert [given[:3] for given in told] == [("ann", 30, "thank you")]
    you = (await desk.ask("GET", "/v1/status")).json()["you"]
    listed = (await desk.ask("GET", "/v1/runs/digits/late")).json()["late"]
    at = NOW.isoformat()
    assert listed[0]["payment"] == {"cents": 30, "note": "thank you", "who": you, "at": at, "paid_at": at}
    assert listed[1]["payment"] is None


async def test_what_is_refused_is_said_of_each_and_the_others_are_paid(desk: Desk) -> None:
    await a_late_answer(desk)
    nobodys, paid = (await pay(desk, late=[2, 1], amount="1")).json()["late"]
    assert (nobodys["cents"], nobodys["changed"]) == (None, False)
    assert nobodys["refused"].startswith("Whose it is this store does not know")
    assert (paid["cents"], paid["changed"]) == (100, True)


async def test_a_payment_that_is_owed_is_shown_with_the_run(desk: Desk) -> None:
    run = await a_late_answer(desk)
    (await desk.operator.provider_of(run.id)).fail_next["bonus"] = 1
    (paid,) = (await pay(desk, late=[1], amount="0.30")).json()["late"]
    assert paid["owed"] == "bonus is told to fail"
    (owed,) = (await desk.ask("GET", "/v1/runs/digits")).json()["owed"]
    assert (owed["call"], owed["agent_id"], owed["tries"]) == ("pay_late", 1, 1)


async def test_a_payment_is_audited_with_its_amount(desk: Desk) -> None:
    await a_late_answer(desk)
    await pay(desk, late=[1], amount="0.30")
    (row,) = await desk.operator.storage.audit()
    assert (row.what, row.subject, row.after, row.outcome) == (
        "pay_late", "digits, late answers 1", "1: 30 cents", "done"
    )  # fmt: skip


async def test_a_payment_is_told_by_why(desk: Desk) -> None:
    await a_late_answer(desk)
    await pay(desk, late=[1], amount="0.30")
    (told,) = (await desk.ask("GET", "/v1/why/agent/1")).json()["decisions"]
    assert "decided to pay 0.30 for late answer 1" in told["sentences"][0]


@pytest.mark.parametrize("late", [[9], [1, 9]], ids=["alone", "beside one that is there"])
async def test_where_one_is_not_there_nothing_is_done(desk: Desk, late: list[int]) -> None:
    await a_late_answer(desk)
    answer = await pay(desk, late=late, amount="0.30")
    assert (answer.status, answer.error()["code"]) == (404, "no_such_late_answer")
    assert (await desk.operator.storage.late_answer(1)).owed_at is None


async def test_a_late_answer_of_another_run_is_not_there(desk: Desk) -> None:
    await a_late_answer(desk)
    await desk.operator.a_run("letters")
    asked = await desk.ask("POST", "/v1/runs/letters/late/pay", b'{"late": [1], "amount": "0.30"}')
    assert asked.error()["code"] == "no_such_late_answer"


@pytest.mark.parametrize(
    "body",
    [{}, {"late": []}, {"late": ["1"]}, {"late": [1], "amount": 3}, {"late": [1], "amount": "0.00"},
     {"late": [1], "amount": "99999"}, {"late": [1], "amount": None}, {"late": [1], "cents": 3}],
    ids=["nothing", "none", "a word", "a number", "no money", "too much", "null", "another key"],
)  # fmt: skip
async def test_what_makes_no_sense_is_refused(desk: Desk, body: dict[str, Any]) -> None:
    await a_late_answer(desk)
    assert (await pay(desk, **body)).status == 400
