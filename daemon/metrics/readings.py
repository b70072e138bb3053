"""What is read off a run when somebody asks, and the families that show it. Pure; keeps nothing."""

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import attrs
from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from ...protocol.names import LIVE_AGENT, AgentStatus, RunState, UnitStatus
from ...storage.contract import RunCounts
from ..degraded import Degradation, Lack

EVENT = re.compile(r"[a-z][a-z0-9_]{0,59}")
EVENTS_MAX = 100  # names that a router may bring to its counters; more would be a router gone mad
REFUSED = "refused_"
LINK_EVENTS = (
    "bad_packets",
    "bad_parts",
    "gaps",
    "late_replies",
    "refusals_dropped",
    "unexpected_packets",
    "unknown_packets",
)
"""There from the start: a rate sees no first step of a series that begins with it."""
AGENT_TYPE, ONBOARDING_TYPE = "main", "onboarding"
ONBOARDING_STATUSES = (AgentStatus.ONBOARDING, AgentStatus.WAITING)
UNIT_TYPE = "standard"


@attrs.frozen
class RouterReading:
    """How the link to one router is."""

    name: str
    up: bool
    since: datetime
    queued: int
    """Packets that wait to be sent there."""
    strange: Mapping[str, int]
    """What our end of the link found strange, by name."""
    told: Mapping[str, int]
    """The router's own counters, as it told them last."""


@attrs.frozen
class RunReading:
    """How a run is."""

    label: str
    state: RunState
    counts: RunCounts
    workers: int
    """How many people are at work."""
    inbox: int
    """Packets that wait for their handler."""
    counters: Mapping[str, int]
    """What was handled, refused and failed, by name."""
    routers: Sequence[RouterReading]


def families_of(runs: Sequence[RunReading], missing: Sequence[Degradation]) -> Iterator[Metric]:
    """Every family that shows readings, with the series of these runs, and of what is missing."""
    return itertools.chain(_degraded(missing), _statuses(runs), _links(runs), _counters(runs))


def _degraded(missing: Sequence[Degradation]) -> Iterator[Metric]:
    since = GaugeMetricFamily(
        "crowdd_degraded_since_timestamp_seconds",
        "Since when something is missing; no series when nothing is.",
        labels=["what", "about"],
    )
    for each in missing:
        since.add_metric([each.lack.value, each.about], each.since.timestamp())
    present = {each.lack for each in missing}
    lacks = GaugeMetricFamily("crowdd_degraded", "1 for each kind of thing that is missing.", labels=["what"])
    for lack in Lack:
        lacks.add_metric([lack.value], lack in present)
    yield from (since, lacks)


def _statuses(runs: Sequence[RunReading]) -> Iterator[Metric]:
    states = GaugeMetricFamily("crowdd_run_state", "1 for the state of each run.", labels=["run", "state"])
    agents = GaugeMetricFamily(
        "active_agent_statuses",
        "Agents that hold a unit, by status.",
        labels=["run", "status", "agent_type"],
    )
    workers = GaugeMetricFamily("active_workers", "People at work.", labels=["run", "agent_type"])
    onboardings = GaugeMetricFamily(
        "worker_pool_active_onboardings", "Onboardings that go on.", labels=["run"]
    )
    units = GaugeMetricFamily(
        "active_unit_statuses", "Units of the run, by status.", labels=["run", "status", "unit_type"]
    )
    for run in runs:
        states.add_metric([run.label, run.state.value], 1)
        workers.add_metric([run.label, AGENT_TYPE], run.workers)
        for agent_status in sorted(LIVE_AGENT, key=lambda status: status.value):
            labels = [run.label, agent_status.value, AGENT_TYPE]
            agents.add_metric(labels, run.counts.agents.get(agent_status, 0))
        onboarding = {status: run.counts.onboarding.get(status, 0) for status in ONBOARDING_STATUSES}
        for status, count in onboarding.items():
            agents.add_metric([run.label, status.value, ONBOARDING_TYPE], count)
        # A worker is onboarded once at a time: as many people as onboardings.
        workers.add_metric([run.label, ONBOARDING_TYPE], sum(onboarding.values()))
        onboardings.add_metric([run.label], sum(onboarding.values()))
        for unit_status in UnitStatus:
            units.add_metric([run.label, unit_status.value, UNIT_TYPE], run.counts.units.get(unit_status, 0))
    yield from (states, agents, workers, onboardings, units)


def _links(runs: Sequence[RunReading]) -> Iterator[Metric]:
    labels = ["run", "router"]
    up = GaugeMetricFamily("crowdd_link_up", "1 while the link to the router is up.", labels=labels)
    since = GaugeMetricFamily(
        "crowdd_link_changed_timestamp_seconds", "When the link came up or was lost last.", labels=labels
    )
    queued = GaugeMetricFamily("crowdd_link_queue_length", "Packets that wait to be sent.", labels=labels)
    inbox = GaugeMetricFamily("crowdd_inbox_length", "Packets that wait for their handler.", labels=["run"])
    for run in runs:
        inbox.add_metric([run.label], run.inbox)
        for router in run.routers:
            up.add_metric([run.label, router.name], router.up)
            since.add_metric([run.label, router.name], router.since.timestamp())
            queued.add_metric([run.label, router.name], router.queued)
    yield from (up, since, queued, inbox)


def _counters(runs: Sequence[RunReading]) -> Iterator[Metric]:
    refusals = CounterMetricFamily(
        "crowdd_refusals", "Requests that were refused, by whom and why.", labels=["run", "by", "reason"]
    )
    failed = CounterMetricFamily(
        "crowdd_requests_failed", "Requests whose handler raised; the log has the error.", labels=["run"]
    )
    page_errors = CounterMetricFamily(
        "crowdd_page_errors", "Errors that pages and routers reported.", labels=["run"]
    )
    unexpected = CounterMetricFamily(
        "crowdd_unexpected_packets", "Packets that nothing handles, dropped.", labels=["run"]
    )
    ours = CounterMetricFamily(
        "crowdd_link_events",
        "What the daemon's end of a link found strange.",
        labels=["run", "router", "event"],
    )
    theirs = CounterMetricFamily(
        "crowdd_router_events", "What a router counted, as it told last.", labels=["run", "router", "event"]
    )
    for run in runs:
        failed.add_metric([run.label], run.counters.get("failures", 0))
        page_errors.add_metric([run.label], run.counters.get("errors_reported", 0))
        unexpected.add_metric([run.label], run.counters.get("unexpected", 0))
        _add_refusals(refusals, run)
        for router in run.routers:
            for event, count in {**dict.fromkeys(LINK_EVENTS, 0), **router.strange}.items():
                ours.add_metric([run.label, router.name, event], count)
            for event, count in _known(router.told).items():
                if not event.startswith(REFUSED):
                    theirs.add_metric([run.label, router.name, event], count)
    yield from (refusals, failed, page_errors, unexpected, ours, theirs)


def _add_refusals(refusals: CounterMetricFamily, run: RunReading) -> None:
    """Those of the daemon itself, and of the run's routers together."""
    told: dict[str, int] = {}
    for router in run.routers:
        for event, count in _known(router.told).items():
            told[event] = told.get(event, 0) + count
    for by, counters in (("daemon", run.counters), ("router", told)):
        for name, count in counters.items():
            if name.startswith(REFUSED):
                refusals.add_metric([run.label, by, name.removeprefix(REFUSED)], count)


def _known(told: Mapping[str, int]) -> dict[str, int]:
    """A router is another program: what it calls its counters becomes a label only within limits."""
    names = sorted(name for name in told if EVENT.fullmatch(name))[:EVENTS_MAX]
    return {name: told[name] for name in names}
