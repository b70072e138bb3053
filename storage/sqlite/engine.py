"""The two ways to run functions on SQLite: on threads of their own, or inline in the caller's task."""

import abc
import functools
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

import trio

from .ask import Db
from .commit import Job, read_together
from .connecting import HeldWriter, OnStep, open_reader, open_writer
from .lane import Lane, open_lane

BATCH_MAX = 256
"""Transactions that share a commit, short reads that share a snapshot: the first waits for the last."""
READERS = 2  # slow reads (exports, lists) at the same time; more would only compete for two or four cores

P = ParamSpec("P")
T = TypeVar("T")
OnCommit = Callable[[int, float], None]
"""Hears how many transactions shared a commit, and how many seconds it took."""


class Engine(abc.ABC):
    """Runs functions that take a connection; each call of `write` is a transaction."""

    epoch: int

    @property
    def failed(self) -> str | None:
        """Why nothing can be written any more, as every later `write` says; None: it can."""
        return None

    @abc.abstractmethod
    async def write(self, function: Callable[Concatenate[Db, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run and commit; what the function raises rolls it back. It may run twice: see `commit`."""

    @abc.abstractmethod
    async def read(self, function: Callable[Concatenate[Db, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run on one snapshot. It finds a few rows by an index: whoever reads next waits for it."""

    async def read_long(
        self, function: Callable[Concatenate[Db, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """The same for what may find many rows: no short read waits for it."""
        return await self.read(function, *args, **kwargs)


class Threads(Engine):
    """One thread writes, with all that is queued in one commit; one reads what is short, all that is queued
    on one snapshot; others read what may be long.
    """

    def __init__(self, writer: Lane[HeldWriter], reader: Lane[Db], long_readers: Lane[Db]) -> None:
        self._writer = writer
        self._reader = reader
        self._long_readers = long_readers
        self.epoch = writer.resources[0].epoch

    @property
    def failed(self) -> str | None:
        return self._writer.resources[0].failed

    async def write(self, function: Callable[Concatenate[Db, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        value: T = await self._writer.run(_bind(function, *args, **kwargs))
        return value

    async def read(self, function: Callable[Concatenate[Db, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        value: T = await self._reader.run(_bind(function, *args, **kwargs))
        return value

    async def read_long(
        self, function: Callable[Concatenate[Db, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        value: T = await self._long_readers.run(_bind(function, *args, **kwargs))
        return value


class Inline(Engine):
    """Everything in the caller's task, after one checkpoint: for simulation under a virtual clock."""

    def __init__(self, writer: HeldWriter) -> None:
        self._writer = writer
        self.epoch = writer.epoch

    @property
    def failed(self) -> str | None:
        return self._writer.failed

    async def write(self, function: Callable[Concatenate[Db, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        await trio.lowlevel.checkpoint()
        job = Job(_bind(function, *args, **kwargs))
        self._writer.carry_out([job])
        value: T = job.result()
        return value

    async def read(self, function: Callable[Concatenate[Db, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        await trio.lowlevel.checkpoint()
        job = Job(_bind(function, *args, **kwargs))
        read_together(self._writer.db, [job])
        value: T = job.result()
        return value


@asynccontextmanager
async def open_threads(
    path: Path, on_commit: OnCommit | None = None, on_step: OnStep | None = None
) -> AsyncGenerator[Threads]:
    """Open the file on a writing thread and reading threads. StorageRefused when it may not be opened."""
    carry_out = HeldWriter.carry_out if on_commit is None else functools.partial(_timed, on_commit)
    async with (
        open_lane(
            functools.partial(open_writer, path, on_step),
            carry_out,
            name="storage-writer",
            threads=1,
            batch_max=BATCH_MAX,
        ) as writer,
        # Inside the writer's lane: the readers close first, so the writer's close does the last checkpoint.
        _open_readers(path, "storage-reader", threads=1, batch_max=BATCH_MAX) as reader,
        _open_readers(path, "storage-long-reader", threads=READERS, batch_max=1) as long_readers,
    ):
        yield Threads(writer, reader, long_readers)


def _open_readers(
    path: Path, name: str, *, threads: int, batch_max: int
) -> AbstractAsyncContextManager[Lane[Db]]:
    open_one = functools.partial(open_reader, path)
    return open_lane(open_one, read_together, name=name, threads=threads, batch_max=batch_max)


@asynccontextmanager
async def open_inline(path: Path | None) -> AsyncGenerator[Inline]:
    """Open the file, or for None a database in memory, in the caller's own task."""
    writer = open_writer(path)
    try:
        yield Inline(writer)
    finally:
        writer.close()


def _timed(on_commit: OnCommit, writer: HeldWriter, jobs: Sequence[Job]) -> None:
    began = time.monotonic()
    writer.carry_out(jobs)
    on_commit(len(jobs), time.monotonic() - began)


def _bind(function: Callable[Concatenate[Db, P], T], *args: P.args, **kwargs: P.kwargs) -> Callable[[Db], T]:
    return lambda db: function(db, *args, **kwargs)
