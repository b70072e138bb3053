"""The application as browsers and daemons meet it, in process and without a network."""

import gzip
import json
from collections.abc import AsyncGenerator, Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio
import trio.testing

from crowdd.protocol.names import WireId
from crowdd.protocol.packets import (
    FileNote,
    LogError,
    RegisterAgent,
    ReturnUnit,
    SubmitMetadata,
    SubmitOnboarding,
    SubmitUnit,
)
from crowdd.router import bodies, posts
from crowdd.router.limits import LOG_ERROR_BYTES_MAX

from .conftest import PAGES, App, OpenApp
from .daemon import SECRET, Daemon, deploy, linked_in_memory, proof, sha256
from .kit import Part, agent_id, bundle_of, done, form_of

CROWDD = {"X-Crowdd-Client": "1"}


async def test_the_pages_of_a_bundle_are_served_with_their_types(open_app: OpenApp) -> None:
    async with open_app() as app:
        for name, content in PAGES.items():
            answer = await app.client.get(f"/{name}")
            assert (answer.status_code, answer.content) == (200, content)
        assert (await app.client.get("/bundle.js")).headers[
            "content-type"
        ] == "text/javascript; charset=utf-8"


@pytest.mark.parametrize(
    "path", ["/", "/index.html", "/task_index", "/welcome", "/?worker_id=x&assignment_id=y"]
)
async def test_the_index_has_the_names_that_pages_know(open_app: OpenApp, path: str) -> None:
    async with open_app() as app:
        assert (await app.client.get(path)).content == PAGES["index.html"]


async def test_a_browser_that_has_a_page_is_told_so(open_app: OpenApp) -> None:
    async with open_app() as app:
        etag = (await app.client.get("/bundle.js")).headers["etag"]
        again = await app.client.get("/bundle.js", headers={"If-None-Match": f'"x", W/{etag}'})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
        assert (await app.client.get("/bundle.js", headers={"If-None-Match": '"x"'})).status_code == 200


async def test_text_goes_packed_to_those_who_take_it(open_app: OpenApp) -> None:
    async with open_app() as app:
        request = app.client.build_request("GET", "/bundle.js", headers={"Accept-Encoding": "gzip"})
        answer = await app.client.send(request, stream=True)
        raw = b"".join([chunk async for chunk in answer.aiter_raw()])
        assert gzip.decompress(raw) == PAGES["bundle.js"]
        plain = await app.client.get("/bundle.js", headers={"Accept-Encoding": "identity"})
        assert "content-encoding" not in plain.headers
        assert plain.headers["etag"] != answer.headers["etag"]


async def test_pages_and_answers_carry_headers_that_protect_them(open_app: OpenApp) -> None:
    async with open_app() as app:
        page = (await app.client.get("/")).headers
        assert page["x-content-type-options"] == "nosniff"
        assert page["referrer-policy"] == "same-origin"
        assert page["content-security-policy"] == "object-src 'none'; base-uri 'self'; frame-ancestors 'self'"
        data = (await app.client.get("/nothing")).headers
        assert data["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert data["cache-control"] == "no-store"


async def test_who_may_frame_a_page_is_the_operators_choice(open_app: OpenApp) -> None:
    async with open_app(frame_ancestors=("https://www.mturk.com",)) as app:
        policy = (await app.client.get("/")).headers["content-security-policy"]
        assert policy.endswith("frame-ancestors https://www.mturk.com")


async def test_head_gives_the_headers_alone(open_app: OpenApp) -> None:
    async with open_app() as app:
        assert (await app.client.head("/bundle.js")).status_code == 200


TRAVERSALS = [
    "/../../etc/passwd",
    "/..%2f..%2fetc/passwd",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/img/../../key",
    "/img/%2e%2e/%2e%2e/key",
    "//etc/passwd",
    "/..\\..\\key",
    "/%00",
    "/key",
    "/files/",
    "/bundle.tar.gz",
    "/_crowdd/",
    "/run/digits/",
    "/img",
    "/img/",
]


@pytest.mark.parametrize("path", TRAVERSALS)
async def test_nothing_but_the_pages_can_be_read(open_app: OpenApp, path: str) -> None:
    async with open_app() as app:
        url = httpx.URL("http://digits.example.org/").copy_with(raw_path=path.encode())
        answer = await app.client.get(url)
        assert answer.status_code == 404
        assert answer.json()["reason"] == "not_found"


@pytest.mark.parametrize("host", ["digits.example.org", "elsewhere.example.org"])
async def test_an_icon_that_nobody_made_is_nothing_and_no_fault(open_app: OpenApp, host: str) -> None:
    async with open_app(default_run=None) as app:
        answer = await app.client.get(f"http://{host}/favicon.ico")
        assert (answer.status_code, answer.content) == (204, b"")


async def test_runs_by_path_have_a_last_slash_and_keep_their_query(open_app: OpenApp) -> None:
    async with open_app(default_run=None, shared_origin=True) as app:
        answer = await app.client.get("http://example.org/run/digits?link=abc")
        assert (answer.status_code, answer.headers["location"]) == (308, "/run/digits/?link=abc")
        assert (await app.client.get("http://example.org/run/digits/bundle.js")).status_code == 200
        assert (await app.client.get("http://example.org/bundle.js")).status_code == 404


async def test_signs_of_life_need_no_run(open_app: OpenApp) -> None:
    async with open_app(bare=True, default_run=None) as app:
        assert (await app.client.get("/is_alive")).json() == {"status": "Alive!"}
        stamp = (await app.client.get("/get_timestamp")).json()["timestamp"]
        assert isinstance(stamp, int)
        assert stamp > 1_700_000_000_000


# What real pages of mephisto-task send, as recorded.

REGISTER = {
    "provider_data": {
        "worker_name": "static-submit-A",
        "agent_registration_id": "asg-static-submit-static-submit-A",
        "assignment_id": "asg-static-submit",
        "provider_type": "mock",
    },
    "client_timestamp": 1795296636.635,
}
ANSWER = {
    "label": "positive",
    "score": 0.5,
    "notes": "naïve ☃ 漢字 🙂",
    "list": [1, {"a": None}],
    "flag": True,
}
METADATA: dict[str, Any] = {
    "tips": {"type": "tips", "header": "a tip", "text": "read twice"},
    "feedback": {"type": "feedback", "text": "fine", "questions": []},
}
FATAL = {
    "error": "render failed on purpose",
    "errorInfo": {"componentStack": "\n    at hv (bundle.js:286:5230)"},
}


async def test_recorded_registration(open_app: OpenApp) -> None:
    daemon = Daemon()
    async with open_app() as app, linked_in_memory(daemon, app.run.desk):
        answer = await app.client.post("/request_agent", json=REGISTER)
        assert answer.status_code == 200
        packet = answer.json()
        assert packet["packet_type"] == "agent_details"
        assert packet["data"]["agent_id"] == agent_id()
        assert packet["data"]["init_task_data"] == {"item": 1}
        (asked,) = daemon.heard
        assert isinstance(asked, RegisterAgent)
        assert (asked.provider_data, asked.crowdd_client) == (REGISTER["provider_data"], False)


async def test_the_older_name_of_the_registration_works(open_app: OpenApp) -> None:
    async with open_app() as app, linked_in_memory(Daemon(), app.run.desk):
        answer = await app.client.post("/register_worker", json=REGISTER)
        assert answer.json()["data"]["agent_id"] == agent_id()


async def test_recorded_submission(open_app: OpenApp) -> None:
    daemon = Daemon()
    async with open_app() as app, linked_in_memory(daemon, app.run.desk):
        body: dict[str, Any] = {
            "USED_AGENT_ID": agent_id(),
            "final_data": ANSWER,
            "client_timestamp": 1795296636.907,
        }
        answer = await app.client.post("/submit_task", json=body)
        assert (answer.status_code, answer.json()) == (200, {"status": "Submitted!"})
        (asked,) = daemon.heard
        assert isinstance(asked, SubmitUnit)
        assert (asked.subject, asked.final_data) == (agent_id(), ANSWER)


async def test_a_submission_of_several_megabytes_is_normal(open_app: OpenApp) -> None:
    daemon = Daemon()
    async with open_app() as app, linked_in_memory(daemon, app.run.desk):
        body: dict[str, Any] = {
            "USED_AGENT_ID": agent_id(),
            "final_data": {"strokes": "0123456789" * 500_000},
        }
        assert (await app.client.post("/submit_task", json=body)).json() == {"status": "Submitted!"}
        (asked,) = daemon.heard
        assert isinstance(asked, SubmitUnit)
        assert asked.final_data == body["final_data"]


async def test_an_empty_answer_is_an_answer(open_app: OpenApp) -> None:
    async with open_app() as app, linked_in_memory(Daemon(), app.run.desk):
        body: dict[str, Any] = {"USED_AGENT_ID": agent_id(), "final_data": {}}
        assert (await app.client.post("/submit_task", json=body)).status_code == 200


async def test_recorded_onboarding_with_and_without_data(open_app: OpenApp) -> None:
    daemon = Daemon()
    wire_id = agent_id(onboarding=True)
    async with open_app() as app, linked_in_memory(daemon, app.run.desk):
        for data in ({"onboarding_data": {"answer": "right"}}, {}):
            body = {"provider_data": {"USED_AGENT_ID": wire_id, **data}, "client_timestamp": 1795296644.551}
            answer = await app.client.post("/submit_onboarding", json=body)
            assert answer.json()["data"]["agent_id"] == agent_id()
        first, second = daemon.heard
        assert isinstance(first, SubmitOnboarding)
        assert isinstance(second, SubmitOnboarding)
        assert (first.onboarding_data, second.onboarding_data) == ({"answer": "right"}, {})


async def test_recorded_metadata(open_app: OpenApp) -> None:
    daemon = Daemon()
    async with open_app() as app, linked_in_memory(daemon, app.run.desk):
        body: dict[str, Any] = {
            "USED_AGENT_ID": agent_id(),
            "metadata": METADATA,
            "client_timestamp": 1795297012.041,
        }
        answer = await app.client.post("/submit_metadata", json=body)
        assert (answer.status_code, answer.json()) == (200, {"status": "Submitted metadata"})
        (asked,) = daemon.heard
        assert isinstance(asked, SubmitMetadata)
        assert asked.metadata == METADATA


async def test_recorded_error_reports(open_app: OpenApp) -> None:
    daemon = Daemon()
    async with open_app() as app, linked_in_memory(daemon, app.run.desk):
        for wire_id in (agent_id(), None):
            body: dict[str, Any] = {
                "USED_AGENT_ID": wire_id,
                "error_data": FATAL,
                "client_timestamp": 1795297011.375,
            }
            answer = await app.client.post("/log_error", json=body)
            assert (answer.status_code, answer.json()) == (200, {"status": "Error log sent!"})
        await daemon.hears(LogError, 2)
        assert daemon.heard == [LogError(agent_id(), FATAL), LogError(WireId(""), FATAL)]


async def test_a_returned_unit_and_a_leaving_page(open_app: OpenApp) -> None:
    daemon = Daemon()
    async with open_app() as app, linked_in_memory(daemon, app.run.desk):
        beacon = json.dumps({"USED_AGENT_ID": agent_id(), "leaving": True})
        headers = {"Content-Type": "text/plain;charset=UTF-8", "Origin": "http://digits.example.org"}
        answer = await app.client.post("/return_unit", content=beacon, headers=headers)
        assert (answer.status_code, daemon.heard) == (200, [])
        answer = await app.client.post("/return_unit", json={"USED_AGENT_ID": agent_id()})
        assert answer.json() == {"status": "Returned"}
        assert [type(packet) for packet in daemon.heard] == [ReturnUnit]


async def test_a_page_of_another_version_is_reported(open_app: OpenApp) -> None:
    daemon = Daemon()
    async with open_app() as app, linked_in_memory(daemon, app.run.desk):
        answer = await app.client.get("/task_config.json?mephisto_task_version=2.0.3")
        assert answer.json()["mephisto_task_version"] == "2.0.4"
        await daemon.hears(LogError)
        (error,) = daemon.heard
        assert isinstance(error, LogError)
        assert error.error["error_type"] == "version-mismatch"


BOUNDARY = "----WebKitFormBoundaryRLQ9siVZrUr4Af2s"
FORM = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
FILES = [
    Part("attachment", "héllo file\n".encode(), "note ü.txt", "text/plain"),
    Part("attachment", b"\x07" * 300_000, "blob.bin", "application/octet-stream"),
]


def recorded_form(wire_id: str, files: list[Part]) -> bytes:
    fields = [
        Part("final_string_data", json.dumps(ANSWER).encode()),
        Part("USED_AGENT_ID", wire_id.encode()),
        Part("client_timestamp", b"1795296658.987"),
    ]
    return form_of([*files, *fields], BOUNDARY)


async def test_recorded_upload_and_the_daemon_that_fetches_it(open_app: OpenApp) -> None:
    fetched: list[bytes] = []

    async with open_app() as app:
        daemon = Daemon(script=lambda packet: [])
        async with linked_in_memory(daemon, app.run.desk), trio.open_nursery() as nursery:
            results: list[httpx.Response] = []

            async def submit() -> None:
                body = recorded_form(agent_id(), FILES)
                results.append(await app.client.post("/submit_task", content=body, headers=FORM))

            nursery.start_soon(submit)
            await daemon.hears(SubmitUnit)
            (asked,) = daemon.heard
            assert isinstance(asked, SubmitUnit)
            assert asked.final_data == ANSWER
            assert asked.files == [
                FileNote(
                    sha256(part.content),
                    len(part.content),
                    "attachment",
                    part.filename or "",
                    part.media_type,
                )
                for part in FILES
            ]
            for note in asked.files:
                fetched.append((await fetch(app, note.sha256)).content)
            daemon.say(done(asked.request))
        assert fetched == [part.content for part in FILES]
        assert results[0].json() == {"status": "Submitted!"}
        assert (await fetch(app, sha256(FILES[0].content))).status_code == 404, "what was answered is dropped"
        assert list((app.folder / "incoming").iterdir()) == []


async def fetch(app: App, digest: str, **how: Any) -> httpx.Response:
    path = f"/_crowdd/runs/digits/files/{digest}"
    return await app.client.get(path, headers=proof("GET", path, **how))


async def test_an_upload_is_for_the_daemon_alone(open_app: OpenApp) -> None:
    async with open_app() as app:
        app.run.folder.upload("a" * 64).write_bytes(b"answer")
        assert (await fetch(app, "a" * 64)).content == b"answer"
        assert (await fetch(app, "a" * 64, secret=b"x" * 32)).status_code == 401
        assert (await fetch(app, "a" * 64, age_s=400.0)).status_code == 401
        assert (await app.client.get(f"/_crowdd/runs/digits/files/{'a' * 64}")).status_code == 401
        assert (await app.client.get(f"/files/{'a' * 64}")).status_code == 404


async def test_sec4_any_secret_of_the_file_proves_the_daemon_and_a_removed_one_does_not(
    open_app: OpenApp, tmp_path: Path
) -> None:
    async with open_app() as app:
        app.run.folder.upload("a" * 64).write_bytes(b"answer")
        secret_file = tmp_path / "secret"
        secret_file.write_bytes(SECRET + b"\n" + b"n" * 32)
        assert (await fetch(app, "a" * 64, secret=b"n" * 32)).status_code == 200
        assert (await fetch(app, "a" * 64)).status_code == 200
        secret_file.write_bytes(b"n" * 32)
        assert (await fetch(app, "a" * 64)).status_code == 401


def removed(path: Path) -> None:
    path.unlink()


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def shown_to_all(path: Path) -> None:
    path.chmod(0o644)


@pytest.mark.parametrize("spoil", [removed, emptied, shown_to_all])
async def test_sec22_a_router_whose_secret_file_is_unfit_lets_no_daemon_in(
    open_app: OpenApp, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    async with open_app() as app:
        app.run.folder.upload("a" * 64).write_bytes(b"answer")
        spoil(tmp_path / "secret")
        refused = await fetch(app, "a" * 64)
        assert (refused.status_code, refused.json()["reason"]) == (503, "no_secret")


@pytest.mark.parametrize("digest", ["..%2fkey", "..", "A" * 64, "a" * 63, "key"])
async def test_only_digests_name_uploads(open_app: OpenApp, digest: str) -> None:
    async with open_app() as app:
        assert (await fetch(app, digest)).status_code in (401, 404)


async def test_a_form_of_a_forged_agent_leaves_nothing(open_app: OpenApp) -> None:
    daemon = Daemon()
    async with open_app() as app, linked_in_memory(daemon, app.run.desk):
        body = recorded_form(agent_id(1, b"x" * 32), FILES)
        answer = await app.client.post("/submit_task", content=body, headers=FORM)
        assert answer.status_code == 404
        assert daemon.heard == []
        assert list(app.run.folder.files.iterdir()) == []
        assert list((app.folder / "incoming").iterdir()) == []


async def test_metadata_may_come_as_a_form(open_app: OpenApp) -> None:
    daemon = Daemon()
    async with open_app() as app, linked_in_memory(daemon, app.run.desk):
        parts = [
            Part("attachment", b"\x89PNG", "shot.png", "image/png"),
            Part("metadata", b'{"default":{"text":"see picture"}}'),
            Part("USED_AGENT_ID", agent_id().encode()),
            Part("client_timestamp", b"1795296661.793"),
        ]
        answer = await app.client.post("/submit_metadata", content=form_of(parts, BOUNDARY), headers=FORM)
        assert answer.json() == {"status": "Submitted metadata"}
        (asked,) = daemon.heard
        assert isinstance(asked, SubmitMetadata)
        assert asked.metadata == {"default": {"text": "see picture"}}
        assert [note.originalname for note in asked.files] == ["shot.png"]


GENUINE = agent_id()
BAD_BODIES: list[tuple[str, bytes]] = [
    ("/submit_task", b"{not json"),
    ("/submit_task", b""),
    ("/submit_task", b"[]"),
    ("/submit_task", b"null"),
    ("/submit_task", b'{"USED_AGENT_ID": "' + GENUINE.encode() + b'"}'),
    ("/submit_task", b'{"final_data": {}}'),
    ("/submit_task", b'{"USED_AGENT_ID": 1, "final_data": {}}'),
    ("/submit_task", b'{"USED_AGENT_ID": {"$ne": null}, "final_data": {}}'),
    ("/submit_task", b'{"USED_AGENT_ID": "x", "final_data": NaN}'),
    ("/submit_task", b'{"USED_AGENT_ID": "x", "final_data": ' + b"[" * 100 + b"]" * 100 + b"}"),
    ("/submit_task", b"[" * 100_000),
    ("/submit_task", b"\xff\xfe\x00"),
    ("/request_agent", b"{}"),
    ("/request_agent", b'{"provider_data": []}'),
    ("/request_agent", b'{"provider_data": "x"}'),
    ("/submit_onboarding", b'{"provider_data": {}}'),
    ("/submit_metadata", b'{"USED_AGENT_ID": "x"}'),
    ("/log_error", b"x"),
    ("/return_unit", b"{}"),
]


@pytest.mark.parametrize(("path", "body"), BAD_BODIES)
async def test_a_bad_body_gets_a_json_400_and_hurts_nobody(open_app: OpenApp, path: str, body: bytes) -> None:
    daemon = Daemon()
    async with open_app() as app, linked_in_memory(daemon, app.run.desk):
        answer = await app.client.post(path, content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 400
        assert answer.json()["reason"] == "bad_request"
        assert daemon.heard == []
        assert (await app.client.post("/request_agent", json=REGISTER)).status_code == 200


async def test_a_body_of_20_megabytes_is_too_large_in_json(open_app: OpenApp) -> None:
    async with open_app() as app:
        body = b'{"USED_AGENT_ID": "x", "final_data": "' + b"a" * 20_000_000 + b'"}'
        for path in ("/submit_task", "/submit_metadata", "/request_agent"):
            answer = await app.client.post(path, content=body, headers=CROWDD)
            assert (answer.status_code, answer.json()["reason"]) == (413, "too_large")


async def test_the_limit_of_a_body_is_exact(open_app: OpenApp) -> None:
    async with open_app() as app, linked_in_memory(Daemon(), app.run.desk):
        for size, status in ((LOG_ERROR_BYTES_MAX, 200), (LOG_ERROR_BYTES_MAX + 1, 413)):
            body = b'{"USED_AGENT_ID": null, "error_data": "%s"}' % (b"a" * (size - 41))
            assert len(body) == size
            assert (await app.client.post("/log_error", content=body)).status_code == status


async def test_a_body_that_stops_coming_is_given_up(
    open_app: OpenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "BODY_SILENT_S", 0.05)

    async with open_app() as app:
        sent: list[dict[str, Any]] = []
        chunks = [{"type": "http.request", "body": b'{"USED', "more_body": True}]

        async def receive() -> dict[str, Any]:
            if chunks:
                return chunks.pop()
            await trio.sleep_forever()
            raise AssertionError

        async def send(message: Any) -> None:
            sent.append(message)

        scope = asgi_scope("POST", "/submit_task")
        await app.asgi(scope, receive, send)
        assert sent[0]["status"] == 408


FOREIGN_IDS = [agent_id(1, b"x" * 32), agent_id(7)[:-2] + "AA", "1", "mephisto", "x" * 49, "onboarding_1"]


@pytest.mark.parametrize("wire_id", FOREIGN_IDS)
async def test_forged_foreign_and_unknown_ids_get_one_text_everywhere(
    open_app: OpenApp, wire_id: str
) -> None:
    daemon = Daemon()
    async with open_app() as app, linked_in_memory(daemon, app.run.desk):
        bodies_of: list[tuple[str, dict[str, Any]]] = [
            ("/submit_task", {"USED_AGENT_ID": wire_id, "final_data": {}}),
            ("/submit_metadata", {"USED_AGENT_ID": wire_id, "metadata": {}}),
            ("/log_error", {"USED_AGENT_ID": wire_id, "error_data": {}}),
            ("/return_unit", {"USED_AGENT_ID": wire_id}),
        ]
        for path, body in bodies_of:
            answer = await app.client.post(path, json=body)
            assert answer.status_code == 404
            assert answer.json() == {"reason": "unknown_agent", "text": "We do not know this work session."}
        assert daemon.heard == []


@pytest.mark.parametrize("origin", ["http://evil.org", "null", "http://digits.example.org.evil.org"])
async def test_other_sites_cannot_post(open_app: OpenApp, origin: str) -> None:
    async with open_app() as app, linked_in_memory(Daemon(), app.run.desk):
        for path in ("/request_agent", "/submit_task", "/submit_metadata", "/log_error", "/return_unit"):
            answer = await app.client.post(path, json=REGISTER, headers={"Origin": origin})
            assert (answer.status_code, answer.json()["reason"]) == (403, "foreign_origin")
            assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "PATCH"])
async def test_other_methods_are_refused_in_json(open_app: OpenApp, method: str) -> None:
    async with open_app() as app:
        answer = await app.client.request(method, "/submit_task")
        assert (answer.status_code, answer.json()["reason"]) == (405, "method_not_allowed")
        assert (await app.client.request(method, "/nothing")).status_code == 404


async def test_a_full_disk_means_later_and_not_saved(
    open_app: OpenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posts, "DISK_RESERVE_BYTES", 1 << 60)
    daemon = Daemon()
    async with open_app() as app, linked_in_memory(daemon, app.run.desk):
        body = recorded_form(agent_id(), FILES)
        answer = await app.client.post("/submit_task", content=body, headers=FORM)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
        assert daemon.heard == []


async def test_bodies_together_have_a_limit(open_app: OpenApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posts, "BODIES_BYTES_MAX", 4_000)
    async with open_app() as app, linked_in_memory(Daemon(), app.run.desk):
        body: dict[str, Any] = {"USED_AGENT_ID": agent_id(), "final_data": {}}
        assert (await app.client.post("/submit_task", json=body)).status_code == 200
        body["final_data"] = "x" * 4_000
        answer = await app.client.post("/submit_task", json=body)
        assert (answer.status_code, answer.json()["reason"]) == (503, "try_later")
        body["final_data"] = {}
        assert (await app.client.post("/submit_task", json=body)).status_code == 200


async def test_bodies_that_are_announced_and_do_not_come_take_nobodys_room(
    open_app: OpenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posts, "BODIES_BYTES_MAX", 4_000)

    async def slow() -> AsyncGenerator[bytes]:
        yield b"{"
        await trio.sleep_forever()

    async with open_app() as app, linked_in_memory(Daemon(), app.run.desk), trio.open_nursery() as slow_ones:
        for headers in ({"Content-Length": "4000"}, {}):
            slow_ones.start_soon(partial(app.client.post, "/submit_task", content=slow(), headers=headers))
        await trio.testing.wait_all_tasks_blocked()
        body: dict[str, Any] = {"USED_AGENT_ID": agent_id(), "final_data": {}}
        assert (await app.client.post("/submit_task", json=body)).status_code == 200
        slow_ones.cancel_scope.cancel()


@pytest.mark.parametrize("name", ["request_agent", "register_worker", "submit_onboarding"])
async def test_an_unchanged_page_reads_in_words_what_ends_before_the_daemon_is_asked(
    open_app: OpenApp, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(posts, "BODIES_BYTES_MAX", 10)
    async with open_app(shared_origin=True, default_run=None) as app:
        for path, host in ((f"/{name}", {}), (f"/run/gone/{name}", {"Host": "127.0.0.1"})):
            answer = await app.client.post(path, json={"provider_data": {"x": "y"}}, headers=host)
            assert answer.status_code == 200
            details = answer.json()["data"]
            assert details["agent_id"] is None
            assert details["failure_reason"]
            answer = await app.client.post(path, json={"provider_data": {}}, headers=host | CROWDD)
            assert answer.status_code in (404, 503)


def test_one_address_cannot_take_all_the_room_for_bodies() -> None:
    room = bodies.Shares(4_000, 4)
    room.take("greedy", 1_000)
    assert not room.take("greedy", 1)
    assert room.take("other", 1_000)
    room.give_back("greedy", 1_000)
    assert room.take("greedy", 1)


async def test_a_form_that_finds_too_many_before_it_is_told_to_try_later(
    open_app: OpenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posts, "FORMS_OPEN_MAX", 0)
    monkeypatch.setattr(posts, "UPLOAD_TURN_S", 0.01)
    async with open_app() as app, linked_in_memory(Daemon(), app.run.desk):
        answer = await app.client.post("/submit_task", content=recorded_form(agent_id(), FILES), headers=FORM)
        assert (answer.status_code, answer.json()["reason"]) == (503, "try_later")


# Deploying.


async def test_the_same_bundle_again_changes_nothing_and_another_switches(open_app: OpenApp) -> None:
    async with open_app() as app:
        assert (await deploy(app.client, bundle_of(PAGES))).json()["status"] == "Deployed"
        assert (await deploy(app.client, bundle_of({"index.html": b"two"}))).status_code == 200
        assert (await app.client.get("/")).content == b"two"
        assert (await app.client.get("/bundle.js")).status_code == 404


async def test_a_refused_bundle_leaves_the_pages_as_they_are(open_app: OpenApp) -> None:
    async with open_app() as app:
        answer = await deploy(app.client, bundle_of({"index.html": b"two", "../x": b""}))
        assert (answer.status_code, answer.json()["reason"]) == (422, "bad_bundle")
        assert (await app.client.get("/")).content == PAGES["index.html"]
        assert list((app.folder / "incoming").iterdir()) == []


async def test_a_bundle_that_is_not_what_its_address_says_is_refused(open_app: OpenApp) -> None:
    async with open_app() as app:
        path = f"/_crowdd/runs/digits/bundle/{'a' * 64}"
        headers = proof("PUT", path, "a" * 64)
        answer = await app.client.put(path, content=bundle_of(PAGES), headers=headers)
        assert (answer.status_code, answer.json()["reason"]) == (400, "bad_digest")


@pytest.mark.parametrize("label", ["UP", "..", "a.b", "x" * 41, "a%2fb"])
async def test_only_labels_name_runs(open_app: OpenApp, label: str) -> None:
    async with open_app() as app:
        assert (await deploy(app.client, bundle_of(PAGES), label)).status_code in (401, 404, 405)
        assert [served.label for served in app.runs] == ["digits"]


async def test_deploying_and_removing_need_the_proof(open_app: OpenApp) -> None:
    async with open_app() as app:
        archive = bundle_of({"index.html": b"mine now"})
        path = f"/_crowdd/runs/digits/bundle/{sha256(archive)}"
        forged = proof("PUT", path, sha256(archive), b"x" * 32)
        assert (await app.client.put(path, content=archive, headers=forged)).status_code == 401
        other = proof("PUT", path.replace("digits", "other"), sha256(archive))
        assert (await app.client.put(path, content=archive, headers=other)).status_code == 401
        assert (await app.client.put(path, content=archive)).status_code == 401
        assert (await app.client.delete("/_crowdd/runs/digits")).status_code == 401
        assert (await app.client.get("/")).content == PAGES["index.html"]


async def test_guessing_proofs_ends_after_a_while(open_app: OpenApp) -> None:
    async with open_app() as app:
        answers = [(await app.client.delete("/_crowdd/runs/digits")).status_code for _ in range(31)]
        assert answers == [401] * 30 + [429]


async def test_a_removed_run_is_gone_and_those_who_wait_are_told(open_app: OpenApp) -> None:
    async with open_app() as app, linked_in_memory(Daemon(script=lambda packet: []), app.run.desk):
        answers: list[httpx.Response] = []

        async def submit() -> None:
            body: dict[str, Any] = {"USED_AGENT_ID": agent_id(), "final_data": {}}
            answers.append(await app.client.post("/submit_task", json=body))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(submit)
            await trio.testing.wait_all_tasks_blocked()
            path = "/_crowdd/runs/digits"
            assert (await app.client.delete(path, headers=proof("DELETE", path))).status_code == 200
        assert (answers[0].status_code, answers[0].json()["reason"]) == (503, "try_later")
        assert (await app.client.get("/")).status_code == 404
        assert (await app.client.delete(path, headers=proof("DELETE", path))).status_code == 200
        assert not (app.folder / "runs" / "digits").exists()


async def test_a_restarted_router_serves_pages_and_judges_ids_without_a_daemon(open_app: OpenApp) -> None:
    async with open_app() as app:
        app.run.folder.keep_key(b"k" * 32)
    async with open_app(bare=True) as app:
        assert (await app.client.get("/")).content == PAGES["index.html"]
        forged: dict[str, Any] = {"USED_AGENT_ID": agent_id(1, b"x" * 32), "final_data": {}}
        assert (await app.client.post("/submit_task", json=forged)).status_code == 404
        assert not list((app.folder / "runs" / "digits" / "outbox").iterdir())
        genuine: dict[str, Any] = {"USED_AGENT_ID": agent_id(), "final_data": {}}
        assert (await app.client.post("/submit_task", json=genuine)).json() == {"status": "Submitted!"}
        assert len(list((app.folder / "runs" / "digits" / "outbox").iterdir())) == 1


def asgi_scope(method: str, path: str) -> dict[str, Any]:
    return {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"digits.example.org")],
        "scheme": "http",
        "http_version": "1.1",
        "client": ("10.0.0.1", 1),
        "server": ("digits.example.org", 80),
    }
