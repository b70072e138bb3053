"""The disk under a daemon's store in simulation: it may be full for a while, or fail once.

After a failure nobody knows whether the last transaction is there; here it sometimes is and sometimes is not,
as with a disk whose fsync reports an error.
"""

import functools
import random
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import ParamSpec, TypeVar

import attrs

from ...storage.contract import Storage
from ...storage.errors import StorageFailed, StorageFull
from .stores import OpenStore

P = ParamSpec("P")
T = TypeVar("T")

_WRITING = (
    "add_",
    "arrive",
    "begin_",
    "change_",
    "commit",
    "create_",
    "delete_",
    "ensure_",
    "expire_",
    "finish_",
    "grant",
    "launch_",
    "put_",
    "record_",
    "register_",
    "renew_",
    "reserve",
    "revoke",
    "set_",
    "update_",
)
_READING = frozenset({"reserved_agents", "grants"})
WRITES = frozenset(
    name for name in Storage.__abstractmethods__ if name.startswith(_WRITING) and name not in _READING
)
"""The methods of the contract that need space."""


@attrs.define(eq=False)
class StoreDisk:
    """How the disk is. `open_store` opens a store on it."""

    rng: random.Random
    full: int = 0
    """How many faults fill it at present."""
    failing: bool = False
    """The next write fails, and all that follow in the same life of the daemon."""

    def on(self, open_store: OpenStore) -> OpenStore:
        """The same store, on this disk."""

        @asynccontextmanager
        async def opened() -> AsyncGenerator[Storage, None]:
            self.failing = False  # a new process reads what is there
            async with open_store() as storage:
                for name in sorted(WRITES):
                    setattr(storage, name, self._weak(getattr(storage, name)))
                yield storage

        return opened

    def _weak(self, write: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
        @functools.wraps(write)
        async def written(*args: P.args, **kwargs: P.kwargs) -> T:
            if self.failing:
                if self.rng.random() < 0.5:
                    await write(*args, **kwargs)
                raise StorageFailed("the simulated disk failed")
            if self.full:
                raise StorageFull("the simulated disk is full")
            return await write(*args, **kwargs)

        return written
