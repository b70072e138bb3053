"""crowdd storage restore: a backup that `crowdctl backup` wrote becomes the present of a data folder."""

import errno
import os
import re
import secrets
import shutil
import tarfile
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from .files.durable import settle
from .storage import restore_store
from .storage.errors import StorageFailed, StorageRefused

DATABASE = "crowdd.db"
NAMES = re.compile(
    r"crowdd\.db|crowdd\.toml|routers\.toml|secrets/[\w.@-]+"
    r"|tasks/[0-9a-f]{32}/[^\0]+|runs/[0-9]+/(files|rows)/[^/\0]+"
)
PIECE_BYTES = 1024 * 1024


def restore(backup: Path, data: Path) -> Path | None:
    """Put the backup in place of what is in `data`; returns where the replaced store went, if any.

    Files that are in `data` already stay as they are: those of a run never change, secrets may be newer.
    StorageRefused: the store is as it was. StorageFailed: it says where what it held is, and what to do next.
    """
    replaced = data / f"replaced-{datetime.now().astimezone():%Y%m%d-%H%M%S}"
    with _opened(backup) as file:
        try:
            _restore(backup, file, data, replaced)
        except (OSError, StorageFailed) as exc:
            raise StorageFailed(_failure(exc, backup, data, replaced)) from exc
    return replaced if replaced.exists() else None


def _opened(backup: Path) -> BinaryIO:
    try:
        return backup.open("rb")
    except OSError as exc:
        raise StorageRefused(
            f"the backup {backup} cannot be read: {exc.strerror or exc}. Nothing was changed. "
            "Name a file that `crowdctl backup` wrote, as a user who may read it"
        ) from exc


def _failure(exc: OSError | StorageFailed, backup: Path, data: Path, replaced: Path) -> str:
    """What failed, where all is now, and what helps."""
    why = exc.__cause__ if isinstance(exc, StorageFailed) and exc.__cause__ is not None else exc
    safe = f"is in {replaced}" if replaced.exists() else "stays as it was"
    return (
        f"{backup} could not be restored into {data}: {_in_words(why)}. "
        f"What was there {safe}, and the backup is as it was. {_remedy(why, backup)}, and run this again"
    )


def _in_words(why: BaseException) -> str:
    if not isinstance(why, OSError) or why.strerror is None:
        return str(why)
    return why.strerror if why.filename is None else f"{why.filename}: {why.strerror}"


def _remedy(why: BaseException, backup: Path) -> str:
    match getattr(why, "errno", None):
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return f"Become who may write there (this is uid {os.geteuid()}), or choose another --data"
        case errno.ENOSPC | errno.EDQUOT:
            return f"Make room there for {backup.stat().st_size / 1e6:.1f} MB, or choose another --data"
        case errno.ENOENT | errno.ENOTDIR | errno.EEXIST | errno.ENAMETOOLONG:
            return "Choose a --data whose folder can be made"
        case _:
            return "Look at the disk, or choose a --data on another one"


def _restore(backup: Path, file: BinaryIO, data: Path, replaced: Path) -> None:
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    unpacked = data / f".restoring-{secrets.token_hex(8)}"
    unpacked.mkdir(mode=0o700)
    try:
        _unpack(backup, file, unpacked)
        _bring_files(unpacked, data)
        restore_store(unpacked / DATABASE, data / DATABASE, replaced)
    finally:
        shutil.rmtree(unpacked, ignore_errors=True)


def _unpack(backup: Path, file: BinaryIO, into: Path) -> None:
    """Only what a backup of ours holds, regular files alone."""
    try:
        with tarfile.open(fileobj=file, mode="r|") as archive:
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
