"""A task folder as a tar.gz: regular files only, none of tools; the same folder gives the same bytes."""

import gzip
import os
import tarfile
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from .errors import TaskFolderRefused

ARCHIVE_BYTES_MAX = 64 * 1024 * 1024  # what the daemon takes
FOLDER_BYTES_MAX = 1024 * 1024 * 1024
FILES_MAX = 10_000
LEFT_OUT = frozenset(
    {".git", ".hg", ".svn", ".jj", "__pycache__", ".venv", "node_modules", ".DS_Store", "crowdd-data"}
)
"""What tools (and a daemon started in the folder) leave behind, never part of a task."""
CONFIG_FILE = "task.toml"


@contextmanager
def packed_task(folder: Path, archive_bytes_max: int = ARCHIVE_BYTES_MAX) -> Generator[IO[bytes]]:
    """The packed folder as an open file at its beginning. TaskFolderRefused."""
    if not folder.is_dir():
        raise TaskFolderRefused(f"{folder} is not a folder.", f"Name the folder that holds {CONFIG_FILE}.")
    if not (folder / CONFIG_FILE).is_file():
        raise TaskFolderRefused(
            f"{folder} holds no {CONFIG_FILE}.", "A task is a folder with a task.toml, its data and its page."
        )
    files = _files_of(folder)
    with tempfile.TemporaryFile(prefix="crowdctl-") as archive:
        _pack(files, archive)
        size = archive.tell()
        if size > archive_bytes_max:
            raise _too_much(f"{folder} packs to {_mib(size)}; at most {_mib(archive_bytes_max)}.", files)
        archive.seek(0)
        yield archive


def _files_of(folder: Path) -> list[tuple[str, Path, int]]:
    """(name in the archive, path, size) of all files, in order."""
    files: list[tuple[str, Path, int]] = []
    for at, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in LEFT_OUT)
        for name in sorted(names):
            if name not in LEFT_OUT and not name.endswith(".pyc"):
                path = Path(at, name)
                files.append((path.relative_to(folder).as_posix(), path, _size(path)))
        _refuse_links(Path(at), folders)
    total = sum(size for _, _, size in files)
    if total > FOLDER_BYTES_MAX:
        raise _too_much(f"{folder} holds {_mib(total)}; at most {_mib(FOLDER_BYTES_MAX)}.", files)
    if len(files) > FILES_MAX:
        raise TaskFolderRefused(
            f"{folder} holds {len(files)} files; at most {FILES_MAX}.", "Does it hold more than the task?"
        )
    return files


def _refuse_links(at: Path, folders: list[str]) -> None:
    for name in folders:
        if (at / name).is_symlink():
            raise _irregular(at / name)


def _size(path: Path) -> int:
    if path.is_symlink() or not path.is_file():
        raise _irregular(path)
    return path.stat().st_size


def _irregular(path: Path) -> TaskFolderRefused:
    what = "a symbolic link" if path.is_symlink() else "not a regular file"
    return TaskFolderRefused(
        f"{path} is {what}: only regular files can be sent.", "Replace it by a copy, or move it."
    )


def _pack(files: list[tuple[str, Path, int]], into: IO[bytes]) -> None:
    with (
        gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=into, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w|", format=tarfile.PAX_FORMAT) as archive,
    ):
        for name, path, _ in files:
            with path.open("rb") as file:
                entry = tarfile.TarInfo(name)
                entry.size = os.fstat(file.fileno()).st_size
                entry.mode = 0o644
                archive.addfile(entry, file)


def _too_much(message: str, files: list[tuple[str, Path, int]]) -> TaskFolderRefused:
    largest = sorted(files, key=lambda file: -file[2])[:3]
    named = ", ".join(f"{name} ({_mib(size)})" for name, _, size in largest)
    return TaskFolderRefused(message, f"Largest: {named}.")


def _mib(size: int) -> str:
    return f"{size / 1024 / 1024:.1f} MiB"
