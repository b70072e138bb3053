"""Units and agents over the control socket: whole, in pages, and without anybody's capability."""

from typing import Any

from .fakes import Desk


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
