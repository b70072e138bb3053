"""A backup: one tar file with a copy of the store and the files that belong to it, made while work goes on.

In it, as in the data folder: `crowdd.db`, `secrets/`, `tasks/`, the `files/` and `rows/` of runs, and the
configuration that lies there. Not in it: routers' folders (pages are deployed anew, what an outbox holds is
still to come), logs, sockets.
"""

import logging
import os
import secrets
import tarfile
from collections.abc import AsyncGenerator, Iterable, Iterator
from contextlib import aclosing, suppress
from pathlib import Path

import trio

from ..storage.sqlite import copy_store
from .added_rows import ROWS_FOLDER
from .disk_use import DATABASE
from .house import House

log = logging.getLogger(__name__)

PIECE_BYTES = 256 * 1024
COPIES = ".backup-*"
CONFIGURATION = ("crowdd.toml", "routers.toml")


class Backup:
    """One backup: the copy of the store lies in the data folder until `pieces` were read."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._copy = house.data / f".backup-{secrets.token_hex(8)}"

    async def begin(self) -> None:
        """Copy and check the store. StorageFull, StorageFailed, StorageRefused: nothing is left behind."""
        await self._house.user_code.off_loop(copy_store, self._house.data / DATABASE, self._copy)

    async def pieces(self) -> AsyncGenerator[bytes]:
        """The tar file, piece by piece; the copy is removed at the end, however that comes. OSError."""
        try:
            async with aclosing(_packed(self._copy, DATABASE)) as packed:
                async for piece in packed:
                    yield piece
            for path in await self._files():
                async with aclosing(_packed(path, str(path.relative_to(self._house.data)))) as packed:
                    async for piece in packed:
                        yield piece
            yield bytes(2 * tarfile.BLOCKSIZE)
        finally:
            self._copy.unlink(missing_ok=True)

    async def _files(self) -> list[Path]:
        """After the copy was made: whatever it refers to is there by now."""
        house, runs = self._house, await self._house.storage.runs()
        folders = [house.data / "secrets"]
        for run in runs:
            rows = house.run_folder(run.id) / ROWS_FOLDER
            folders += [house.task_folder(run.launch_id), house.uploads(run.id), rows]
        settings = [house.data / name for name in CONFIGURATION]
        return await house.user_code.off_loop(_files_of, folders, settings)


def remove_left_copies(data: Path) -> None:
    """Copies that a crash left behind."""
    for copy in data.glob(COPIES):
        copy.unlink(missing_ok=True)


def _files_of(folders: Iterable[Path], files: Iterable[Path]) -> list[Path]:
    return sorted({*filter(Path.is_file, files), *(file for folder in folders for file in _below(folder))})


def _below(folder: Path) -> Iterator[Path]:
    for top, _, names in os.walk(folder):
        for name in names:
            path = Path(top, name)
            if path.is_file() and not path.is_symlink() and not name.startswith("."):  # no unfinished ones
                yield path


async def _packed(path: Path, name: str) -> AsyncGenerator[bytes]:
    """A file as a member of the tar file; nothing if it is gone, as its run may be."""
    with suppress(FileNotFoundError):
        async with await trio.open_file(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            yield _header(name, size)
            left = size
            while left:
                piece = await file.read(min(PIECE_BYTES, left))
                if not piece:
                    raise OSError(f"{path} has become shorter while it was read")
                left -= len(piece)
                yield piece
            yield bytes(-size % tarfile.BLOCKSIZE)


def _header(name: str, size: int) -> bytes:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o600
    return member.tobuf(tarfile.PAX_FORMAT)
