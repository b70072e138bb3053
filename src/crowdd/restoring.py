"""crowdd storage restore: a backup that `crowdctl backup` wrote becomes the present of a data folder."""

import re
import secrets
import shutil
import tarfile
from datetime import datetime
from pathlib import Path

from .files.durable import settle
from .storage import restore_store
from .storage.errors import StorageRefused

DATABASE = "crowdd.db"
NAMES = re.compile(
    r"crowdd\.db|crowdd\.toml|routers\.toml|secrets/[\w.@-]+"
    r"|tasks/[0-9a-f]{32}/[^\0]+|runs/[0-9]+/(files|rows)/[^/\0]+"
)
PIECE_BYTES = 1024 * 1024


def restore(backup: Path, data: Path) -> Path:
    """Put the backup in place of what is in `data`; returns the folder to which the replaced store went.

    Files that are in `data` already stay as they are: those of a run never change, secrets may be newer.
    StorageRefused, OSError: the store is as it was.
    """
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    unpacked = data / f".restoring-{secrets.token_hex(8)}"
    unpacked.mkdir(mode=0o700)
    try:
        _unpack(backup, unpacked)
        replaced = data / f"replaced-{datetime.now().astimezone():%Y%m%d-%H%M%S}"
        _bring_files(unpacked, data)
        restore_store(unpacked / DATABASE, data / DATABASE, replaced)
        return replaced
    finally:
        shutil.rmtree(unpacked, ignore_errors=True)


def _unpack(backup: Path, into: Path) -> None:
    """Only what a backup of ours holds, regular files alone."""
    try:
        with tarfile.open(backup, "r|") as archive:
            for member in archive:
                _take(archive, member, into)
    except (tarfile.TarError, EOFError) as exc:
        raise StorageRefused(f"{backup} is damaged, or no backup of crowdd: {exc}") from exc
    if not (into / DATABASE).is_file():
        raise StorageRefused(f"{backup} is no backup of crowdd: there is no {DATABASE} in it")


def _take(archive: tarfile.TarFile, member: tarfile.TarInfo, into: Path) -> None:
    parts = member.name.split("/")
    if not member.isfile() or not NAMES.fullmatch(member.name) or not {".", "..", ""}.isdisjoint(parts):
        raise StorageRefused(f"the backup holds {member.name!r:.80}, which no backup of crowdd does")
    path = into.joinpath(*parts)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    content = archive.extractfile(member)
    assert content is not None, "it is a regular file"
    with path.open("xb") as file:
        path.chmod(0o600)
        shutil.copyfileobj(content, file, PIECE_BYTES)


def _bring_files(unpacked: Path, data: Path) -> None:
    for path in sorted(unpacked.rglob("*")):
        relative = path.relative_to(unpacked)
        if path.is_file() and relative != Path(DATABASE) and not (data / relative).exists():
            (data / relative).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            settle(path, data / relative)
