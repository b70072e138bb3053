"""A task's folder: unpacked safely, copied whole, its code loaded. Standard library only.

Everything here blocks; the daemon calls it in a thread.
"""

import gzip
import io
import itertools
import os
import shutil
import sys
import tarfile
import traceback
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path, PurePosixPath
from types import CodeType, ModuleType
from typing import IO

from ..files.durable import sync_folder

TASK_FILES_MAX = 10_000  # a task is data and pages; more files than this is a wrong folder
TASK_UNPACKED_BYTES_MAX = 1024 * 1024 * 1024  # room for images to label, but a disk is finite
NAME_BYTES_MAX = 255  # what file systems take
CODE_NAME = "task.py"
LEFT_OUT = frozenset({".git", "__pycache__", ".venv", "node_modules", ".DS_Store"})

_numbers = itertools.count(1)


class TaskRefused(Exception):
    """The folder or archive is not one that we take; says the path and why."""


class TaskCodeFailed(Exception):
    """task.py could not be loaded; holds the traceback as text."""


def copy_task(folder: Path, copy: Path) -> None:
    """Copy the folder as the new folder `copy`, which is complete and fsynced, or not there.

    Only regular files, none of tools, within limits. TaskRefused, OSError.
    """
    if not folder.is_dir():
        raise TaskRefused(f"{folder}: is not a folder")
    with _open_new(copy) as part:
        for path in _files_of(folder):
            with path.open("rb") as content:
                _write(content, part / _safe_name(path.relative_to(folder).as_posix()))


def unpack_task(archive: Path, folder: Path) -> None:
    """Unpack a tar.gz as the new folder `folder`, which is complete and fsynced, or not there.

    Only regular files and folders, only inside `folder`, within limits. TaskRefused, OSError.
    """
    with _open_new(folder) as part:
        _unpack(archive, part)


def path_inside(folder: Path, name: str | Path) -> Path:
    """The file `name` of the folder. TaskRefused when it is not in it, by its name or by a link."""
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise TaskRefused(f"{name}: is outside the task's folder")
    return path


def load_task_code(folder: Path) -> ModuleType | None:
    """Run the folder's task.py as a module of its own name; None when there is none. TaskCodeFailed.

    The module is a package: `from . import helpers` finds helpers.py beside it.
    """
    path = folder / CODE_NAME
    if not path.is_file():
        return None
    name = f"crowdd_task_{next(_numbers)}"
    spec = spec_from_file_location(
        name, path, loader=_TaskLoader(name, str(path)), submodule_search_locations=[str(folder)]
    )
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException as exc:
        # The boundary to the author's code: whatever it raises fails this task alone, also what is no
        # `Exception`, as SystemExit and asyncio.CancelledError are.
        unload_task_code(module)
        raise TaskCodeFailed(_told(exc)) from exc
    return module


def unload_task_code(module: ModuleType) -> None:
    """Forget the module and those it imported from beside it; what it defined lives on where it is held."""
    for name in [*sys.modules]:
        if name == module.__name__ or name.startswith(f"{module.__name__}."):
            del sys.modules[name]


class _TaskLoader(SourceFileLoader):
    """Always compiles the source: a stale or foreign __pycache__ never speaks for it."""

    def get_code(self, fullname: str) -> CodeType:
        return self.source_to_code(self.get_data(self.path), self.path)


class _Bounded(io.RawIOBase):
    """Reads at most so many bytes of a decompressed stream: a few KiB of gzip can unpack to gigabytes."""

    def __init__(self, source: gzip.GzipFile, limit: int) -> None:
        self._source = source
        self._left = limit

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        piece = self._source.read(size)
        self._left -= len(piece)
        if self._left < 0:
            raise TaskRefused(f"the archive unpacks to more than {TASK_UNPACKED_BYTES_MAX} bytes")
        return piece


def _told(exc: BaseException) -> str:
    """The traceback from the author's own first line on."""
    frames = exc.__traceback__
    while frames is not None and not frames.tb_frame.f_code.co_filename.endswith(CODE_NAME):
        frames = frames.tb_next
    return "".join(traceback.format_exception(type(exc), exc, frames)).rstrip()


def _files_of(folder: Path) -> Iterator[Path]:
    """Every regular file, in one order. TaskRefused for links, devices and too much of anything."""
    files = size = 0
    for path in sorted(folder.rglob("*")):
        shown = path.relative_to(folder)
        if LEFT_OUT & set(shown.parts):
            continue
        if path.is_symlink():
            raise TaskRefused(f"{shown}: is a link; put the file itself there")
        if path.is_dir():
            continue
        if not path.is_file():
            raise TaskRefused(f"{shown}: is neither a file nor a folder")
        files, size = files + 1, size + path.stat().st_size
        if files > TASK_FILES_MAX:
            raise TaskRefused(f"{folder}: has more than {TASK_FILES_MAX} files")
        if size > TASK_UNPACKED_BYTES_MAX:
            raise TaskRefused(f"{folder}: has more than {TASK_UNPACKED_BYTES_MAX} bytes")
        yield path


@contextmanager
def _open_new(folder: Path) -> Generator[Path]:
    """Where a new folder is filled, which gets its name when the block is left without an error."""
    if folder.exists():
        raise TaskRefused(f"{folder.name}: is there already")
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(mode=0o700)
    try:
        yield part
        for path in [part, *part.rglob("*")]:
            if path.is_dir():
                sync_folder(path)
        part.rename(folder)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    sync_folder(folder.parent)


def _unpack(archive: Path, folder: Path) -> None:
    try:
        with gzip.open(archive) as unzipped:
            bounded = _Bounded(unzipped, TASK_UNPACKED_BYTES_MAX)
            with tarfile.open(fileobj=bounded, mode="r|") as tar:
                for number, member in enumerate(tar, start=1):
                    if number > TASK_FILES_MAX:
                        raise TaskRefused(f"the archive has more than {TASK_FILES_MAX} files")
                    _unpack_member(tar, member, folder)
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError) as exc:
        raise TaskRefused(f"the archive is not a whole tar.gz: {exc}") from exc


def _unpack_member(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    path = folder / _safe_name(member.name)
    if member.isdir():
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return
    if member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) or member.issparse():
        raise TaskRefused(f"{member.name!r}: only regular files and folders are taken")
    content = tar.extractfile(member)
    assert content is not None
    try:
        _write(content, path)
    except (FileExistsError, NotADirectoryError) as exc:
        raise TaskRefused(f"{member.name!r}: is in the archive twice") from exc


def _write(content: IO[bytes], path: Path) -> None:
    """A new file, on disk, and the folders it stands in."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("xb") as out:
        shutil.copyfileobj(content, out)
        out.flush()
        os.fsync(out.fileno())


def _safe_name(name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise TaskRefused(f"{name!r}: leads out of the folder")
    if not name.isprintable() or "\\" in name:
        raise TaskRefused(f"{name!r}: has characters that no file name should have")
    if any(len(part.encode(errors="surrogateescape")) > NAME_BYTES_MAX for part in path.parts):
        raise TaskRefused(f"{name[:60]!r}...: is longer than {NAME_BYTES_MAX} bytes")
    return path
