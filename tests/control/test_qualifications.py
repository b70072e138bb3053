"""Qualifications over the control socket: made, given, taken, listed, deleted, and what history says."""

import json
from typing import Any

from crowdd.storage.records import Worker

from .fakes import NOW, Answer, Desk


async def ask(desk: Desk, method: str, target: str, **body: Any) -> Answer:
    content = json.dumps(body).encode() if body else None
    return await desk.ask(method, f"/v1{target}", content)


async def a_worker(desk: Desk, name: str, provider: str = "inhouse") -> Worker:
    return await desk.operator.storage.register_worker(provider, name, {}, NOW)


async def test_a_qualification_is_made_once_and_listed_with_how_many_have_it(desk: Desk) -> None:
    await a_worker(desk, "ann")
    made = await ask(desk, "POST", "/qualifications", name="trained", description="passed")
    assert (made.status, made.json()["workers"]) == (201, 0)
    again = await ask(desk, "POST", "/qualifications", name="trained")
    assert (again.status, again.error()["code"]) == (409, "duplicate")
    await ask(desk, "POST", "/workers/grant", qualification="trained", workers=["ann"])
    (listed,) = (await ask(desk, "GET", "/qualifications")).json()["qualifications"]
    assert (listed["name"], listed["description"], listed["workers"]) == ("trained", "passed", 1)


async def test_a_name_that_could_not_be_read_makes_no_qualification(desk: Desk) -> None:
    for name in ("", " ", "two\nlines", "x" * 201, 7, None):
        answer = await ask(desk, "POST", "/qualifications", name=name)
        assert (answer.status, answer.error()["code"]) == (400, "bad_request")
    long = await ask(desk, "POST", "/qualifications", name="long", description="x" * 501)
    assert long.status == 400
    assert (await ask(desk, "GET", "/qualifications")).json() == {"qualifications": []}


async def test_a_grant_says_what_was_before_and_history_who_gave_it(desk: Desk) -> None:
    await a_worker(desk, "ann")
    await ask(desk, "POST", "/qualifications", name="score")
    given = {"qualification": "score", "workers": ["inhouse:ann"]}
    first = await ask(desk, "POST", "/workers/grant", **given, value=3, why="first test")
    second = await ask(desk, "POST", "/workers/grant", **given, value=-4)
    taken = await ask(desk, "POST", "/workers/revoke", **given)
    values = [(each["before"], each["after"]) for a in (first, second, taken) for each in a.json()["grants"]]
    assert values == [(None, 3), (3, -4), (-4, None)]
    history = (await ask(desk, "GET", "/qualification?name=score")).json()["history"]
    you = (await ask(desk, "GET", "/status")).json()["you"]
    assert [(each["who"], each["worker_name"], each["after"], each["why"]) for each in history] == [
        (you, None, "score", "created"),
        (you, "ann", "score=3", "first test"),
        (you, "ann", "score=-4", "granted by staff"),
        (you, "ann", "score revoked", "revoked by staff"),
    ]


async def test_a_grant_ahead_makes_known_who_never_came_unless_anybody_is_in_doubt(desk: Desk) -> None:
    await a_worker(desk, "ann")
    await ask(desk, "POST", "/qualifications", name="score")
    for doubtful in ("nobody", "nowhere:bob", "inhouse: "):
        named = {"qualification": "score", "workers": ["inhouse:cleo", doubtful], "ahead": True}
        assert (await ask(desk, "POST", "/workers/grant", **named)).status == 404
    assert [each.name for each in await desk.operator.storage.workers()] == ["ann"]
    named = {"qualification": "score", "workers": ["inhouse:cleo", "ann"], "ahead": True}
    given = (await ask(desk, "POST", "/workers/grant", **named)).json()["grants"]
    assert [(each["worker_name"], each["after"]) for each in given] == [("cleo", 1), ("ann", 1)]


async def test_history_of_a_qualification_leaves_out_its_namesakes(desk: Desk) -> None:
    await a_worker(desk, "ann")
    for name in ("good", "good=2", "very good"):
        await ask(desk, "POST", "/qualifications", name=name)
        await ask(desk, "POST", "/workers/grant", qualification=name, workers=["ann"], value=1)
    history = (await ask(desk, "GET", "/qualification?name=good")).json()["history"]
    assert [each["after"] for each in history] == ["good", "good=1"]


async def test_many_are_given_it_at_once_or_nobody(desk: Desk) -> None:
    workers = [await a_worker(desk, name) for name in ("ann", "bob", "cem")]
    await ask(desk, "POST", "/qualifications", name="trained")
    refused = await ask(
        desk, "POST", "/workers/grant", qualification="trained", workers=["ann", "x", "y", "bob"]
    )
    assert (refused.status, refused.error()["code"]) == (404, "no_such_worker")
    assert refused.error()["message"] == "2 of 4 workers are not known: 'x', 'y'. Nothing was done."
    assert await desk.operator.storage.grants() == []
    everybody = [str(worker.id) for worker in workers] + ["inhouse:ann"]
    given = await ask(desk, "POST", "/workers/grant", qualification="trained", workers=everybody)
    assert len(given.json()["grants"]) == 3
    first = (await ask(desk, "GET", "/qualification/workers?name=trained&limit=2")).json()
    rest = (await ask(desk, "GET", f"/qualification/workers?name=trained&after={first['next']}")).json()
    assert [each["worker_name"] for each in first["workers"] + rest["workers"]] == ["ann", "bob", "cem"]


async def test_a_name_that_two_providers_know_is_asked_about(desk: Desk) -> None:
    await a_worker(desk, "ann")
    await a_worker(desk, "ann", "mock")
    await ask(desk, "POST", "/qualifications", name="trained")
    answer = await ask(desk, "POST", "/workers/grant", qualification="trained", workers=["ann"])
    assert (answer.status, answer.error()["code"]) == (409, "ambiguous_worker")
    assert "inhouse:ann (worker 1), mock:ann (worker 2)" in answer.error()["message"]
    assert (await ask(desk, "GET", "/worker?worker=ann")).status == 409
    assert (await ask(desk, "GET", "/worker?worker=mock:ann")).json()["id"] == 2


async def test_who_does_not_have_it_loses_nothing(desk: Desk) -> None:
    await a_worker(desk, "ann")
    await ask(desk, "POST", "/qualifications", name="trained")
    answer = await ask(desk, "POST", "/workers/revoke", qualification="trained", workers=["ann"])
    assert answer.json()["grants"][0]["before"] is None
    assert await desk.operator.storage.history("grant") == []


async def test_deleting_takes_it_from_everybody_and_the_name_is_free_again(desk: Desk) -> None:
    await a_worker(desk, "ann")
    await ask(desk, "POST", "/qualifications", name="trained")
    await ask(desk, "POST", "/workers/grant", qualification="trained", workers=["ann"])
    assert (await ask(desk, "DELETE", "/qualification?name=trained")).json() == {"revoked": 1}
    assert (await ask(desk, "GET", "/qualification?name=trained")).error()["code"] == "no_such_qualification"
    assert (await ask(desk, "POST", "/qualifications", name="trained")).status == 201


async def test_a_slip_in_the_name_is_told_with_the_nearest(desk: Desk) -> None:
    await ask(desk, "POST", "/qualifications", name="trained")
    refused = await ask(desk, "GET", "/qualification?name=trainde")
    assert refused.error()["hint"].startswith("Did you mean 'trained'? ")


async def test_what_makes_no_sense_is_refused_before_anything_is_written(desk: Desk) -> None:
    await a_worker(desk, "ann")
    await ask(desk, "POST", "/qualifications", name="trained")
    good: dict[str, Any] = {"qualification": "trained", "workers": ["ann"]}
    nonsense: tuple[dict[str, Any], ...] = (
        {"value": 1.5}, {"value": True}, {"value": 2**63}, {"value": None}, {"why": "two\nlines"},
        {"workers": []}, {"workers": [1]}, {"workers": "ann"}, {"qualification": ""}, {"vlaue": 1},
    )  # fmt: skip
    for bad in nonsense:
        answer = await ask(desk, "POST", "/workers/grant", **{**good, **bad})
        assert answer.status == 400, bad
    unknown = await ask(desk, "POST", "/workers/grant", **{**good, "qualification": "other"})
    assert (unknown.status, unknown.error()["code"]) == (404, "no_such_qualification")
    assert await desk.operator.storage.grants() == []
