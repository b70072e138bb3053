"""What is left of a task's config without its faults: enough to look at data and pages, too. Pure."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, cast

import attrs

from .registry import Registry
from .task_config import ConfigRefused, RunConfig
from .task_structuring import structure_config

NAMELESS = "task"


@attrs.frozen
class Rest:
    """A config in which what was wrong is left out, and the top keys of which that is true."""

    config: RunConfig
    faulty: frozenset[str] = frozenset()

    def holds(self, *keys: str) -> bool:
        """Whether nothing was wrong below these keys."""
        return self.faulty.isdisjoint(keys)


def rest_of(document: Mapping[str, Any], registry: Registry, faults: Iterable[str]) -> Rest | None:
    """The document without the keys that the faults ("path: reason") are about; None: not even that."""
    paths = [re.split(r"[.\[]", fault.partition(":")[0]) for fault in faults]
    left = {"name": NAMELESS, **_without(document, paths)}
    try:
        config = structure_config(left, registry)
    except ConfigRefused:
        return None
    return Rest(config, frozenset(path[0] for path in paths if not _is_stray(path, config)))


def _without(document: Mapping[str, Any], paths: list[list[str]]) -> dict[str, Any]:
    left = {**document}
    for top, *below in paths:
        inner = left.get(top)
        if below and isinstance(inner, dict):
            table = cast(dict[str, Any], inner)
            left[top] = {key: value for key, value in table.items() if key != below[0]}
        else:
            left.pop(top, None)
    return left


def _is_stray(path: list[str], config: RunConfig) -> bool:
    """Whether a fault is about a key that nobody reads: all that is read is as it was written."""
    top, *below = path
    chosen: Any = getattr(config, top, None)
    options: Any = getattr(chosen, "options", chosen)
    if not below or not attrs.has(options.__class__):
        return False
    return below[0] not in {"type", *(field.name for field in attrs.fields(options.__class__))}
