"""All runs of one router and what each keeps on disk: its bundle, its key, its uploads.

<folder>/runs/<label>/bundle.tar.gz   the pages, whole or not there (switched by one rename)
<folder>/runs/<label>/key             0600: lets a restarted router judge agent ids without a daemon
<folder>/runs/<label>/uploads.json    which files are taken, where a daemon said so; kept before the key
<folder>/runs/<label>/files/<sha256>  uploads until the daemon has fetched them
<folder>/runs/<label>/outbox/         what was handed in and the daemon does not have yet: see `spool`
<folder>/set_aside/<label>-<name>/    what was set aside there, of runs that were taken off
<folder>/incoming/                    bodies being received; emptied at start
"""

import fcntl
import hashlib
import logging
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import orjson

from ..files.durable import sync_folder, write_durably
from ..protocol.uploads import UploadRule
from .addressing import is_label
from .bundle import BundleRefused, Page, read_bundle
from .config import RouterRefused
from .limits import UPLOAD_KEPT_S
from .spool import SpoolFolder

log = logging.getLogger(__name__)

_ASIDE_BYTES = 4  # of chance in the name of what was set aside: a label may be used again


class RuleDamaged(Exception):
    """What was kept of the uploads that a run takes is not what was written."""


class RunFolder:
    """The place of one run on the router's disk. Blocking; callers use a thread."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.files = path / "files"
        self.spool = SpoolFolder(path, self.files)

    def make(self) -> None:
        """Be there, private to the router."""
        self.files.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path.chmod(0o700)
        sync_folder(self.path.parent)

    def key(self) -> bytes | None:
        """The run's key, if a daemon ever brought it."""
        try:
            return (self.path / "key").read_bytes() or None
        except FileNotFoundError:
            return None

    def keep_key(self, key: bytes) -> None:
        """Store the run's key; on disk when it returns."""
        write_durably(self.path / "key", key, 0o600)

    def rule(self) -> UploadRule | None:
        """Which files are taken, as a daemon said. RuleDamaged: that is not known before it says so again."""
        try:
            said = orjson.loads((self.path / "uploads.json").read_bytes())
            return UploadRule(tuple(map(str, said["types"])), str(said["words"]))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, KeyError) as exc:
            raise RuleDamaged(f"{self.path / 'uploads.json'} cannot be read") from exc

    def keep_rule(self, rule: UploadRule | None) -> None:
        """Store which files are taken; on disk when it returns."""
        path = self.path / "uploads.json"
        if rule is None:
            path.unlink(missing_ok=True)
            sync_folder(self.path)
        else:
            write_durably(path, orjson.dumps({"types": rule.types, "words": rule.words}), 0o600)

    def bundle(self) -> tuple[str, dict[str, Page]] | None:
        """The digest of the deployed bundle and its pages, or None when none (or a damaged one) is there."""
        try:
            archive = (self.path / "bundle.tar.gz").read_bytes()
            return hashlib.sha256(archive).hexdigest(), read_bundle(archive)
        except FileNotFoundError:
            return None
        except BundleRefused as exc:
            log.error("the kept bundle in %s cannot be read, waiting for a new one: %s", self.path, exc)
            return None

    def switch_to(self, incoming: Path) -> dict[str, Page]:
        """Make a received (and synced) archive the run's bundle; BundleRefused leaves the old one."""
        pages = read_bundle(incoming.read_bytes())
        incoming.replace(self.path / "bundle.tar.gz")
        sync_folder(self.path)
        return pages

    def keep_upload(self, incoming: Path, digest: str) -> None:
        """Make a received (and synced) file one that the daemon can fetch."""
        incoming.replace(self.files / digest)
        sync_folder(self.files)

    def upload(self, digest: str) -> Path:
        """Where the upload of this (checked) digest lies, if it is there."""
        return self.files / digest

    def drop_uploads(self, digests: Iterable[str]) -> None:
        """Remove uploads that the daemon has, or refused. What cannot be is looked for again in a while."""
        for digest in digests:
            try:
                (self.files / digest).unlink(missing_ok=True)
            except OSError as exc:
                log.error("an upload that nobody wants cannot be removed: %s", exc)

    def uploads(self) -> dict[str, os.stat_result]:
        """Every upload with its size and age. Others, and the run itself, may be removed meanwhile."""
        found: dict[str, os.stat_result] = {}
        with suppress(FileNotFoundError), os.scandir(self.files) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):
                    found[entry.name] = entry.stat()
        return found

    def stale_uploads(self) -> list[str]:
        """Uploads so old that whoever sent them has given up."""
        oldest = time.time() - UPLOAD_KEPT_S
        return [name for name, entry in self.uploads().items() if entry.st_mtime < oldest]

    def remove(self, aside: Path | None = None) -> None:
        """Take everything of the run off the disk; what was set aside goes to `aside`, if that is given."""
        if aside is not None and self.spool.count_set_aside():
            aside.parent.mkdir(mode=0o700, exist_ok=True)
            self.spool.move_set_aside(aside)
        if self.path.exists():
            shutil.rmtree(self.path)
            sync_folder(self.path.parent)


class House:
    """The router's folder: locked by one process, with one sub-folder for each run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.incoming = folder / "incoming"
        self._runs = folder / "runs"
        self._set_aside = folder / "set_aside"
        self._lock: int | None = None

    def open(self) -> None:
        """Make and lock the folder, clear what was left half received; RouterRefused if it is in use."""
        if self._lock is not None:
            return
        self._runs.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self.close()
            raise RouterRefused(f"another router works in {self.folder}") from None
        shutil.rmtree(self.incoming, ignore_errors=True)
        self.incoming.mkdir(mode=0o700)

    def close(self) -> None:
        """Let another router have the folder."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def run(self, label: str) -> RunFolder:
        """The folder of one run (label checked by the caller)."""
        return RunFolder(self._runs / label)

    def remove(self, label: str, discard: bool) -> None:
        """Take a run off the disk; unless it is to be discarded, not what staff have to look at.

        What is discarded goes also where it was set aside when the run was taken off, maybe long ago.
        """
        aside = self._set_aside / f"{label}-{secrets.token_hex(_ASIDE_BYTES)}"
        self.run(label).remove(None if discard else aside)
        if discard and self._set_aside.exists():
            self._discard_aside(re.compile(rf"{re.escape(label)}-[0-9a-f]{{{2 * _ASIDE_BYTES}}}"))

    def _discard_aside(self, names: re.Pattern[str]) -> None:
        for folder in [*self._set_aside.iterdir()]:
            if names.fullmatch(folder.name):
                shutil.rmtree(folder)
        sync_folder(self._set_aside)

    def labels(self) -> list[str]:
        """The runs that were here before."""
        return sorted(entry.name for entry in self._runs.iterdir() if entry.is_dir() and is_label(entry.name))

    def disk_free(self) -> int:
        """Bytes that can still be written."""
        return shutil.disk_usage(self.folder).free
