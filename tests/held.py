"""What hangs from an object, counted: for tests that look for what is left of agents who have gone."""

import gc
import sqlite3
from collections import Counter
from types import CoroutineType, FunctionType, ModuleType

CLEARED_BY_THEIR_OWNERS = frozenset({"trio._core._run.Deadlines"})


def held_by(root: object) -> Counter[str]:
    """How many objects can be reached from here, by the names of their classes.

    Not through modules, classes and what functions find by name: those are everybody's. Nor are deadlines of
    cancel scopes that have gone, and a connection's references to cursors that have: trio and sqlite3 drop
    them by themselves, once they are many. Nor is what the calls hold that run now, who counts among them:
    from Python 3.13 on it would be found.
    """
    seen = {id(root): root}  # and kept: an id is one object's as long as that lives
    found, counted = [root], Counter[str]()
    while found:
        holder = found.pop()
        counted[type(holder).__name__] += 1
        for held in _referents(holder):
            if id(held) not in seen and not _is_passed_by(held):
                seen[id(held)] = held
                found.append(held)
    return counted


def _is_passed_by(held: object) -> bool:
    cls = type(held)
    name = f"{cls.__module__}.{cls.__name__}"
    return isinstance(held, ModuleType | type) or name in CLEARED_BY_THEIR_OWNERS


def _referents(holder: object) -> list[object]:
    if isinstance(holder, sqlite3.Connection):
        return [getattr(holder, "__dict__", None)]  # of ours; not its references to cursors
    if isinstance(holder, FunctionType):
        return [holder.__closure__, holder.__defaults__, holder.__kwdefaults__]
    if isinstance(holder, CoroutineType) and holder.cr_running:
        return []
    return gc.get_referents(holder)
