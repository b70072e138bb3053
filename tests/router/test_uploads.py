"""A multipart body on its way to the disk."""

import hashlib
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from crowdd.protocol.limits import (
    FILE_BYTES_MAX,
    FILE_NAME_BYTES_MAX,
    FILES_PER_SUBMISSION_MAX,
    FORM_FIELDS_MAX,
)
from crowdd.protocol.packets import FileNote
from crowdd.router import uploads
from crowdd.router.uploads import FormReader, FormRefused

from .kit import Part, form_of

TYPE = "multipart/form-data; boundary=XX"


@contextmanager
def reading(folder: Path) -> Generator[FormReader]:
    form = FormReader(TYPE, folder)
    try:
        yield form
    finally:
        form.close()


def read_raw(folder: Path, body: bytes) -> None:
    with reading(folder) as form:
        form.feed(body)
        form.finish()


def read(folder: Path, parts: list[Part], step: int = 1 << 20) -> tuple[dict[str, bytes], list[FileNote]]:
    body = form_of(parts, "XX")
    with reading(folder) as form:
        for start in range(0, len(body), step):
            form.feed(body[start : start + step])
        form.finish()
        for received in form.files:
            assert hashlib.sha256(received.path.read_bytes()).hexdigest() == received.note.sha256
            assert received.path.parent == folder
        return form.fields, [received.note for received in form.files]


@pytest.mark.parametrize("step", [1, 7, 1 << 20])
def test_fields_and_files_come_out_as_they_went_in_however_they_are_cut(tmp_path: Path, step: int) -> None:
    parts = [
        Part("attachment", b"h\xc3\xa9llo file\n", "note \u00fc.txt", "text/plain"),
        Part("attachment", b"\x07" * 300, "blob.bin", "application/octet-stream"),
        Part("USED_AGENT_ID", b"abc"),
        Part("final_string_data", b'{"label": "7"}'),
    ]
    fields, notes = read(tmp_path, parts, step)
    assert fields == {"USED_AGENT_ID": b"abc", "final_string_data": b'{"label": "7"}'}
    assert [(note.originalname, note.mimetype, note.size, note.fieldname) for note in notes] == [
        ("note \u00fc.txt", "text/plain", 12, "attachment"),
        ("blob.bin", "application/octet-stream", 300, "attachment"),
    ]


HOSTILE = [
    "../../etc/passwd",
    "%2e%2e%2fx",
    "/etc/shadow",
    "..",
    "CON",
    "x" * 255,
    "a.svg",
    "<script>.html",
    "a;b",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_what_a_browser_calls_a_file_is_only_data(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "incoming"
    folder.mkdir()
    body = form_of([Part("f", b"content", name)], "XX")
    with reading(folder) as form:
        form.feed(body)
        form.finish()
        assert [received.note.originalname for received in form.files] == [name]
        assert len(list(folder.iterdir())) == 1
        assert len(list(tmp_path.iterdir())) == 1
        assert next(folder.iterdir()).name != name


@pytest.mark.parametrize("name", ["a\x00b", "a\tb", "x" * (FILE_NAME_BYTES_MAX + 1)])
def test_a_file_name_that_no_honest_page_sends_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(FormRefused):
        read(tmp_path, [Part("f", b"", name)])


def test_nothing_is_left_of_a_form_that_was_not_taken(tmp_path: Path) -> None:
    body = form_of([Part("a", b"1" * 1000, "a"), Part("b", b"2" * 1000, "b")], "XX")
    with reading(tmp_path) as form:
        form.feed(body[:-300])
    assert list(tmp_path.iterdir()) == []


def test_a_form_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    with reading(tmp_path) as form:
        form.feed(form_of([Part("a", b"1")], "XX")[:-4])
        with pytest.raises(FormRefused, match="cut short"):
            form.finish()


@pytest.mark.parametrize("body", [b"--YY\r\n\r\n", b"garbage", b"--XX\r\nno colon\r\n\r\n\r\n--XX--\r\n"])
def test_what_is_no_form_is_refused(tmp_path: Path, body: bytes) -> None:
    with pytest.raises(FormRefused):
        read_raw(tmp_path, body)


@pytest.mark.parametrize("content_type", ["multipart/form-data", "text/plain; boundary=XX", ""])
def test_a_form_needs_its_content_type(tmp_path: Path, content_type: str) -> None:
    with pytest.raises(FormRefused):
        FormReader(content_type, tmp_path)


def test_a_part_without_a_name_is_refused(tmp_path: Path) -> None:
    with reading(tmp_path) as form, pytest.raises(FormRefused):
        form.feed(b"--XX\r\nContent-Type: text/plain\r\n\r\nx\r\n--XX--\r\n")


def test_a_field_that_comes_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormRefused, match="twice"):
        read(tmp_path, [Part("a", b"1"), Part("a", b"2")])


def test_so_many_files_and_no_more(tmp_path: Path) -> None:
    parts = [Part("f", b"x", f"{number}") for number in range(FILES_PER_SUBMISSION_MAX)]
    assert len(read(tmp_path, parts)[1]) == FILES_PER_SUBMISSION_MAX
    with pytest.raises(FormRefused) as refused:
        read(tmp_path, [*parts, Part("f", b"x", "more")])
    assert refused.value.too_large


def test_so_many_fields_and_no_more(tmp_path: Path) -> None:
    parts = [Part(f"f{number}", b"x") for number in range(FORM_FIELDS_MAX)]
    assert len(read(tmp_path, parts)[0]) == FORM_FIELDS_MAX
    with pytest.raises(FormRefused) as refused:
        read(tmp_path, [*parts, Part("more", b"x")])
    assert refused.value.too_large


def test_a_file_may_be_so_large_and_no_larger(tmp_path: Path) -> None:
    assert read(tmp_path, [Part("f", bytes(FILE_BYTES_MAX), "f")])[1][0].size == FILE_BYTES_MAX
    with pytest.raises(FormRefused) as refused:
        read(tmp_path, [Part("f", bytes(FILE_BYTES_MAX + 1), "f")])
    assert refused.value.too_large


def test_all_fields_together_have_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "JSON_BODY_BYTES_MAX", 1000)
    assert read(tmp_path, [Part("a", b"1" * 500), Part("b", b"1" * 500)])[0]
    with pytest.raises(FormRefused) as refused:
        read(tmp_path, [Part("a", b"1" * 500), Part("b", b"1" * 501)])
    assert refused.value.too_large


def test_the_whole_form_has_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "UPLOAD_BYTES_MAX", 1000)
    with pytest.raises(FormRefused) as refused:
        read(tmp_path, [Part("a", b"1" * 1000, "a")])
    assert refused.value.too_large
