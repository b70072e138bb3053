"""The baseline of durable transactions: one thread call and one commit for each, the same statements."""

import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

import trio

from crowdd.storage.sqlite.ask import Db, settle
from crowdd.storage.sqlite.engine import Engine

P = ParamSpec("P")
T = TypeVar("T")


class ThreadCalls(Engine):
    """Runs each function in a thread of trio's, one at a time, on one connection."""

    epoch = 0

    def __init__(self, path: Path) -> None:
        """The database must be there."""
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, factory=Db)
        self._db.execute("PRAGMA journal_mode = WAL").fetchone()
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute("PRAGMA foreign_keys = ON")
        self._turn = trio.CapacityLimiter(1)

    async def write(self, function: Callable[Concatenate[Db, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        call = partial(function, self._db, *args, **kwargs)
        return await trio.to_thread.run_sync(self._transact, call, limiter=self._turn)

    async def read(self, function: Callable[Concatenate[Db, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        call = partial(function, self._db, *args, **kwargs)
        return await trio.to_thread.run_sync(call, limiter=self._turn)

    def _transact(self, call: Callable[[], T]) -> T:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            value = call()
            settle(self._db)
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")
        return value

    def close(self) -> None:
        """Nothing can be asked afterwards."""
        self._db.close()
