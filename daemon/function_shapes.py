"""What can be told of an author's function without calling it: what it takes, whether it waits, its name."""

import difflib
import inspect
from collections.abc import Callable, Collection, Iterable
from typing import Any

NEAR = 0.85  # how alike a name must be to be taken for a misspelt one


def takes(function: Callable[..., Any], count: int) -> bool:
    """Whether it can be called with so many arguments."""
    try:
        inspect.signature(function).bind(*[None] * count)
    except TypeError:
        return False
    except ValueError:  # one of Python's own, which has no signature to look at
        return True
    return True


def is_async(function: Callable[..., Any]) -> bool:
    """Whether it is an `async def` that returns once; also an object with such a `__call__`."""
    return any(map(inspect.iscoroutinefunction, (function, type(function).__call__)))


def has_yield(function: Callable[..., Any]) -> bool:
    """Whether calling it makes a generator, async or not."""
    return inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function)


def near_name(name: str, known: Iterable[str]) -> str | None:
    """The known name that this one was probably meant to be."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=NEAR)
    return near[0] if near else None


def misspelt(names: Collection[str], known: Collection[str]) -> list[tuple[str, str]]:
    """Names that are nearly a known one which is not among them: (name, known one)."""
    pairs = ((name, near_name(name, known)) for name in names if name not in known)
    return [(name, near) for name, near in pairs if near is not None and near not in names]
