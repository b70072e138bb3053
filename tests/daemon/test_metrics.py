"""Each family of metrics says what happened, on the virtual clock; and no series outlives its run."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from crowdd.daemon.clock import simulated_wall
from crowdd.daemon.daemon_config import DaemonConfig
from crowdd.daemon.metrics.families import Metrics
from crowdd.daemon.metrics.readings import EVENTS_MAX, RouterReading, RunReading, families_of
from crowdd.daemon.metrics.service import metrics_page, watch_loop
from crowdd.daemon.metrics.storage_calls import time_calls
from crowdd.daemon.opening import open_house
from crowdd.protocol.link import LinkEnd, Role
from crowdd.protocol.names import RunId, RunState
from crowdd.protocol.packets import Suspend
from crowdd.storage.contract import RunCounts, Storage
from crowdd.storage.errors import NotFound
from crowdd.storage.memory import MemoryStorage, Tables

from .scrapes import Scrape
from .test_runs import HOUR_S, ended
from .virtual import Virtual, open_virtual

SINCE = datetime(2026, 1, 1, tzinfo=UTC)


async def scrape(virtual: Virtual) -> Scrape:
    return Scrape.of((await metrics_page(virtual.operator)).decode())


# --- what happens


async def test_handled_packets_are_timed_by_type(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch()
        await (await virtual.at_work(run, "ann")).submit({})
        page = await scrape(virtual)
    for family in ("client_io_handler_latency_seconds", "e2e_packet_latency"):
        assert page.value(f"{family}_count", run="digits", packet_type="register_agent") == 1
        assert page.value(f"{family}_count", run="digits", packet_type="submit_unit") == 1


async def test_the_one_stage_of_the_way_that_is_known_is_named(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        await virtual.at_work(await virtual.launch(), "ann")
        page = await scrape(virtual)
    stages = {labels["stage"] for name, labels, _ in page.samples if name == "e2e_packet_latency_count"}
    assert stages == {"server_processing"}


async def test_what_pages_that_ask_for_work_are_told_is_counted(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(units=1)
        ann = await virtual.at_work(run, "ann")
        await ann.register()
        await (await virtual.page(run, "bob")).register()
        page = await scrape(virtual)
    for response in ("assigned", "reconnection", "no_available_units"):
        assert page.value("agent_details_responses_total", run="digits", response=response) == 1


async def test_onboardings_are_counted_and_shown_while_they_go_on(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    code = "def validate_onboarding(worker, data): return data['right']\n"
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(sections='[onboarding]\nqualification = "o"\n', code=code)
        ann, bob, eve = [await virtual.page(run, name) for name in ("ann", "bob", "eve")]
        for page in (ann, bob, eve):
            await page.register()
        await ann.submit_onboarding({"right": True})
        await bob.submit_onboarding({"right": False})
        told = await scrape(virtual)
    outcomes = "worker_pool_onboarding_outcomes_total"
    assert [told.value(outcomes, outcome=each) for each in ("launched", "passed", "failed")] == [3, 1, 1]
    assert told.value("worker_pool_active_onboardings", run="digits") == 1
    assert told.value("active_agent_statuses", status="onboarding", agent_type="onboarding") == 1
    assert told.value("active_workers", agent_type="onboarding") == 1
    assert told.value("agent_details_responses_total", response="assigned_onboarding") == 3
    assert told.value("external_function_latency_count", function="validate_onboarding") == 2


async def test_making_the_data_of_an_agent_is_timed(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with open_virtual(tmp_path) as virtual:
        await virtual.at_work(await virtual.launch(), "ann")
        page = await scrape(virtual)
    name = "external_function_latency_count"
    assert page.value(name, run="digits", function="get_init_data_for_agent") == 1


async def test_calls_of_the_storage_are_timed_by_method_even_when_they_fail(storage: Storage) -> None:
    metrics = Metrics()
    timed = time_calls(storage, metrics)
    with pytest.raises(NotFound):
        await timed.run(RunId(7))
    (family,) = (family for family in metrics.collect() if family.name == "database_latency_seconds")
    counts = {s.labels["method"]: s.value for s in family.samples if s.name.endswith("_count")}
    assert counts == {"run": 1}


async def test_calls_that_wait_for_the_storage_are_shown() -> None:
    metrics = Metrics()
    seen: list[float] = []

    class Watched(MemoryStorage):
        async def facts(self, scope: str) -> dict[str, Any]:
            seen.append(_value(metrics, "crowdd_storage_calls"))
            return {}

    await time_calls(Watched(Tables()), metrics).facts("mine")
    assert [*seen, _value(metrics, "crowdd_storage_calls")] == [1, 0]


def _value(metrics: Metrics, name: str) -> float:
    return next(s.value for family in metrics.collect() for s in family.samples if s.name == name)


async def test_commits_are_timed_and_their_transactions_counted(tmp_path: Path) -> None:
    async with open_house(DaemonConfig(tmp_path / "data")) as house:
        await house.storage.create_project("digits")
        assert _value(house.metrics, "crowdd_commit_seconds_count") == 1
        assert _value(house.metrics, "crowdd_commit_transactions_sum") == 1


async def test_a_loop_that_was_blocked_is_seen(mock_clock: MockClock) -> None:
    metrics = Metrics()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(watch_loop, metrics)
        await wait_all_tasks_blocked()
        mock_clock.jump(3)
        await wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    assert _value(metrics, "crowdd_loop_late_seconds_sum") == pytest.approx(2.9)


# --- what is read when somebody asks


async def test_units_agents_and_people_are_shown_by_status(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(units=3)
        await virtual.at_work(run, "ann")
        await (await virtual.at_work(run, "bob")).submit({})
        page = await scrape(virtual)
    assert page.value("active_agent_statuses", run="digits", status="in task", agent_type="main") == 1
    assert page.value("active_agent_statuses", run="digits") == 1
    assert page.value("active_workers", run="digits") == 1
    for status in ("launched", "assigned", "completed"):
        assert page.value("active_unit_statuses", run="digits", status=status, unit_type="standard") == 1


async def test_the_state_of_a_run_is_shown(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with open_virtual(tmp_path) as virtual:
        await virtual.launch()
        page = await scrape(virtual)
    assert page.values("crowdd_run_state", run="digits", state="running") == [1]


async def test_a_lost_link_is_shown_with_the_time_of_its_loss(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch()
        live = await virtual.until_live(run.id)
        up = await scrape(virtual)
        virtual.router(run).restart(down_s=3)
        while live.routers()[0].up:
            await trio.sleep(0.05)
        now = simulated_wall().timestamp()
        down = await scrape(virtual)
    assert (up.value("crowdd_link_up", run="digits"), down.value("crowdd_link_up", run="digits")) == (1, 0)
    assert now - 1 <= down.value("crowdd_link_changed_timestamp_seconds", run="digits") <= now


async def test_queues_are_shown_empty_when_nothing_waits(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with open_virtual(tmp_path) as virtual:
        await virtual.launch()
        page = await scrape(virtual)
    assert page.values("crowdd_inbox_length", run="digits") == [0]
    assert page.values("crowdd_link_queue_length", run="digits") == [0]


def test_what_waits_to_be_sent_is_counted_until_it_is_in_a_frame() -> None:
    end = LinkEnd(Role.DAEMON, 1)
    end.connection_made(0.0, 1)
    end.send(Suspend(5.0))
    assert end.queue_length == 1
    end.take_frame()
    assert end.queue_length == 0


async def test_refusals_are_counted_by_who_refused_and_why(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(units=1)
        await virtual.at_work(run, "ann")
        await (await virtual.page(run, "bob")).register()
        stranger = await virtual.page(run, "eve")
        stranger.agent = "nobody"
        await stranger.submit({})
        await trio.sleep(60)
        page = await scrape(virtual)
    name = "crowdd_refusals_total"
    assert page.value(name, run="digits", by="daemon", reason="no_available_units") == 1
    assert page.value(name, run="digits", by="router", reason="unknown_agent") == 1


def a_reading(**counters: int) -> RunReading:
    told = {"refused_bad_request": 2, "sockets_stuck": 3, "Not A Name": 1}
    told |= {f"tale_{n}": 1 for n in range(EVENTS_MAX * 2)}
    routers = [RouterReading(name, True, SINCE, 4, {"gaps": 5}, told) for name in ("one", "two")]
    return RunReading("digits", RunState.RUNNING, RunCounts({}, {}), 0, 6, counters, routers)


def read(*readings: RunReading) -> dict[tuple[str, ...], float]:
    """Name and label values of every series."""
    samples = (sample for family in families_of(readings, ()) for sample in family.samples)
    return {(sample.name, *sample.labels.values()): sample.value for sample in samples}


def test_failures_reports_and_what_nothing_handles_are_counted() -> None:
    page = read(a_reading(failures=1, errors_reported=2, unexpected=3))
    assert page["crowdd_requests_failed_total", "digits"] == 1
    assert page["crowdd_page_errors_total", "digits"] == 2
    assert page["crowdd_unexpected_packets_total", "digits"] == 3


def test_a_counter_is_there_before_its_first_event() -> None:
    page = read(a_reading())
    assert page["crowdd_requests_failed_total", "digits"] == 0
    assert page["crowdd_link_events_total", "digits", "one", "bad_packets"] == 0


def test_what_either_end_of_a_link_found_strange_is_counted_by_router() -> None:
    page = read(a_reading())
    assert page["crowdd_link_events_total", "digits", "two", "gaps"] == 5
    assert page["crowdd_router_events_total", "digits", "two", "sockets_stuck"] == 3


def test_refusals_of_all_routers_of_a_run_are_one_number() -> None:
    assert read(a_reading())["crowdd_refusals_total", "digits", "router", "bad_request"] == 4


def test_a_router_cannot_flood_the_page_with_names() -> None:
    events = [key for key in read(a_reading()) if key[:3] == ("crowdd_router_events_total", "digits", "one")]
    assert len(events) < EVENTS_MAX
    assert not [event for event in events if event[3] == "Not A Name"]


# --- what goes with its run


async def test_no_series_outlives_its_run(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(units=1)
        await (await virtual.at_work(run, "ann")).submit({})
        await ended(virtual, run)
        during = await scrape(virtual)
        await trio.sleep(HOUR_S)
        assert virtual.operator.live(run.id) is None
        after = await scrape(virtual)
    assert [labels for _, labels, _ in during.samples if labels.get("run") == "digits"]
    assert not [labels for _, labels, _ in after.samples if "run" in labels]


async def test_nothing_is_labelled_by_agent_or_worker(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch()
        ann = await virtual.at_work(run, "ann")
        page = await scrape(virtual)
    said = {value for _, labels, _ in page.samples for value in labels.values()}
    assert not said & {"ann", ann.agent}
    assert not {name for _, labels, _ in page.samples for name in labels if "worker" in name or "_id" in name}


def test_two_daemons_in_one_process_do_not_meet() -> None:
    first, second = Metrics(), Metrics()
    first.run("digits").responses["assigned"].inc()
    assert not [s for family in second.collect() for s in family.samples if s.labels.get("run")]


def test_children_are_made_once() -> None:
    run = Metrics().run("digits")
    assert run.handling["submit_unit"] is run.handling["submit_unit"]
