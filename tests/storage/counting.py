"""Counts how often storage is asked: each call is a thread's turn, each write may wait for the disk."""

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from crowdd.storage.contract import Storage


def counted(storage: Storage) -> Counter[str]:
    """Counts the calls of the contract's methods from now on, by name."""
    calls: Counter[str] = Counter()

    def counting(name: str, call: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def count(*args: Any, **kwargs: Any) -> Any:
            calls[name] += 1
            return await call(*args, **kwargs)

        return count

    for name in Storage.__abstractmethods__:
        setattr(storage, name, counting(name, getattr(storage, name)))
    return calls
