"""Units and agents over the control socket: whole, in pages, and without anybody's capability."""

from typing import Any

import pytest

from .fakes import NOW, Desk


async def test_units_say_who_has_them(desk: Desk) -> None:
    run = await desk.operator.a_run("digits", units=2)
    work = await desk.operator.at_work(run, "ann")
    units = (await desk.ask("GET", "/v1/runs/digits/units")).json()["units"]
    held = next(unit for unit in units if unit["id"] == work.unit.id)
    assert (held["status"], held["worker_name"], held["agent_id"]) == ("assigned", "ann", work.agent.id)
    assert [unit["worker_name"] for unit in units if unit is not held] == [None]


async def test_lists_are_paged_without_gap_or_repeat(desk: Desk) -> None:
    await desk.operator.a_run("digits", units=5)
    seen: list[int] = []
    after: Any = 0
    while after is not None:
        page = (await desk.ask("GET", f"/v1/runs/digits/units?after={after}&limit=2")).json()
        seen += [unit["id"] for unit in page["units"]]
        after = page["next"]
    assert len(seen) == 5
    assert seen == sorted(set(seen))


async def test_units_are_chosen_by_status(desk: Desk) -> None:
    run = await desk.operator.a_run("digits", units=3)
    await desk.operator.at_work(run, "ann")
    answer = await desk.ask("GET", "/v1/runs/digits/units?status=assigned&status=completed")
    assert [unit["status"] for unit in answer.json()["units"]] == ["assigned"]


async def test_agents_are_listed_by_number_and_never_by_wire_id(desk: Desk) -> None:
    run = await desk.operator.a_run("digits")
    agent = (await desk.operator.at_work(run, "ann")).agent
    answer = await desk.ask("GET", "/v1/runs/digits/agents")
    (shown,) = answer.json()["agents"]
    assert (shown["id"], shown["worker_name"], shown["status"]) == (agent.id, "ann", "in task")
    for secret in (agent.wire_id, agent.after):
        assert secret.encode() not in answer.body


async def test_agents_are_chosen_by_status(desk: Desk) -> None:
    run = await desk.operator.a_run("digits")
    await desk.operator.at_work(run, "ann")
    await desk.operator.submitted(run, "bob", {})
    answer = await desk.ask("GET", "/v1/runs/digits/agents?status=completed")
    assert [agent["worker_name"] for agent in answer.json()["agents"]] == ["bob"]


async def test_errors_tell_where_when_who_and_what(desk: Desk) -> None:
    run = await desk.operator.a_run("digits")
    agent = (await desk.operator.at_work(run, "ann")).agent
    told = {"message": "x is null", "stack": "at digits.js:3", "line": 3}
    await desk.operator.storage.add_error(run.id, agent.id, "page", told, NOW)
    answer = (await desk.ask("GET", "/v1/runs/digits/errors")).json()
    assert answer["next"] is None
    (shown,) = answer["errors"]
    assert shown == {
        "id": 1,
        "at": "2026-03-01T12:00:00+00:00",
        "source": "page",
        "agent_id": agent.id,
        "text": "x is null",
        "traceback": "at digits.js:3",
        "data": told,
    }


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("boom", "boom"),
        ({"error": "boom", "message": " "}, "boom"),
        ({"message": 3}, '{"message":3}'),
        (None, "null"),
        ([1], "[1]"),
    ],
)
async def test_an_error_that_a_page_told_in_its_own_way_has_a_text(desk: Desk, data: Any, text: str) -> None:
    run = await desk.operator.a_run("digits")
    await desk.operator.storage.add_error(run.id, None, "page", data, NOW)
    (shown,) = (await desk.ask("GET", "/v1/runs/digits/errors")).json()["errors"]
    assert (shown["text"], shown["traceback"]) == (text, None)


async def test_errors_are_those_of_the_run_and_come_in_pages(desk: Desk) -> None:
    run, other = await desk.operator.a_run("digits"), await desk.operator.a_run("other")
    for number in range(3):
        await desk.operator.storage.add_error(run.id, None, "page", f"boom {number}", NOW)
        await desk.operator.storage.add_error(other.id, None, "page", "not ours", NOW)
    page = (await desk.ask("GET", "/v1/runs/digits/errors?limit=2")).json()
    rest = (await desk.ask("GET", f"/v1/runs/digits/errors?limit=2&after={page['next']}")).json()
    assert [error["text"] for error in page["errors"] + rest["errors"]] == ["boom 0", "boom 1", "boom 2"]


async def test_what_is_owed_for_waiting_is_listed_in_pages_with_whom(desk: Desk) -> None:
    run = await desk.operator.a_run("game", units=2)
    assert (await desk.ask("GET", "/v1/runs/game/owed")).json() == {"owed": [], "next": None}
    await desk.operator.waited(run, "dan", 605, 51)
    await desk.operator.waited(run, "eva", 62, 0)
    first = (await desk.ask("GET", "/v1/runs/game/owed?limit=1")).json()
    (dan,) = first["owed"]
    assert (dan["worker_name"], dan["what"], dan["seconds"], dan["cents"]) == ("dan", "waiting", 605, 51)
    then = (await desk.ask("GET", f"/v1/runs/game/owed?after={first['next']}&limit=2")).json()
    assert [each["worker_name"] for each in then["owed"]] == ["eva"]
    assert then["next"] is None


async def test_what_came_too_late_is_listed_with_what_it_says_and_whose_it_was(desk: Desk) -> None:
    run = await desk.operator.a_run("digits", units=1)
    agent = (await desk.operator.at_work(run, "ann")).agent
    assert (await desk.ask("GET", "/v1/runs/digits/late")).json() == {"late": [], "next": None}
    await desk.operator.came_late(run)
    answer, restored = (await desk.ask("GET", "/v1/runs/digits/late")).json()["late"]
    assert (answer["kind"], answer["agent_id"], answer["unit_id"]) == ("answer", agent.id, agent.unit_id)
    assert (answer["worker_name"], answer["data"], answer["status"]) == ("ann", {"label": 7}, "in task")
    assert answer["files"][0]["originalname"] == "me.png"
    assert (restored["kind"], restored["agent_id"], restored["worker_name"]) == ("metadata", None, None)
    assert agent.wire_id.encode() not in (await desk.ask("GET", "/v1/runs/digits/late")).body
    assert (await desk.ask("GET", "/v1/runs/digits")).json()["late"] == 2
