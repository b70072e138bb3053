"""The metrics of a real daemon after a little work: what documents promise is there, tools can read it."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio

from ..daemon.scrapes import Scrape
from .processes import Daemon, a_task

WHEN_WRONG = {"crowdd_degraded_since_timestamp_seconds"}
"""Families without a series as long as nothing is missing."""

pytestmark = pytest.mark.system

ROOT = Path(__file__).parent.parent.parent
DASHBOARD = json.loads((ROOT / "examples/ops/dashboard.json").read_text())
QUERIES = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
HEADERS = {"X-Crowdd-Client": "1"}
SELECTED = re.compile(r"([a-z_]\w*)(?:\{([^}]*)\})?")
WORDS = {"by", "le", "histogram_quantile", "label_values", "rate", "sum", "time"}
SELECTOR = re.compile(r'(\w+)=~?"([^"]*)"')
PROCESS = "process_"
ONBOARDING = '[onboarding]\nqualification = "introduced"\n'


@pytest.fixture(scope="module")
def scrape(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scrape]:
    """A scrape of a daemon with a run where somebody was introduced, worked, was refused, had an odd page."""
    folder = tmp_path_factory.mktemp("metrics")
    daemon = Daemon(folder / "data")
    socket = folder / "metrics"
    try:
        trio.run(daemon.start, "--metrics", f"unix:{socket}")
        label = trio.run(daemon.launch, a_task(folder, 3, ONBOARDING))
        work(str(daemon.client.show(label).address), trio.run(daemon.links, label, 1)[0])
        trio.run(daemon.until, label, _all_is_told)
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(socket))) as http:
            yield Scrape.of(http.get("http://crowdd/metrics").text)
    finally:
        daemon.clean_up()


def work(base: str, link: str) -> None:
    data = {"worker_name": "x", "agent_registration_id": "x", "link": link.partition("link=")[2], "after": ""}
    with httpx.Client(base_url=base, headers=HEADERS, timeout=20, trust_env=False) as http:
        onboarded = http.post("/request_agent", json={"provider_data": data}).json()["data"]
        introduced: dict[str, Any] = {"USED_AGENT_ID": onboarded["agent_id"], "onboarding_data": {}}
        details = http.post("/submit_onboarding", json={"provider_data": introduced}).json()["data"]
        http.post("/submit_task", json={"USED_AGENT_ID": details["agent_id"], "final_data": {}})
        http.post("/request_agent", json={"provider_data": {**data, "link": "bm8.bm8"}})
        http.post("/submit_task", json={"USED_AGENT_ID": "nobody", "final_data": {}})
        http.get("/task_config.json", params={"mephisto_task_version": "1.0"})


def _all_is_told(shown: Any) -> bool:
    """The router tells what it counted by and by; and a submission, if the daemon was slow to answer."""
    return shown.units_done == 1 and {"router_version_mismatches", "router_refused_unknown_agent"} <= set(
        shown.counters
    )


def test_work_is_seen(scrape: Scrape) -> None:
    assert scrape.value("agent_details_responses_total", response="assigned") == 1
    assert scrape.value("worker_pool_onboarding_outcomes_total", outcome="passed") == 1
    assert scrape.value("active_unit_statuses", status="completed") == 1
    assert scrape.value("crowdd_refusals_total", by="daemon", reason="identity_unverified") == 1
    assert scrape.value("crowdd_refusals_total", by="router", reason="unknown_agent") == 1
    assert scrape.value("database_latency_seconds_count", method="commit") > 0
    assert scrape.value("crowdd_commit_seconds_count") > 0
    assert scrape.value("crowdd_loop_late_seconds_count") > 0


def test_every_query_of_the_dashboard_finds_its_series(scrape: Scrape) -> None:
    (run,) = {labels["run"] for _, labels, _ in scrape.samples if "run" in labels}
    empty: list[str] = []
    for query in QUERIES:
        selections = selections_of(query.replace("$run", run))
        there = (name in WHEN_WRONG or scrape.values(name, **labels) for name, labels in selections)
        if not selections or not all(there):
            empty.append(query)
    assert empty == []


def test_every_query_of_the_dashboard_groups_by_labels_that_its_series_have(scrape: Scrape) -> None:
    for query in QUERIES:
        names = {name for name, _ in selections_of(query)}
        found = [set(labels) for sample, labels, _ in scrape.samples if sample in names]
        for group in re.findall(r"by \(([^)]*)\)", query):
            assert set(group.split(", ")) <= set[str].intersection(*found), query


def selections_of(query: str) -> list[tuple[str, dict[str, str]]]:
    """The metrics that an expression names, each with the labels it selects by; the scraper adds `job`."""
    bare = re.sub(r"by \([^)]*\)|\[\w+\]", "", query)
    return [
        (name, {key: value for key, value in SELECTOR.findall(selector) if key != "job"})
        for name, selector in SELECTED.findall(bare)
        if name not in WORDS
    ]


def test_a_query_is_read_as_prometheus_reads_it() -> None:
    query = 'histogram_quantile(0.9, sum by (le, a) (rate(b_bucket{run=~"$run", c="d"}[5m]))) / time() - e'
    assert selections_of(query) == [("b_bucket", {"run": "$run", "c": "d"}), ("e", {})]


def test_the_dashboard_shows_every_family_of_ours(scrape: Scrape) -> None:
    shown = {name for query in QUERIES for name, _ in selections_of(query)}
    shown = {re.sub(r"_(bucket|sum|count)$", "", name) for name in shown}
    assert {name for name in scrape.families if not name.startswith(PROCESS)} <= shown


def test_the_documentation_lists_every_family_with_its_labels(scrape: Scrape) -> None:
    rows = re.findall(
        r"^\| `(\w+)` \| (\w+) \|([^|]*)\|", (ROOT / "docs/metrics.md").read_text(), re.MULTILINE
    )
    told = {(name, frozenset(re.findall(r"`(\w+)`", labels))) for name, _, labels in rows}
    seen: dict[str, set[str]] = {name: set() for name in scrape.families if not name.startswith(PROCESS)}
    for name, labels, _ in scrape.samples:
        family = name if name in seen else re.sub(r"_(bucket|sum|count)$", "", name)
        if family in seen:
            seen[family] |= labels.keys() - {"le"}
    told = {(name, labels if name not in WHEN_WRONG else frozenset[str]()) for name, labels in told}
    assert told == {(name, frozenset(labels)) for name, labels in seen.items()}


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool (Debian: prometheus) is not installed")
def test_promtool_has_nothing_to_say_against_the_page(scrape: Scrape) -> None:
    ran = subprocess.run(
        ["promtool", "check", "metrics"], input=scrape.text, capture_output=True, text=True, check=False
    )
    assert (ran.stdout + ran.stderr, ran.returncode) == ("", 0)


def test_an_address_that_others_reach_is_refused_at_the_start(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path / "data")
    with pytest.raises(AssertionError, match="other machines"):
        trio.run(daemon.start, "--metrics", "0.0.0.0:9469")
    assert daemon.process is not None
    assert daemon.process.returncode == 2
