"""Runs over the control socket: list, show, stop, expire, links, and refusals in words."""

import json
from typing import Any

import pytest

from crowdd.protocol.names import RunState
from crowdd.storage.records import TaskRun

from ..storage.counting import counted
from .fakes import ADDRESS, Answer, Desk


async def post(desk: Desk, target: str, content: Any) -> Answer:
    return await desk.ask("POST", target, json.dumps(content).encode())


async def test_without_runs_the_list_is_empty(desk: Desk) -> None:
    answer = await desk.ask("GET", "/v1/runs")
    assert (answer.status, answer.json()) == (200, {"runs": []})


async def test_a_run_is_found_by_number_and_by_label(desk: Desk) -> None:
    run = await desk.operator.a_run("digits")
    by_number = await desk.ask("GET", f"/v1/runs/{run.id}")
    by_label = await desk.ask("GET", "/v1/runs/digits")
    assert by_number.json() == by_label.json()


async def test_a_label_of_digits_is_found_when_no_run_has_this_number(desk: Desk) -> None:
    await desk.operator.a_run("2026")
    assert (await desk.ask("GET", "/v1/runs/2026")).json()["label"] == "2026"


async def test_a_run_shows_progress_address_and_routers(desk: Desk) -> None:
    run = await desk.operator.a_run("digits", units=3)
    await desk.operator.submitted(run, "ann", {"digit": 3})
    await desk.operator.at_work(run, "bob")
    shown = (await desk.ask("GET", "/v1/runs/digits")).json()
    assert shown["units"] == {"launched": 1, "assigned": 1, "completed": 1}
    assert (shown["units_done"], shown["units_total"], shown["agents_live"]) == (1, 3, 1)
    assert (shown["state"], shown["task"], shown["address"]) == ("running", "digits", ADDRESS)
    assert shown["routers"][0]["up"] is True
    assert (shown["config"], shown["counters"]) == ({"a": 1}, {"register_agent": 3})


async def test_runs_are_listed_by_state(desk: Desk) -> None:
    await desk.operator.a_run("one")
    other = await desk.operator.a_run("other")
    await desk.operator.move(other.id, RunState.COMPLETED)
    running = (await desk.ask("GET", "/v1/runs?status=running")).json()["runs"]
    assert [run["label"] for run in running] == ["one"]


async def test_a_list_of_many_runs_takes_as_many_reads_as_one_of_none(desk: Desk) -> None:
    for number in range(3):
        await desk.operator.a_run(f"run-{number}")
    calls = counted(desk.operator.storage)
    assert len((await desk.ask("GET", "/v1/runs?status=running")).json()["runs"]) == 3
    many = calls.copy()
    calls.clear()
    assert (await desk.ask("GET", "/v1/runs?status=failed")).json()["runs"] == []
    assert many == calls


@pytest.mark.parametrize("name", ["nothing", "99", "999999999999999999999", "%2e%2e", "a%20b", "%00"])
async def test_a_run_that_is_not_there_is_404_in_words(desk: Desk, name: str) -> None:
    for method, rest in (
        ("GET", ""),
        ("GET", "/units"),
        ("GET", "/export"),
        ("GET", "/watch"),
        ("POST", "/stop"),
    ):
        answer = await desk.ask(method, f"/v1/runs/{name}{rest}")
        assert (answer.status, answer.error()["code"]) == (404, "no_such_run")
        assert answer.error()["hint"]


async def test_a_slip_in_a_label_is_told_with_the_nearest(desk: Desk) -> None:
    for label in ("digits", "names"):
        await desk.operator.a_run(label)
    hint = (await desk.ask("GET", "/v1/runs/nmaes")).error()["hint"]
    assert hint == "Did you mean 'names'? `crowdctl runs` lists them."
    assert (await desk.ask("GET", "/v1/runs/x")).error()["hint"] == "`crowdctl runs` lists them."


@pytest.mark.parametrize(
    ("target", "word"),
    [
        ("/v1/runs?status=sleeping", "sleeping"),
        ("/v1/runs/digits/units?status=sleeping", "sleeping"),
        ("/v1/runs/digits/units?after=x", "after=x"),
        ("/v1/runs/digits/units?limit=0", "limit=0"),
        ("/v1/runs/digits/units?limit=1001", "limit=1001"),
        ("/v1/runs/digits/agents?after=-1", "after=-1"),
        ("/v1/runs/digits/export?format=xml", "xml"),
    ],
)
async def test_a_parameter_that_makes_no_sense_is_400_and_named(desk: Desk, target: str, word: str) -> None:
    await desk.operator.a_run("digits")
    answer = await desk.ask("GET", target)
    assert (answer.status, answer.error()["code"]) == (400, "bad_request")
    assert word in answer.error()["message"]


async def test_paths_and_methods_that_are_not_there_get_json(desk: Desk) -> None:
    nowhere, wrong = await desk.ask("GET", "/v1/nowhere"), await desk.ask("PUT", "/v1/runs")
    assert (nowhere.status, nowhere.error()["code"]) == (404, "no_such_path")
    assert (wrong.status, wrong.error()["code"]) == (405, "method_not_allowed")


async def test_stop_drains_and_history_names_who_asked(desk: Desk) -> None:
    run = await desk.operator.a_run("digits")
    you = (await desk.ask("GET", "/v1/status")).json()["you"]
    answer = await post(desk, "/v1/runs/digits/stop", {})
    assert (answer.status, answer.json()["state"]) == (200, "draining")
    last = (await desk.operator.storage.history(kind="run", subject_id=run.id))[-1]
    assert (last.after, last.who) == ("draining", you)


async def test_stop_now_is_passed_on(desk: Desk) -> None:
    await desk.operator.a_run("digits")
    assert (await post(desk, "/v1/runs/digits/stop", {"now": True})).json()["state"] == "stopped"


@pytest.mark.parametrize("body", [b"{", b"[]", b"null", b'{"now": 1}', b'{"now": "yes"}', b'{"later": true}'])
async def test_a_body_that_makes_no_sense_stops_nothing(desk: Desk, body: bytes) -> None:
    run = await desk.operator.a_run("digits")
    answer = await desk.ask("POST", "/v1/runs/digits/stop", body)
    assert (answer.status, answer.error()["code"]) == (400, "bad_request")
    assert (await desk.operator.storage.run(run.id)).state is RunState.RUNNING


async def test_a_json_body_over_its_limit_is_413(desk: Desk) -> None:
    await desk.operator.a_run("digits")
    answer = await desk.ask("POST", "/v1/runs/digits/links", b"[" * (1024 * 1024 + 1))
    assert (answer.status, answer.error()["code"]) == (413, "too_large")


@pytest.mark.parametrize("command", ["stop", "expire", "links"])
async def test_a_run_that_has_ended_is_not_commanded(desk: Desk, command: str) -> None:
    run = await desk.operator.a_run("digits")
    await desk.operator.move(run.id, RunState.COMPLETED)
    answer = await post(desk, f"/v1/runs/digits/{command}", {"count": 1} if command == "links" else {})
    assert (answer.status, answer.error()["code"]) == (409, "run_ended")


async def test_expire_says_how_many_units_it_was(desk: Desk) -> None:
    run = await desk.operator.a_run("digits", units=3)
    await desk.operator.at_work(run, "ann")
    assert (await post(desk, "/v1/runs/digits/expire", {})).json() == {"expired": 2}


async def links_of(desk: Desk, content: Any) -> list[str]:
    answer = await post(desk, "/v1/runs/digits/links", content)
    assert answer.status == 201
    return [link["worker_name"] for link in answer.json()["links"]]


async def test_links_are_made_for_names_each_once(desk: Desk) -> None:
    await desk.operator.a_run("digits")
    assert await links_of(desk, {"workers": ["ann", " bob ", "ann"]}) == ["ann", "bob"]


async def test_links_for_a_count_are_for_new_people_each_time(desk: Desk) -> None:
    await desk.operator.a_run("digits")
    names = [*await links_of(desk, {"count": 3}), *await links_of(desk, {"count": 3})]
    assert len(set(names)) == 6


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"count": 0},
        {"count": 10_001},
        {"count": True},
        {"count": "3"},
        {"workers": []},
        {"workers": "ann"},
        {"workers": [""]},
        {"workers": [3]},
        {"workers": ["a\nb"]},
        {"workers": ["a" * 201]},
        {"workers": ["ann"], "count": 1},
        {"people": ["ann"]},
    ],
)
async def test_links_for_nobody_in_particular_are_refused(desk: Desk, content: Any) -> None:
    await desk.operator.a_run("digits")
    answer = await post(desk, "/v1/runs/digits/links", content)
    assert (answer.status, answer.error()["code"]) == (400, "bad_request")


async def not_live(desk: Desk, run: TaskRun) -> None:
    del desk.operator.lives[run.id]
    await desk.operator.storage.set_trouble(run.id, "the plug-in `foo` is not installed")


async def test_links_of_a_run_in_trouble_are_refused_with_the_trouble(desk: Desk) -> None:
    await not_live(desk, await desk.operator.a_run("digits"))
    error = (await post(desk, "/v1/runs/digits/links", {"count": 1})).error()
    assert error["code"] == "run_not_live"
    assert "`foo` is not installed" in error["message"]


async def test_links_before_there_is_an_address_are_refused(desk: Desk) -> None:
    run = await desk.operator.a_run("digits")
    desk.operator.lives[run.id].address = None
    assert (await post(desk, "/v1/runs/digits/links", {"count": 1})).error()["code"] == "not_deployed"


async def test_a_run_that_nobody_carries_out_shows_no_address(desk: Desk) -> None:
    await not_live(desk, await desk.operator.a_run("digits"))
    shown = (await desk.ask("GET", "/v1/runs/digits")).json()
    assert (shown["live"], shown["address"], shown["routers"]) == (False, None, [])
    assert shown["trouble"] == "the plug-in `foo` is not installed"


async def test_the_run_key_is_shown_nowhere(desk: Desk) -> None:
    await desk.operator.a_run("digits")
    for target in ("/v1/runs", "/v1/runs/digits"):
        assert b"never shown" not in (await desk.ask("GET", target)).body
