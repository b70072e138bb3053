"""Workers over the control socket: in pages, by number and by name, without what is secret."""

from typing import Any

from .fakes import NOW, Desk


async def test_workers_are_paged_and_chosen_by_provider(desk: Desk) -> None:
    for name in ("ann", "bob", "cem"):
        await desk.operator.storage.register_worker("inhouse", name, {"hidden": name}, NOW)
    await desk.operator.storage.register_worker("mock", "dan", {}, NOW)
    seen: list[str] = []
    after: Any = 0
    while after is not None:
        page = (await desk.ask("GET", f"/v1/workers?provider=inhouse&after={after}&limit=2")).json()
        seen += [worker["name"] for worker in page["workers"]]
        after = page["next"]
    assert seen == ["ann", "bob", "cem"]
    everybody = await desk.ask("GET", "/v1/workers")
    assert len(everybody.json()["workers"]) == 4
    assert b"hidden" not in everybody.body


async def test_the_work_of_a_worker_names_runs_and_hides_capabilities(desk: Desk) -> None:
    agents = [
        (await desk.operator.at_work(await desk.operator.a_run(label), "ann")).agent
        for label in ("one", "two", "three")
    ]
    first = await desk.ask("GET", "/v1/worker/agents?worker=inhouse:ann&limit=2")
    rest = await desk.ask("GET", f"/v1/worker/agents?worker=1&limit=2&after={first.json()['next']}")
    shown = first.json()["agents"] + rest.json()["agents"]
    assert [(agent["id"], agent["run"]) for agent in shown] == [(1, "one"), (2, "two"), (3, "three")]
    for agent in agents:
        assert agent.wire_id.encode() not in first.body + rest.body


async def test_a_worker_who_is_not_there_is_404_and_a_nameless_one_400(desk: Desk) -> None:
    for target in ("/v1/worker?worker=9", "/v1/worker?worker=ann", "/v1/worker/agents?worker=inhouse:x"):
        answer = await desk.ask("GET", target)
        assert (answer.status, answer.error()["code"]) == (404, "no_such_worker")
    for target in ("/v1/worker", "/v1/worker?worker=", "/v1/worker/agents?worker=%20"):
        answer = await desk.ask("GET", target)
        assert (answer.status, answer.error()["code"]) == (400, "bad_request")
