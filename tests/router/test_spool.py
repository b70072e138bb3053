"""The outbox on disk: whole or not there, read back as it was written, and never in the router's way."""

import errno
import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from crowdd.protocol.codec import encode_packet
from crowdd.protocol.packets import FileNote, SubmitMetadata, SubmitUnit
from crowdd.router import spool as module
from crowdd.router.commands import Kept
from crowdd.router.house import House, RunFolder
from crowdd.router.outbox import digest_of
from crowdd.router.spool import Damaged, SpoolFolder

from .kit import agent_id

UPLOAD = hashlib.sha256(b"png").hexdigest()


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """A run's folder."""
    house = House(tmp_path / "router")
    house.open()
    house.close()
    folder = house.run("digits")
    folder.make()
    assert folder.spool.load() == []
    return folder


@pytest.fixture
def spool(run: RunFolder) -> SpoolFolder:
    """Its outbox."""
    return run.spool


def answer(text: str = "seven", files: int = 0) -> SubmitUnit:
    notes = [FileNote(UPLOAD, 3, "photo", "me.png", "image/png")] * files
    return SubmitUnit(agent_id(), "s1", {"label": text}, notes, answered=True)


def kept_of(request: SubmitUnit | SubmitMetadata, number: int = 1) -> Kept:
    files = tuple(note.sha256 for note in request.files)
    is_answer = isinstance(request, SubmitUnit)
    return Kept(number, request.subject, is_answer, digest_of(request), files, len(encode_packet(request)))


def write(spool: SpoolFolder, request: SubmitUnit | SubmitMetadata, number: int = 1) -> Kept:
    kept = kept_of(request, number)
    spool.write(kept, encode_packet(request))
    return kept


def aside(run: RunFolder) -> Path:
    """The one thing that was set aside."""
    (folder,) = (run.path / "set_aside").iterdir()
    return folder


def file_of(run: RunFolder, number: int = 1) -> Path:
    return run.path / "outbox" / f"{number:012}"


def test_what_was_written_is_found_and_read_back(spool: SpoolFolder) -> None:
    told = SubmitMetadata(agent_id(2), "m1", {"tips": "è 中"}, answered=True)
    first, second = write(spool, answer()), write(spool, told, 2)
    assert spool.load() == [first, second]
    assert (spool.read(first), spool.read(second)) == (answer(), told)


def test_it_is_private_to_the_router(spool: SpoolFolder, run: RunFolder) -> None:
    write(spool, answer())
    assert file_of(run).stat().st_mode & 0o777 == 0o600
    assert file_of(run).parent.stat().st_mode & 0o777 == 0o700


def test_its_name_does_not_tell_the_agents_id(spool: SpoolFolder, run: RunFolder) -> None:
    write(spool, answer())
    assert [path.name for path in (run.path / "outbox").iterdir()] == ["000000000001"]


def test_what_is_removed_is_gone(spool: SpoolFolder) -> None:
    kept = write(spool, answer())
    spool.remove(kept)
    spool.remove(kept)
    assert spool.load() == []


def test_what_was_cut_short_in_writing_is_cleared_away(spool: SpoolFolder, run: RunFolder) -> None:
    write(spool, answer())
    half = file_of(run).with_name(".000000000002.abcdef")
    half.write_bytes(b"half")
    assert len(spool.load()) == 1
    assert not half.exists()


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda content: b"",
    "cut": lambda content: content[:10],
    "overwritten": lambda content: b"x" * len(content),
    "no map": lambda content: b"[]\n" + content,
    "of a later version": lambda content: content.replace(b'"form":1', b'"form":2'),
    "of a wrong type": lambda content: content.replace(b'"is_answer":true', b'"is_answer":"yes"'),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_flt7_what_has_no_readable_head_is_set_aside_and_named(
    spool: SpoolFolder,
    run: RunFolder,
    damage: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    write(spool, answer())
    other = write(spool, answer("eight"), 2)
    file_of(run).write_bytes(DAMAGES[damage](file_of(run).read_bytes()))
    assert spool.load() == [other]
    assert (aside(run) / "answer").exists()
    assert f"set_aside/{aside(run).name}" in caplog.text
    assert agent_id() not in caplog.text


def test_flt7_a_flipped_bit_is_found_when_it_is_read_back(spool: SpoolFolder, run: RunFolder) -> None:
    run.upload(UPLOAD).write_bytes(b"png")
    kept = write(spool, answer(files=1))
    content = bytearray(file_of(run).read_bytes())
    content[-3] ^= 1
    file_of(run).write_bytes(content)
    assert spool.load() == [kept]
    with pytest.raises(Damaged, match="its digest is another"):
        spool.read(kept)
    assert spool.load() == []
    assert (aside(run) / UPLOAD).read_bytes() == b"png"


def test_flt7_a_head_that_names_another_agent_is_not_believed(spool: SpoolFolder, run: RunFolder) -> None:
    write(spool, answer())
    content = file_of(run).read_bytes()
    file_of(run).write_bytes(content.replace(agent_id().encode(), agent_id(2).encode(), 1))
    (kept,) = spool.load()
    with pytest.raises(Damaged):
        spool.read(kept)


def test_an_answer_whose_upload_is_gone_is_set_aside(spool: SpoolFolder) -> None:
    kept = write(spool, answer(files=1))
    with pytest.raises(Damaged, match="upload"):
        spool.read(kept)


@pytest.mark.parametrize("damaged", [b"", b"pnG", b"png and more"])
def test_flt17_an_answer_whose_upload_is_damaged_is_set_aside_with_it_and_named(
    spool: SpoolFolder, run: RunFolder, caplog: pytest.LogCaptureFixture, damaged: bytes
) -> None:
    kept, other = write(spool, answer(files=1)), write(spool, answer("eight"), 2)
    run.upload(UPLOAD).write_bytes(damaged)
    with pytest.raises(Damaged, match=f"its upload {UPLOAD} is damaged"):
        spool.read(kept)
    assert spool.load() == [other]
    assert (aside(run) / UPLOAD).read_bytes() == damaged
    assert f"{UPLOAD} is damaged" in caplog.text


def test_what_was_set_aside_before_stays_when_numbers_begin_anew(spool: SpoolFolder, run: RunFolder) -> None:
    assert spool.count_set_aside() == 0
    for _ in range(2):
        spool.set_aside(write(spool, answer()), "the daemon refused it")
    assert spool.count_set_aside() == 2
    assert all((each / "answer").exists() for each in (run.path / "set_aside").iterdir())


def test_what_is_gone_is_damaged_too(spool: SpoolFolder, run: RunFolder) -> None:
    kept = write(spool, answer())
    file_of(run).unlink()
    with pytest.raises(Damaged, match="gone"):
        spool.read(kept)


def test_what_the_daemon_does_not_take_is_kept_for_staff_with_its_uploads(
    spool: SpoolFolder, run: RunFolder
) -> None:
    run.upload(UPLOAD).write_bytes(b"png")
    kept = write(spool, answer(files=1))
    spool.set_aside(kept, "the daemon refused it")
    assert spool.load() == []
    run.drop_uploads([UPLOAD])
    assert {path.name for path in aside(run).iterdir()} == {"answer", UPLOAD}


def test_flt5_what_remains_free_for_others_is_not_used_up(
    spool: SpoolFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "DISK_RESERVE_BYTES", shutil.disk_usage("/").total)
    with pytest.raises(OSError, match="would stay free") as caught:
        write(spool, answer())
    assert caught.value.errno == errno.ENOSPC
    assert spool.load() == []


@pytest.mark.parametrize("call", ["write", "fsync", "replace"])
def test_flt2_nothing_stays_of_what_could_not_be_written(
    spool: SpoolFolder, run: RunFolder, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    if call == "replace":
        monkeypatch.setattr(Path, "replace", fail)
    elif call == "fsync":
        monkeypatch.setattr(os, "fsync", fail)
    else:
        monkeypatch.setattr(os, "open", fail)
    with pytest.raises(OSError, match="Input/output"):
        write(spool, answer())
    monkeypatch.undo()
    assert list((run.path / "outbox").iterdir()) == []
