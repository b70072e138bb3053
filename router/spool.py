"""The outbox of one run on disk: one file for each thing that was handed in. Blocking; callers use a thread.

<run>/outbox/<number>            a line of JSON that says whose it is, with a digest; then the packet
<run>/set_aside/<name>/...       what is damaged, or the daemon would not take, with its uploads: for staff
"""

import errno
import hashlib
import logging
import os
import secrets
import shutil
from pathlib import Path

import attrs
import orjson

from ..files.durable import sync_folder, write_durably
from ..protocol.codec import decode_packet
from ..protocol.errors import RemoteProtocolError
from ..protocol.names import WireId
from ..protocol.packets import SubmitMetadata, SubmitUnit
from ..protocol.strict import strict_converter
from .commands import Kept
from .limits import DISK_RESERVE_BYTES
from .outbox import HandedIn

log = logging.getLogger(__name__)

_DIGITS = 12
_HEADER_BYTES_MAX = 8192
_FORM = 1  # of these files; one of another form is set aside, not guessed at


class Damaged(Exception):
    """This is not what was written; the words say in which way."""


@attrs.frozen
class _Header:
    """The first line of a file: what must be known of it without reading the rest."""

    form: int
    sha256: str
    """Of the rest."""
    agent: str = attrs.field(repr=False)
    is_answer: bool
    digest: str
    files: list[str]
    size: int


_CONVERTER = strict_converter()


class SpoolFolder:
    """Of one run. What it holds is private to the router: the ids of agents in it are capabilities."""

    def __init__(self, run: Path, uploads: Path) -> None:
        self._folder = run / "outbox"
        self._aside = run / "set_aside"
        self._uploads = uploads

    def load(self) -> list[Kept]:
        """What an earlier life kept. What cannot be read is set aside and named in the log."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        kept: list[Kept] = []
        for path in sorted(self._folder.iterdir()):
            if path.name.startswith("."):
                path.unlink()  # its writing was cut short: nobody was told that it is kept
                continue
            try:
                kept.append(_kept_of(path, _header_of(path)))
            except (Damaged, ValueError) as exc:
                self._try_to_set_aside(path, str(exc))
        return kept

    def write(self, kept: Kept, packet: bytes) -> None:
        """Put it on disk; durable when this returns. OSError: nothing is kept, as far as can be known."""
        if shutil.disk_usage(self._folder).free - len(packet) < DISK_RESERVE_BYTES:
            raise OSError(errno.ENOSPC, f"less than {DISK_RESERVE_BYTES} bytes of the disk would stay free")
        path = self._path(kept.number)
        try:
            write_durably(path, _header(kept, packet) + packet, 0o600)
        except OSError:
            path.unlink(missing_ok=True)
            raise

    def read(self, kept: Kept) -> HandedIn:
        """What was written. Damaged: it was set aside. OSError."""
        path = self._path(kept.number)
        try:
            return self._read(path, kept.agent)
        except FileNotFoundError as exc:
            log.error("%s was kept and is gone", path)
            raise Damaged("it is gone") from exc
        except Damaged as exc:
            self._try_to_set_aside(path, str(exc), kept.files)
            raise

    def _read(self, path: Path, agent: WireId) -> HandedIn:
        line, _, packet = path.read_bytes().partition(b"\n")
        if hashlib.sha256(packet).hexdigest() != _parse(line).sha256:
            raise Damaged("its digest is another")
        try:
            decoded = decode_packet(packet)
        except RemoteProtocolError as exc:
            raise Damaged(f"it is no packet: {exc}") from exc
        if not isinstance(decoded, SubmitUnit | SubmitMetadata) or decoded.subject != agent:
            raise Damaged("it is no packet of this version")
        for digest in {note.sha256 for note in decoded.files}:
            _check_upload(self._uploads / digest)
        return decoded

    def remove(self, kept: Kept) -> None:
        """Take it off the disk, durably. OSError: it may be there still, and is delivered once more."""
        self._path(kept.number).unlink(missing_ok=True)
        sync_folder(self._folder)

    def set_aside(self, kept: Kept, why: str) -> None:
        """Move it, with its uploads, to where staff find it. OSError."""
        self._set_aside(self._path(kept.number), why, kept.files)

    def count_set_aside(self) -> int:
        """How much of what was set aside is still there."""
        return len(list(self._aside.iterdir())) if self._aside.exists() else 0

    def move_set_aside(self, folder: Path) -> None:
        """Put what was set aside there. OSError."""
        self._aside.rename(folder)
        sync_folder(folder.parent)

    def _try_to_set_aside(self, path: Path, why: str, files: tuple[str, ...] = ()) -> None:
        try:
            self._set_aside(path, why, files)
        except OSError as exc:
            log.error("%s cannot be delivered (%s), nor be set aside: %s", path, why, exc)

    def _set_aside(self, path: Path, why: str, files: tuple[str, ...] = ()) -> None:
        # Numbers begin anew where nothing is kept: what lies there from before must stay.
        aside = self._aside / f"{path.name}-{secrets.token_hex(4)}"
        aside.mkdir(mode=0o700, parents=True)
        for digest in files:
            upload = self._uploads / digest
            if upload.exists() and not (aside / digest).exists():
                os.link(upload, aside / digest)
        path.replace(aside / "answer")
        for folder in (aside, self._aside, self._folder):
            sync_folder(folder)
        log.error("a kept answer cannot be delivered and is in %s: %s", aside, why)

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:0{_DIGITS}}"


def _check_upload(path: Path) -> None:
    """The daemon would refuse other contents for ever."""
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        raise Damaged(f"its upload {path.name} is gone") from None
    if found != path.name:
        raise Damaged(f"its upload {path.name} is damaged")


def _header(kept: Kept, packet: bytes) -> bytes:
    digest = hashlib.sha256(packet).hexdigest()
    header = _Header(_FORM, digest, kept.agent, kept.is_answer, kept.digest, list(kept.files), kept.size)
    return orjson.dumps(attrs.asdict(header)) + b"\n"


def _header_of(path: Path) -> "_Header":
    with path.open("rb") as file:
        line = file.readline(_HEADER_BYTES_MAX)
    if not line.endswith(b"\n"):
        raise Damaged("it is cut short")
    return _parse(line)


def _parse(line: bytes) -> "_Header":
    try:
        header = _CONVERTER.structure(orjson.loads(line), _Header)
    except Exception as exc:
        raise Damaged("its first line is none of ours") from exc
    if header.form != _FORM:
        raise Damaged(f"it has form {header.form}, which this version does not know")
    return header


def _kept_of(path: Path, header: "_Header") -> Kept:
    agent, files = WireId(header.agent), tuple(header.files)
    return Kept(int(path.name), agent, header.is_answer, header.digest, files, header.size)
