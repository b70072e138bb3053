"""A multipart body on its way to the disk: fields in memory, files beside, all within limits.

Files are written under random names; what the browser called them is only data.
"""

import hashlib
import os
import secrets
from pathlib import Path
from typing import Any, BinaryIO

import attrs
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from ..protocol.limits import (
    FILE_BYTES_MAX,
    FILE_NAME_BYTES_MAX,
    FILES_PER_SUBMISSION_MAX,
    FORM_FIELDS_MAX,
    HEADER_BYTES_MAX,
    JSON_BODY_BYTES_MAX,
)
from ..protocol.packets import FileNote
from .limits import UPLOAD_BYTES_MAX


class FormRefused(Exception):
    """This body is not accepted: malformed, or (`too_large`) over a limit; the words say which."""

    def __init__(self, why: str, too_large: bool = False) -> None:
        super().__init__(why)
        self.too_large = too_large


@attrs.frozen
class Received:
    """One file as it lies on the disk (synced), and what the submission says about it."""

    path: Path
    note: FileNote


@attrs.define(eq=False)
class _Part:
    """The part being read: a field while `file` is None."""

    name: str
    content: bytearray = attrs.Factory(bytearray)
    file: BinaryIO | None = None
    path: Path | None = None
    filename: str = ""
    mimetype: str = ""
    digest: Any = attrs.Factory(hashlib.sha256)
    size: int = 0


class FormReader:
    """Reads one multipart body, chunk by chunk. Blocking; callers use a thread, one call at a time.

    `close` removes every file that was not taken; call it whatever happens.
    """

    def __init__(self, content_type: str, folder: Path) -> None:
        kind, options = parse_options_header(content_type)
        boundary = options.get(b"boundary", b"")
        if kind != b"multipart/form-data" or not boundary or len(boundary) > 200:
            raise FormRefused("the content type is not multipart/form-data with a boundary")
        self.fields: dict[str, bytes] = {}
        self.files: list[Received] = []
        self._folder = folder
        self._part: _Part | None = None
        self._header: list[bytearray] = []
        self._headers: dict[str, bytes] = {}
        self.field_bytes = 0
        self._bytes, self._header_bytes, self._parts = 0, 0, 0
        self._ended = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_begin": self._begin_header,
                "on_header_field": lambda data, start, end: self._add_header(0, data[start:end]),
                "on_header_value": lambda data, start, end: self._add_header(1, data[start:end]),
                "on_header_end": self._end_header,
                "on_headers_finished": self._open_part,
                "on_part_data": lambda data, start, end: self._write(data[start:end]),
                "on_part_end": self._end,
                "on_end": self._finish,
            },
        )

    def feed(self, chunk: bytes) -> None:
        """Take the next piece of the body, or raise FormRefused."""
        self._bytes += len(chunk)
        if self._bytes > UPLOAD_BYTES_MAX:
            raise FormRefused(f"the form is larger than {UPLOAD_BYTES_MAX} bytes", too_large=True)
        try:
            self._parser.write(chunk)
        except FormParserError as exc:
            raise FormRefused(f"malformed form: {exc}") from exc

    def finish(self) -> None:
        """The body is complete, and every file on disk; or FormRefused."""
        if not self._ended:
            raise FormRefused("the form is cut short")

    def close(self) -> None:
        """Remove what nobody has taken."""
        part, self._part = self._part, None
        if part is not None and part.file is not None and part.path is not None:
            part.file.close()
            part.path.unlink(missing_ok=True)
        for received in self.files:
            received.path.unlink(missing_ok=True)

    def _begin(self) -> None:
        self._parts += 1
        self._headers = {}
        if self._parts > FORM_FIELDS_MAX + FILES_PER_SUBMISSION_MAX:
            raise FormRefused(f"more than {FORM_FIELDS_MAX} fields", too_large=True)

    def _begin_header(self) -> None:
        self._header = [bytearray(), bytearray()]

    def _add_header(self, which: int, piece: bytes) -> None:
        self._header_bytes += len(piece)
        if self._header_bytes > HEADER_BYTES_MAX:
            raise FormRefused("the headers of the form's parts are too long", too_large=True)
        self._header[which] += piece

    def _end_header(self) -> None:
        name, value = self._header[0].decode("latin-1").lower(), bytes(self._header[1])
        if self._headers.setdefault(name, value) is not value:
            raise FormRefused("a part of the form says a thing twice")

    def _open_part(self) -> None:
        kind, options = parse_options_header(self._headers.get("content-disposition", b""))
        if kind != b"form-data" or b"name" not in options:
            raise FormRefused("a part of the form has no name")
        self._part = _Part(_text(options[b"name"], "field name"))
        if b"filename" in options:
            self._open_file(self._part, _text(options[b"filename"], "file name"))

    def _open_file(self, part: _Part, filename: str) -> None:
        if len(self.files) >= FILES_PER_SUBMISSION_MAX:
            raise FormRefused(f"more than {FILES_PER_SUBMISSION_MAX} files", too_large=True)
        mimetype = self._headers.get("content-type", b"application/octet-stream")
        part.filename, part.mimetype = filename, _text(mimetype, "content type")
        part.path = self._folder / secrets.token_hex(16)
        part.file = open(os.open(part.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")  # noqa: SIM115

    def _write(self, piece: bytes) -> None:
        part = self._part
        assert part is not None
        part.size += len(piece)
        if part.file is None:
            self.field_bytes += len(piece)
            if self.field_bytes > JSON_BODY_BYTES_MAX:
                raise FormRefused(
                    f"the form's fields are longer than {JSON_BODY_BYTES_MAX} bytes", too_large=True
                )
            part.content += piece
            return
        if part.size > FILE_BYTES_MAX:
            raise FormRefused(f"a file is larger than {FILE_BYTES_MAX} bytes", too_large=True)
        part.digest.update(piece)
        part.file.write(piece)

    def _end(self) -> None:
        part, self._part = self._part, None
        assert part is not None
        if part.file is None or part.path is None:
            self._end_field(part)
            return
        note = FileNote(part.digest.hexdigest(), part.size, part.name, part.filename, part.mimetype)
        self.files.append(Received(part.path, note))
        with part.file as file:
            file.flush()
            os.fsync(file.fileno())

    def _end_field(self, part: _Part) -> None:
        if part.name in self.fields:
            raise FormRefused(f"the field {part.name!r} comes twice")
        if len(self.fields) >= FORM_FIELDS_MAX:
            raise FormRefused(f"more than {FORM_FIELDS_MAX} fields", too_large=True)
        self.fields[part.name] = bytes(part.content)

    def _finish(self) -> None:
        self._ended = True


def _text(raw: bytes, what: str) -> str:
    if len(raw) > FILE_NAME_BYTES_MAX:
        raise FormRefused(f"a {what} is longer than {FILE_NAME_BYTES_MAX} bytes")
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise FormRefused(f"a {what} is not UTF-8") from None
    if any(ord(char) < 32 or ord(char) == 127 for char in text):
        raise FormRefused(f"a {what} has control characters")
    return text
