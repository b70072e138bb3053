"""SEC10, SEC11: what a worker uploads is stored bytes under a digest, never a page, a path or an archive; and
the router serves the pages that were deployed, nothing else of its disk."""

import gzip
import os
from collections.abc import Sequence
from pathlib import Path

import attrs
import httpx
import pytest
import trio

from crowdd.protocol.packets import FileNote, SubmitUnit

from ..router.conftest import App, OpenApp, Process, open_app
from ..router.daemon import Daemon, linked_in_memory, proof, sha256
from ..router.kit import Part, agent_id, done, form_of
from .wild import stranger

__all__ = ["open_app"]

FORM = {"Content-Type": "multipart/form-data; boundary=XX"}
FIELDS = [Part("USED_AGENT_ID", agent_id().encode()), Part("final_string_data", b"{}")]
POLYGLOT = b"GIF89a/*" + b"\x00" * 16 + b"*/=1;alert(1)//<svg onload=alert(1)>%PDF-1.7 PK\x03\x04"

KINDS: dict[str, Part] = {
    "a page": Part("f", b"<script>alert(1)</script>", "x.html", "text/html"),
    "a picture that is a page": Part("f", b"<svg onload='alert(1)'/>", "x.svg", "image/svg+xml"),
    "a picture, a script and a page": Part("f", POLYGLOT, "x.gif", "image/gif"),
    "a bomb": Part("f", gzip.compress(bytes(20_000_000)), "x.gz", "application/gzip"),
    "a script": Part("f", b"#!/bin/sh\nrm -rf /\n", "x.sh", "application/x-sh"),
    "nothing": Part("f", b"", "empty", "application/octet-stream"),
}
NAMES = [
    "../../../../etc/cron.d/x",
    "..\\..\\x",
    "/etc/passwd",
    "%2e%2e%2fx",
    "....//x",
    ".",
    "..",
    "~/.ssh/authorized_keys",
    "/dev/sda",
    "/proc/self/environ",
    "CON",
    "nul.txt",
    "C:\\boot.ini",
    "\\\\host\\share",
    "x;rm -rf ~",
    "$(reboot)",
    "`reboot`",
    "-rf",
    "*",
    "a\u202egnp.exe",
    "\u2025\u2215x",
    "key",
    "bundle.tar.gz",
    "index.html",
    "x" * 255,
]


@attrs.define(eq=False)
class Handed:
    """What came of one form: the answer, and what a daemon finds while it has not answered yet."""

    answer: httpx.Response | None = None
    notes: Sequence[FileNote] = ()
    contents: Sequence[httpx.Response] = ()
    kept: frozenset[str] = frozenset()


async def hand_in(app: App, parts: Sequence[Part]) -> Handed:
    """Submit these files, look at what is kept, fetch it as the daemon does, and let the daemon say yes."""
    handed, daemon = Handed(), Daemon(script=lambda packet: [])

    async def submit() -> None:
        body = form_of([*parts, *FIELDS], "XX")
        handed.answer = await app.client.post("/submit_task", content=body, headers=FORM)

    async with linked_in_memory(daemon, app.run.desk), trio.open_nursery() as nursery:
        nursery.start_soon(submit)
        await daemon.hears(SubmitUnit)
        (asked,) = daemon.heard
        assert isinstance(asked, SubmitUnit)
        handed.notes = asked.files
        handed.kept = files_below(app.folder)
        handed.contents = [await fetch(app, note.sha256) for note in asked.files]
        daemon.say(done(asked.request))
    return handed


def files_below(folder: Path) -> frozenset[str]:
    return frozenset(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


async def fetch(app: App, digest: str) -> httpx.Response:
    path = f"/_crowdd/runs/digits/files/{digest}"
    return await app.client.get(path, headers=proof("GET", path))


@pytest.mark.parametrize("name", KINDS)
async def test_sec10_whatever_is_uploaded_is_bytes_to_us(open_app: OpenApp, name: str) -> None:
    part = KINDS[name]
    async with open_app() as app:
        handed = await hand_in(app, [part])
    (note,) = handed.notes
    assert (note.sha256, note.size) == (sha256(part.content), len(part.content))
    (content,) = handed.contents
    assert content.content == part.content
    assert content.headers["content-type"] == "application/octet-stream"
    assert content.headers["content-disposition"] == "attachment"
    assert content.headers["x-content-type-options"] == "nosniff"
    assert content.headers["content-security-policy"].startswith("sandbox")


@pytest.mark.parametrize("name", NAMES)
async def test_sec10_what_a_file_is_called_leads_nowhere(open_app: OpenApp, name: str) -> None:
    async with open_app() as app:
        before, beside = files_below(app.folder), files_below(app.folder.parent)
        handed = await hand_in(app, [Part("f", b"content", name)])
        (note,) = handed.notes
        assert name.endswith(note.originalname)
        assert handed.kept - before == {f"runs/digits/files/{sha256(b'content')}"}
        assert files_below(app.folder) == before
        assert files_below(app.folder.parent) == beside


@pytest.mark.parametrize(
    "name", ["a\x00b", "a\nb", "\x1b[31mred", "\x7f", "x" * 256, "é" * 128], ids=lambda name: repr(name)[:20]
)
async def test_sec10_a_name_that_no_file_has_is_refused(open_app: OpenApp, name: str) -> None:
    async with open_app() as app:
        before = files_below(app.folder)
        async with linked_in_memory(Daemon(), app.run.desk):
            body = form_of([Part("f", b"content", name), *FIELDS], "XX")
            answer = await app.client.post("/submit_task", content=body, headers=FORM)
        assert (answer.status_code, answer.json()["reason"]) == (400, "bad_request")
        assert files_below(app.folder) == before


async def test_sec10_no_page_and_no_worker_can_see_an_upload(open_app: OpenApp) -> None:
    async with open_app() as app:
        daemon = Daemon(script=lambda packet: [])
        async with linked_in_memory(daemon, app.run.desk), trio.open_nursery() as nursery:
            body = form_of([Part("f", b"secret content", "x.html", "text/html"), *FIELDS], "XX")
            nursery.start_soon(lambda: app.client.post("/submit_task", content=body, headers=FORM))
            await daemon.hears(SubmitUnit)
            digest = sha256(b"secret content")
            for path in (f"/{digest}", f"/files/{digest}", "/x.html", f"/runs/digits/files/{digest}"):
                assert (await app.client.get(path)).status_code == 404
            unproved = await app.client.get(f"/_crowdd/runs/digits/files/{digest}")
            assert unproved.status_code == 401
            nursery.cancel_scope.cancel()


@pytest.mark.parametrize("header", ["Content-Disposition", "Content-Type"])
async def test_sec10_a_part_that_says_a_thing_twice_is_refused(open_app: OpenApp, header: str) -> None:
    part = (
        '--XX\r\nContent-Disposition: form-data; name="f"; filename="a"\r\nContent-Type: text/plain\r\n'
        f'{header}: form-data; name="g"; filename="b"\r\n\r\ncontent\r\n--XX--\r\n'
    )
    async with open_app() as app:
        answer = await app.client.post("/submit_task", content=part.encode(), headers=FORM)
        assert (answer.status_code, answer.json()["reason"]) == (400, "bad_request")


# The pages.

PATHS = [
    b"/../secret",
    b"/../../../../../../etc/passwd",
    b"/./../secret",
    b"/%2e%2e/secret",
    b"/%2e%2e%2fsecret",
    b"/..%2fsecret",
    b"/%252e%252e%252fsecret",
    b"/..%5csecret",
    b"/..\\secret",
    b"/%c0%ae%c0%ae/secret",
    b"/%e0%80%ae%e0%80%ae/secret",
    b"/..%c0%afsecret",
    b"/..;/secret",
    b"/.%00./secret",
    b"/index.html%00.js",
    b"/%ef%bc%8e%ef%bc%8e/secret",
    b"//secret",
    b"///etc/passwd",
    b"/img/../../secret",
    b"/img/%2e%2e/%2e%2e/secret",
    b"/file:///etc/passwd",
    b"/runs/digits/key",
    b"/key",
    b"/lock",
    b"/linked.html",
    b"/.git/config",
    b"/INDEX.HTML",
    b"/index.html/",
    b"/index.html/x",
    b"/bundle.tar.gz",
    b"/run/../secret",
    b"/run/digits/../../secret",
    b"/_crowdd/runs/digits/files/..%2f..%2fkey",
    b"/_crowdd/runs/../runs/digits",
    b"/_crowdd/link/digits",
    b"/" + b"../" * 2_000 + b"secret",
    b"/" + b"a" * 8_000,
]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path[:40].decode())
async def test_sec11_no_path_leads_to_what_is_not_in_the_bundle(router: Process, path: bytes) -> None:
    folder = Path(router.facts["folder"])
    (folder.parent / "secret").chmod(0o644)
    linked = folder / "runs/digits/linked.html"
    if not linked.is_symlink():
        os.symlink("/etc/passwd", linked)
    async with stranger(router) as wild:
        await wild.send(b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = await wild.answer()
    assert answer.split(b" ")[1] in (b"400", b"401", b"404")
    assert b"application/json" in answer
    assert b"root:" not in answer
    assert b"ssss" not in answer
