"""What is counted and timed as it happens: families made once, their children kept. Does no I/O.

Nothing is labelled by agent or worker: the number of series depends on the number of runs alone. Families
without the prefix `crowdd_` have the names that dashboards made for Mephisto know.
"""

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import TypeVar

import attrs
import trio
from prometheus_client import CollectorRegistry, Counter, Gauge, Metric, ProcessCollector

from ...protocol.names import Reason
from .buckets import BucketFamily, Buckets

Child = TypeVar("Child", bound=Counter | Buckets)

LATENCY_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
COMMIT_TRANSACTIONS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
SERVER_STAGE = "server_processing"  # the one stage whose both ends the daemon sees by itself
RUN = "run"
ASSIGNED, RECONNECTION = "assigned", "reconnection"
ASSIGNED_ONBOARDING = "assigned_onboarding"
_RESPONSES = {Reason.TASK_MISSING: "agent_missing", Reason.UNKNOWN_AGENT: "agent_missing"}


def response_of(refused: Reason) -> str:
    """What the answer to a page that got no unit is counted as: Mephisto's word where it has one."""
    return _RESPONSES.get(refused, refused.value)


class Kept(dict[str, Child]):
    """Children of one family by the value of its last label: made once, then a dict lookup away."""

    def __init__(self, make: Callable[[str], Child]) -> None:
        super().__init__()
        self._make: Callable[[str], Child] = make

    def __missing__(self, value: str) -> Child:
        child = self[value] = self._make(value)
        return child


@attrs.frozen
class RunMetrics:
    """The children of one run."""

    handling: Kept[Buckets]
    """How long a packet's handler took, by packet type."""
    answering: Kept[Buckets]
    """From a packet's arrival at the daemon until its answer was queued, by packet type."""
    responses: Kept[Counter]
    """What pages that asked for work were told."""
    external: Kept[Buckets]
    """How long the task author's functions took, by name."""
    onboardings: Kept[Counter]
    """What became of onboardings: launched, passed, failed."""


class Metrics:
    """One per daemon: a registry of its own, so that two daemons in one process do not meet in it."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._handling = self._histogram(
            "client_io_handler_latency_seconds",
            "How long the handler of a packet took.",
            (RUN, "packet_type"),
        )
        self._answering = self._histogram(
            "e2e_packet_latency",
            "Seconds between two stages of a packet's way; at present from its arrival at the daemon to its "
            "queued answer.",
            (RUN, "stage", "packet_type"),
        )
        self._external = self._histogram(
            "external_function_latency",
            "Seconds that a function of the task's author or blueprint took.",
            (RUN, "function"),
        )
        self._database = self._histogram(
            "database_latency_seconds", "How long a call of the storage took its caller.", ("method",)
        )
        self._responses = Counter(
            "agent_details_responses",
            "What pages that asked for work were told.",
            (RUN, "response"),
            registry=self._registry,
        )
        self._onboardings = Counter(
            "worker_pool_onboarding_outcomes",
            "Onboardings that began, were passed, were failed.",
            (RUN, "outcome"),
            registry=self._registry,
        )
        self.calls = 0
        """How many calls of the storage wait for it now."""
        Gauge(
            "crowdd_storage_calls", "Calls of the storage that wait for it now.", registry=self._registry
        ).set_function(lambda: self.calls)
        self.loop_late = self._histogram(
            "crowdd_loop_late_seconds", "How late a task that slept was woken: what blocked the loop.", ()
        ).labels()
        self._commit_s = self._histogram(
            "crowdd_commit_seconds", "How long a commit of the database took, fsync and all.", ()
        ).labels()
        self._commit_transactions = BucketFamily(
            "crowdd_commit_transactions",
            "How many transactions shared a commit.",
            (),
            bounds=COMMIT_TRANSACTIONS,
            registry=self._registry,
        ).labels()
        self.methods = Kept(self._database.labels)
        """How long calls of the storage took, by method."""
        self._runs: dict[str, RunMetrics] = {}

    def _histogram(self, name: str, says: str, labels: tuple[str, ...]) -> BucketFamily:
        return BucketFamily(name, says, labels, bounds=LATENCY_S, registry=self._registry)

    def run(self, label: str) -> RunMetrics:
        """What is kept for the run, from now until it is left."""
        if label not in self._runs:
            self._runs[label] = RunMetrics(
                Kept(lambda packet_type: self._handling.labels(label, packet_type)),
                Kept(lambda packet_type: self._answering.labels(label, SERVER_STAGE, packet_type)),
                Kept(lambda response: self._responses.labels(label, response)),
                Kept(lambda function: self._external.labels(label, function)),
                Kept(lambda outcome: self._onboardings.labels(label, outcome)),
            )
        return self._runs[label]

    def leave(self, label: str) -> None:
        """Drop the series of a run that is not held any more."""
        self._runs.pop(label, None)
        for timings in (self._handling, self._answering, self._external):
            timings.leave(RUN, label)
        for counter in (self._responses, self._onboardings):
            counter.remove_by_labels({RUN: label})

    def committed(self, transactions: int, took_s: float) -> None:
        """Note one commit of the database; may be called from its thread."""
        self._commit_transactions.observe(transactions)
        self._commit_s.observe(took_s)

    def collect(self) -> Iterator[Metric]:
        """Every family. Without `_created` series: they double the page, and nothing of ours needs them."""
        for family in self._registry.collect():
            family.samples = [sample for sample in family.samples if not sample.name.endswith("_created")]
            yield family


@contextmanager
def timed(buckets: Buckets) -> Generator[None]:
    """Note how long the block took on trio's clock, however it ended."""
    began = trio.current_time()
    try:
        yield
    finally:
        buckets.observe(trio.current_time() - began)
