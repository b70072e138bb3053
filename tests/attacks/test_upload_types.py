"""SEC10: a run that names the types it takes gets files of those types, by what is in them."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from crowdd.daemon.house import House
from crowdd.daemon.task_config import ConfigRefused, RunConfig
from crowdd.daemon.task_structuring import config_from_json, config_to_json
from crowdd.files.kinds import TYPES, is_one_of
from crowdd.protocol.handshake import Handshake
from crowdd.protocol.link import Role
from crowdd.protocol.names import SENTENCES, AgentStatus, Outcome, Reason
from crowdd.protocol.packets import FileNote, SubmitMetadata, SubmitUnit
from crowdd.protocol.uploads import UploadRule
from crowdd.router.house import RunFolder

from ..daemon.conftest import house, storage
from ..daemon.desk import a_desk
from ..router.conftest import App, OpenApp, open_app
from ..router.daemon import Daemon, linked_in_memory
from ..router.kit import KEY, Part, agent_id, form_of
from .samples import ALIKE, GENUINE, PRETENDERS, SCRIPT, png
from .test_uploads import FIELDS, FORM, files_below

__all__ = ["house", "open_app", "storage"]

RULE = UploadRule(("image/png", "audio/wav"), "No such files, please.")
RULE_WORDS = 'file_type: No such files, please. "{}" is none of: image/png, audio/wav.'
NO_FILE = Part("f", b"", "", "application/octet-stream")


def test_sec10_every_type_that_can_be_asked_for_is_tried() -> None:
    assert GENUINE.keys() == TYPES.keys()
    assert {kind for kind, _ in PRETENDERS.values()} <= TYPES.keys()


@pytest.mark.parametrize("kind", GENUINE)
def test_sec10_a_file_is_of_its_own_type_and_of_no_other(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(GENUINE[kind])
    alike = next((group for group in ALIKE if kind in group), {kind})
    assert {name for name in TYPES if is_one_of(path, [name])} == alike


@pytest.mark.parametrize("what", PRETENDERS)
def test_sec10_what_only_pretends_is_of_no_type(tmp_path: Path, what: str) -> None:
    kind, content = PRETENDERS[what]
    path = tmp_path / "file"
    path.write_bytes(content)
    assert not is_one_of(path, [kind])


def test_sec10_a_picture_that_speaks_of_pages_far_from_its_beginning_is_a_picture(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(png(b"." * 5000 + b"how to write <script>"))
    assert is_one_of(path, ["image/png"])


@pytest.mark.parametrize("kind", GENUINE)
def test_sec10_no_length_at_which_a_file_is_cut_is_an_error(tmp_path: Path, kind: str) -> None:
    path, content = tmp_path / "file", GENUINE[kind]
    for length in range(min(len(content), 120)):
        path.write_bytes(content[:length])
        is_one_of(path, TYPES)


# The router.


async def handed_in(
    app: App, daemon: Daemon, parts: Sequence[Part], path: str = "/submit_task"
) -> tuple[int, str | None]:
    """What a page is told that hands in these files: the status, and what a refusal says."""
    async with linked_in_memory(daemon, app.run.desk):
        return await asked(app, parts, path)


async def asked(app: App, parts: Sequence[Part], path: str = "/submit_task") -> tuple[int, str | None]:
    """The same at a router as it is."""
    fields = [Part("USED_AGENT_ID", agent_id().encode()), Part("metadata", b"{}")]
    body = form_of([*parts, *(FIELDS if path == "/submit_task" else fields)], "XX")
    answer = await app.client.post(path, content=body, headers=FORM | {"X-Crowdd-Client": "1"})
    said = answer.json()
    return answer.status_code, f"{said['reason']}: {said['text']}" if "reason" in said else None


async def test_sec10_a_file_of_a_type_that_the_run_takes_is_taken_whatever_it_is_called(
    open_app: OpenApp,
) -> None:
    daemon = Daemon(uploads=RULE)
    async with open_app() as app:
        assert await handed_in(app, daemon, [Part("f", png(), "x.svg", "image/svg+xml")]) == (200, None)
    (heard,) = daemon.heard
    assert isinstance(heard, SubmitUnit)
    assert [note.originalname for note in heard.files] == ["x.svg"]


@pytest.mark.parametrize("path", ["/submit_task", "/submit_metadata"])
async def test_sec10_another_file_is_415_with_what_is_taken_and_nothing_of_it_is_kept(
    open_app: OpenApp, path: str
) -> None:
    daemon = Daemon(uploads=RULE)
    async with open_app() as app:
        before = files_below(app.folder)
        parts = [Part("f", png(), "ok.png", "image/png"), Part("g", SCRIPT, "cat.png", "image/png")]
        why = 'file_type: No such files, please. "cat.png" is none of: image/png, audio/wav.'
        assert await handed_in(app, daemon, parts, path) == (415, why)
        assert files_below(app.folder) == before
        assert app.run.desk.run.counters["refused_file_type"] == 1
    assert daemon.heard == []


async def test_sec10_a_field_without_a_file_is_no_file_of_another_type(open_app: OpenApp) -> None:
    async with open_app() as app:
        assert await handed_in(app, Daemon(uploads=RULE), [NO_FILE]) == (200, None)
        status, why = await handed_in(app, Daemon(uploads=RULE), [Part("f", b"", "empty.png", "image/png")])
        assert (status, why) == (415, RULE_WORDS.format("empty.png"))


async def test_sec10_without_a_rule_every_file_is_taken_as_bytes(open_app: OpenApp) -> None:
    async with open_app() as app:
        assert await handed_in(app, Daemon(), [Part("f", SCRIPT, "x.svg", "image/svg+xml")]) == (200, None)


async def test_sec10_types_of_a_later_version_are_for_the_daemon_to_judge(open_app: OpenApp) -> None:
    daemon = Daemon(uploads=UploadRule(("image/png", "image/of-tomorrow"), "No."))
    async with open_app() as app:
        assert await handed_in(app, daemon, [Part("f", b"tomorrow", "x", "")]) == (200, None)


async def test_sec10_a_router_that_starts_without_its_daemon_knows_what_is_taken(open_app: OpenApp) -> None:
    async with open_app() as app:
        app.run.folder.keep_rule(RULE)
        app.run.folder.keep_key(KEY)
    async with open_app(bare=True) as app:
        assert await asked(app, [Part("f", SCRIPT, "x.png", "")]) == (415, RULE_WORDS.format("x.png"))
        assert await asked(app, [Part("f", png(), "x.png", "")]) == (200, None)


@pytest.mark.parametrize("damaged", [b"", b"{}", b"[]", b'{"types": 7, "words": ""}', b"\xff"])
async def test_sec10_a_router_that_cannot_know_what_is_taken_keeps_nothing_for_its_daemon(
    open_app: OpenApp, damaged: bytes
) -> None:
    async with open_app() as app:
        app.run.folder.keep_key(KEY)
        (app.run.folder.path / "uploads.json").write_bytes(damaged)
    async with open_app(bare=True) as app:
        status, _ = await asked(app, [Part("f", png(), "x.png", "")])
        assert status == 503
        assert app.run.folder.spool.load() == []


def test_sec10_a_rule_is_kept_until_there_is_none(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "digits")
    folder.make()
    assert folder.rule() is None
    folder.keep_rule(RULE)
    assert folder.rule() == RULE
    folder.keep_rule(None)
    assert folder.rule() is None


# The daemon, which does not take the router's word.

WANTED = {"uploads": {"types": ["image/png"]}, "texts": {"file_type": "Only photos."}}
NOTE = FileNote("ab" * 32, 9, "photo", "photo.png", "image/png")


async def test_sec10_what_a_router_let_pass_is_refused_by_the_daemon_and_not_kept(house: House) -> None:
    desk = await a_desk(house, sections=WANTED)
    details = await desk.agent("ann")
    answer = await desk.submit(details, {}, [NOTE])
    assert (answer.outcome, answer.reason) == (Outcome.REFUSED, Reason.BAD_REQUEST)
    assert answer.text == 'Only photos. "photo.png" is none of: image/png.'
    assert (await desk.stored(details)).status is AgentStatus.IN_TASK
    assert not (house.data / NOTE.sha256).exists()


async def test_sec10_what_a_router_called_submitted_is_kept_beside_and_does_not_count(house: House) -> None:
    desk = await a_desk(house, sections=WANTED)
    details = await desk.agent("ann")
    for _ in range(2):
        assert (await desk.submit(details, {}, [NOTE], answered=True)).outcome is Outcome.OK
    (late,) = await house.storage.late_answers(desk.run.id)
    assert late.why == "a file of it is of a type that the task does not take"
    assert (await desk.stored(details)).status is AgentStatus.IN_TASK
    assert (house.data / NOTE.sha256).exists()


async def test_sec10_a_file_that_another_answer_has_stays_when_it_is_refused_here(house: House) -> None:
    desk = await a_desk(house, sections=WANTED)
    await desk.submit(await desk.agent("ann"), {}, [NOTE], answered=True)
    assert (await desk.submit(await desk.agent("bob"), {}, [NOTE])).outcome is Outcome.REFUSED
    assert (house.data / NOTE.sha256).exists()


async def test_sec10_what_is_told_beside_an_answer_is_looked_into_too(house: House) -> None:
    desk = await a_desk(house, sections=WANTED)
    details = await desk.agent("ann")
    assert details.agent_id is not None
    packet = SubmitMetadata(details.agent_id, "r3", {"tips": "x"}, [NOTE])
    assert (await desk.intake.submit_metadata(packet, desk.fetch)).outcome is Outcome.REFUSED


async def test_sec10_a_file_of_the_run_s_type_and_none_at_all_are_taken(house: House) -> None:
    desk = await a_desk(house, sections=WANTED)
    (house.data / NOTE.sha256).write_bytes(png())
    assert (await desk.submit(await desk.agent("ann"), {}, [NOTE])).outcome is Outcome.OK
    nothing = FileNote("cd" * 32, 0, "photo", "", "application/octet-stream")
    assert (await desk.submit(await desk.agent("bob"), {}, [nothing])).outcome is Outcome.OK


# What an author writes.


def told(types: object) -> RunConfig:
    return config_from_json({"name": "t", "uploads": {"types": types}})


def test_sec10_types_are_named_one_by_one_or_by_their_kind() -> None:
    uploads = told(["image/*", "audio/wav", "image/png"]).uploads
    assert uploads is not None
    images = [name for name in TYPES if name.startswith("image/")]
    assert uploads.types == (*images, "audio/wav")


@pytest.mark.parametrize(
    ("types", "words"),
    [
        ([], "delete the section to take any file"),
        ("image/png", "must be a list"),
        (["image/svg+xml"], "no type that files can be told by"),
        (["image/pgn"], "did you mean 'image/png'"),
        (["images/*"], "did you mean 'image/"),
        (["*/*"], "no type that files can be told by"),
        (["png"], "no type that files can be told by"),
        ([7], "must be text"),
    ],
)
def test_sec10_types_that_cannot_be_told_are_refused_at_the_launch(types: object, words: str) -> None:
    with pytest.raises(ConfigRefused, match=re.escape(words)):
        told(types)


def test_sec10_what_a_run_takes_is_kept_with_it_and_told_to_its_routers() -> None:
    config = told(["image/png"])
    assert config_from_json(config_to_json(config)) == config
    assert config.upload_rule == UploadRule(("image/png",), SENTENCES[Reason.FILE_TYPE])
    assert config_from_json({"name": "t"}).upload_rule is None


def test_sec10_a_rule_crosses_the_link_and_a_peer_of_before_has_none() -> None:
    for rule in (RULE, None):
        router = Handshake(Role.ROUTER, [b"s" * 32], "digits", b"r" * 32, 9)
        daemon = Handshake(Role.DAEMON, [b"s" * 32], "digits", b"d" * 32, 7, key=KEY, uploads=rule)
        said = daemon.start()
        while router.peer is None:
            said = [answer for frame in said for answer in router.receive(frame)]
            said = (
                [answer for frame in said for answer in daemon.receive(frame)] if router.peer is None else []
            )
        assert router.peer.uploads == rule
