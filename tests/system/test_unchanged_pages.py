"""What unchanged pages of `mephisto-task` send, in their order, to a real router with a real daemon.

Such a page knows no error path: whatever it asks, it needs a 200 of the shape it expects.
"""

import hashlib
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest
import trio

from crowdd.client import RunDetails, Submission
from crowdd.protocol.names import SENTENCES, Reason

from .processes import Daemon, a_task

pytestmark = pytest.mark.system

PROVIDER = """
[provider]
type = "mock"
refused = {blocked = "not_qualified", nowork = "no_available_units"}
"""
DETAILS = {"request_id", "worker_id", "agent_id", "init_task_data", "failure_reason"}
BOUNDARY = "----WebKitFormBoundaryAbCdEfGh01234567"


@attrs.define(eq=False)
class Page:
    """A browser with one worker's page; sends what the page sends and nothing that we would like it to."""

    http: httpx.Client
    worker: str
    assignment: str = "asg-1"

    def load(self, version: str = "2.0.4") -> dict[str, Any]:
        """Everything that a page fetches before it registers; its configuration."""
        query = {"worker_id": self.worker, "assignment_id": self.assignment}
        assert self.http.get("/", params=query).headers["content-type"].startswith("text/html")
        assert "getAgentRegistration" in self.http.get("/wrap_crowd_source.js").text
        config = self.http.get("/task_config.json", params={"mephisto_task_version": version})
        assert config.status_code == 200
        told: dict[str, Any] = config.json()
        return told

    def register(self) -> dict[str, Any]:
        """The data of the `agent_details` that the page gets."""
        answer = self._post(
            "/request_agent",
            provider_data={
                "worker_name": self.worker,
                "agent_registration_id": f"{self.assignment}-{self.worker}",
                "assignment_id": self.assignment,
                "provider_type": "mock",
            },
        )
        assert answer["packet_type"] == "agent_details"
        details: dict[str, Any] = answer["data"]
        assert set(details) == DETAILS
        return details

    def submit(self, agent: str, final_data: Any) -> Any:
        return self._post("/submit_task", USED_AGENT_ID=agent, final_data=final_data)

    def submit_onboarding(self, agent: str, **data: Any) -> dict[str, Any]:
        answer = self._post("/submit_onboarding", provider_data={"USED_AGENT_ID": agent, **data})
        assert answer["packet_type"] == "agent_details"
        details: dict[str, Any] = answer["data"]
        assert set(details) == DETAILS
        return details

    def tell(self, agent: str, metadata: Any) -> Any:
        return self._post("/submit_metadata", USED_AGENT_ID=agent, metadata=metadata)

    def log_error(self, agent: str, error: Any) -> Any:
        return self._post("/log_error", USED_AGENT_ID=agent, error_data=error)

    def send_form(self, path: str, files: list[tuple[str, str, bytes]], **fields: str) -> Any:
        """A form as Chromium writes it: the files first, under one field, then the text fields."""
        parts = [
            f'Content-Disposition: form-data; name="attachment"; filename="{name}"\r\n'
            f"Content-Type: {kind}\r\n\r\n".encode()
            + content
            for name, kind, content in files
        ]
        fields["client_timestamp"] = "1795296659.2"
        parts += [
            f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}'.encode()
            for name, value in fields.items()
        ]
        body = b"".join(b"--" + BOUNDARY.encode() + b"\r\n" + part + b"\r\n" for part in parts)
        body += f"--{BOUNDARY}--\r\n".encode()
        return self._send(path, body, f"multipart/form-data; boundary={BOUNDARY}")

    def _post(self, path: str, **fields: Any) -> Any:
        body = json.dumps(fields | {"client_timestamp": 1795296636.6}, ensure_ascii=False).encode()
        return self._send(path, body, "application/json")

    def _send(self, path: str, body: bytes, kind: str) -> Any:
        origin = str(self.http.base_url).rstrip("/")
        headers = {"Content-Type": kind, "Origin": origin, "Sec-Fetch-Site": "same-origin"}
        answer = self.http.post(path, content=body, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json()


@attrs.define(eq=False)
class Served:
    """A run of the provider `mock`, and the browsers that come to it."""

    daemon: Daemon
    label: str
    http: httpx.Client

    def page(self, worker: str) -> Page:
        return Page(self.http, worker)

    def stored(self, worker: str) -> Submission:
        """What the export says of this worker's agent; the daemon may get it after the page was answered."""
        mine: list[Submission] = []

        def is_stored(_: RunDetails) -> bool:
            records = self.daemon.client.submissions(self.label)
            mine[:] = (record for record in records if record.worker_name == f"{worker}_sandbox")
            return bool(mine)

        trio.run(self.daemon.until, self.label, is_stored)
        (submission,) = mine
        return submission

    def agents(self) -> int:
        return sum(1 for _ in self.daemon.client.agents(self.label))

    def counter(self, name: str) -> int:
        return self.daemon.client.show(self.label).counters.get(name, 0)

    def counts(self, name: str, value: int) -> None:
        """Wait until this is counted so often."""

        def is_counted(shown: RunDetails) -> bool:
            return bool(shown.counters.get(name) == value)

        trio.run(self.daemon.until, self.label, is_counted)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("unchanged-pages")
    daemon = Daemon(folder / "data")
    try:
        trio.run(daemon.start)
        label = trio.run(daemon.launch, a_task(folder, 100, PROVIDER))
        with httpx.Client(
            base_url=str(daemon.client.show(label).address), timeout=40, trust_env=False
        ) as http:
            yield Served(daemon, label, http)
    finally:
        daemon.clean_up()


def test_a_page_registers_shows_its_unit_and_submits(served: Served) -> None:
    page = served.page("ann")
    assert page.load()["mephisto_task_version"] == "2.0.4"
    details = page.register()
    assert details["init_task_data"]["text"].startswith("word ")
    assert "_truth" not in details["init_task_data"]
    answer = {"label": "positive", "score": 0.5, "notes": "naïve ☃ 漢字 🙂", "list": [1, {"a": None}]}
    assert page.submit(details["agent_id"], answer) == {"status": "Submitted!"}
    assert served.stored("ann").outputs == answer


def test_a_reload_gets_the_same_agent_and_the_same_data_until_it_has_submitted(served: Served) -> None:
    page = served.page("bob")
    details = [(page.load(), page.register())[1] for _ in range(3)]
    assert len({(told["agent_id"], str(told["init_task_data"])) for told in details}) == 1
    assert page.submit(details[0]["agent_id"], {"label": "after two reloads"}) == {"status": "Submitted!"}
    served.stored("bob")
    page.load()
    assert page.register()["agent_id"] is None


@pytest.mark.parametrize(
    ("worker", "words"), [("blocked", "not currently qualified"), ("nowork", "no available work")]
)
def test_a_refused_page_gets_words_each_time_it_asks(served: Served, worker: str, words: str) -> None:
    page = served.page(worker)
    for _ in range(2):
        page.load()
        details = page.register()
        assert (details["agent_id"], details["init_task_data"]) == (None, None)
        assert words in details["failure_reason"]


def test_a_preview_registers_nobody(served: Served) -> None:
    before = served.agents()
    for query in ("", "?worker_id=preview", "?assignment_id=asg-preview"):
        assert served.http.get(f"/{query}").status_code == 200
    served.page("nobody").load()
    assert served.agents() == before


def test_tips_and_feedback_are_kept_beside_the_answer(served: Served) -> None:
    page = served.page("cem")
    agent = page.register()["agent_id"]
    told = {
        "tips": {"type": "tips", "header": "a tip", "text": "read twice"},
        "feedback": {"type": "feedback", "text": "fine"},
    }
    assert page.tell(agent, told) == {"status": "Submitted metadata"}
    assert page.submit(agent, {"after": "metadata"}) == {"status": "Submitted!"}


def test_errors_of_a_page_reach_the_daemon_and_do_not_end_its_work(served: Served) -> None:
    page = served.page("dan")
    agent = page.register()["agent_id"]
    before = served.counter("errors_reported")
    trace = {"componentStack": "\n    at div\n    at p1 (http://router/bundle.js:286:5752)"}
    render = {"error": "render failed", "errorInfo": trace}
    for error in ({"error": "something broke", "where": {"line": 7}}, render):
        assert page.log_error(agent, error) == {"status": "Error log sent!"}
    assert page.submit(agent, {"ok": True}) == {"status": "Submitted!"}
    served.counts("errors_reported", before + 2)


def test_a_form_with_files_is_stored_with_them(served: Served) -> None:
    page = served.page("eva")
    agent = page.register()["agent_id"]
    files = [
        ("note ü.txt", "text/plain", "héllo file\n".encode()),
        ("blob.bin", "application/octet-stream", b"\7" * 2000),
    ]
    text = json.dumps({"caption": "two files", "n": 2})
    answer = page.send_form("/submit_task", files, USED_AGENT_ID=agent, final_data=text)
    assert answer == {"status": "Submitted!"}
    stored = served.stored("eva")
    assert stored.outputs == {"caption": "two files", "n": 2}
    assert [file.originalname for file in stored.files] == ["note ü.txt", "blob.bin"]
    for _, _, content in files:
        (kept,) = served.daemon.data.rglob(hashlib.sha256(content).hexdigest())
        assert kept.read_bytes() == content


def test_metadata_may_come_with_a_file(served: Served) -> None:
    page = served.page("fay")
    agent = page.register()["agent_id"]
    answer = page.send_form(
        "/submit_metadata",
        [("shot.png", "image/png", b"\x89PNG\r\n\x1a\n\0\0")],
        metadata='{"default":{"text":"see picture"}}',
        USED_AGENT_ID=agent,
    )
    assert answer == {"status": "Submitted metadata"}
    assert page.submit(agent, {}) == {"status": "Submitted!"}


def test_a_submission_of_several_megabytes_is_normal(served: Served) -> None:
    page = served.page("gil")
    agent = page.register()["agent_id"]
    answer = {"text": "ß" * 2_000_000, "points": [[n, n / 7] for n in range(50_000)]}
    assert page.submit(agent, answer) == {"status": "Submitted!"}
    assert served.stored("gil").outputs == answer


def test_a_page_of_another_version_is_served_and_counted(served: Served) -> None:
    page = served.page("hal")
    page.load("1.0.0")
    assert page.register()["agent_id"]
    served.counts("router_version_mismatches", 1)


def test_the_same_submission_again_gets_the_same_answer(served: Served) -> None:
    page = served.page("ida")
    agent = page.register()["agent_id"]
    assert [page.submit(agent, {"kind": "a"}) for _ in range(2)] == [{"status": "Submitted!"}] * 2


async def test_a_page_that_asks_or_submits_while_the_daemon_is_away_is_answered_when_it_is_back(
    daemon: Daemon, tmp_path: Path
) -> None:
    await daemon.start()
    label = await daemon.launch(a_task(tmp_path, 3, PROVIDER))
    address = (await daemon.ask("show", label)).address
    with httpx.Client(base_url=address, timeout=70, trust_env=False) as http:
        ann, bob = Page(http, "ann"), Page(http, "bob")
        agent = (await trio.to_thread.run_sync(ann.register))["agent_id"]
        daemon.kill()
        answers: dict[str, Any] = {}

        async def note(name: str, ask: Any) -> None:
            answers[name] = await trio.to_thread.run_sync(ask)

        async with trio.open_nursery() as pages:
            pages.start_soon(note, "registered", bob.register)
            pages.start_soon(note, "submitted", partial(ann.submit, agent, {"kind": "a"}))
            await daemon.start()
    assert answers["registered"]["agent_id"]
    assert answers["submitted"] == {"status": "Submitted!"}


async def test_a_page_that_comes_after_the_run_has_ended_reads_so(daemon: Daemon, tmp_path: Path) -> None:
    await daemon.start()
    label = await daemon.launch(a_task(tmp_path, 3, PROVIDER))
    address = (await daemon.ask("show", label)).address
    with httpx.Client(base_url=address, timeout=40, trust_env=False) as http:
        await daemon.ask("stop", label)
        await daemon.until(label, lambda shown: shown.state != "running")
        details = await trio.to_thread.run_sync(Page(http, "late").register)
    assert details["agent_id"] is None
    assert "ended" in details["failure_reason"]


@pytest.fixture(scope="module")
def onboarding(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A run that onboards; "right" passes, and a validator that is asked by "later" takes its time."""
    folder = tmp_path_factory.mktemp("unchanged-onboarding")
    daemon = Daemon(folder / "data")
    section = '[onboarding]\nqualification = "onboarded"\ndata = {onboarding_prompt = "Answer right."}\n'
    task = a_task(folder, 100, PROVIDER + section)
    (task / "task.py").write_text(
        "tried = []\ndef validate_onboarding(worker, data):\n"
        "    tried.append(1)\n"
        "    return data.get('answer') == 'right' or (data.get('answer') == 'broken' and 1 / 0)\n"
    )
    try:
        trio.run(daemon.start)
        label = trio.run(daemon.launch, task)
        with httpx.Client(
            base_url=str(daemon.client.show(label).address), timeout=40, trust_env=False
        ) as http:
            yield Served(daemon, label, http)
    finally:
        daemon.clean_up()


def test_an_unchanged_page_passes_its_onboarding_and_works(onboarding: Served) -> None:
    page = onboarding.page("ann")
    page.load()
    first = page.register()
    assert first["agent_id"].startswith("onboarding_")
    assert first["init_task_data"] == {"onboarding_prompt": "Answer right."}
    assert page.register() | {"request_id": ""} == first | {"request_id": ""}
    unit = page.submit_onboarding(first["agent_id"], onboarding_data={"answer": "right"})
    assert unit["init_task_data"]["text"].startswith("word ")
    again = page.submit_onboarding(first["agent_id"], onboarding_data={"answer": "right"})
    assert again["agent_id"] == page.register()["agent_id"] == unit["agent_id"]
    assert page.submit(unit["agent_id"], {"label": "done"}) == {"status": "Submitted!"}


def test_an_unchanged_page_that_fails_its_onboarding_reads_so_from_then_on(onboarding: Served) -> None:
    page = onboarding.page("bob")
    first = page.register()
    failed = page.submit_onboarding(first["agent_id"])  # without any data, as some pages do
    assert (failed["agent_id"], failed["failure_reason"]) == (None, SENTENCES[Reason.NOT_QUALIFIED])
    page.load()
    assert page.register()["failure_reason"] == SENTENCES[Reason.NOT_QUALIFIED]
    other = Page(onboarding.http, "bob", "asg-2")
    assert other.register()["failure_reason"] == SENTENCES[Reason.NOT_QUALIFIED]


def test_an_unchanged_page_whose_validator_breaks_is_told_to_try_again(onboarding: Served) -> None:
    page = onboarding.page("eve")
    first = page.register()
    later = page.submit_onboarding(first["agent_id"], onboarding_data={"answer": "broken"})
    assert later["agent_id"] is None
    assert "try again" in later["failure_reason"].lower()
    assert "try again" in page.register()["failure_reason"].lower()
