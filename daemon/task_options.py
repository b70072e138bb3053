"""What can be set for a task: the plug-ins there are, and every option of task.toml. Checks nothing."""

from collections.abc import Iterator, Mapping
from importlib.metadata import entry_points
from typing import Any

import attrs

from .options import Option, options_of, summary
from .registry import BrokenPlugIn, Kind, PlugInClass, Registry
from .task_config import DEFAULT_TYPES, RunConfig

TASK_CODE = "task.py"


@attrs.frozen
class PlugInAbout:
    """A plug-in and what can be set in its table of task.toml."""

    kind: Kind
    name: str
    meaning: str
    """One line."""
    origin: str
    """The distribution that brings it, or task.py."""
    options: tuple[Option, ...]
    trouble: str = ""
    """Why it cannot be used, when it cannot."""


def plug_ins(registry: Registry, kind: Kind) -> list[PlugInAbout]:
    """Every plug-in of a kind, by name. One that cannot be loaded is told with its trouble."""
    return [about_plug_in(registry, kind, name) for name in registry.names(kind)]


def about_plug_in(registry: Registry, kind: Kind, name: str) -> PlugInAbout:
    """One plug-in. UnknownPlugIn: says the nearest."""
    try:
        found = registry.find(kind, name)
    except BrokenPlugIn as exc:
        return PlugInAbout(kind, name, "", _distribution(kind, name), (), str(exc))
    options = options_of(found.Options, kind.value)
    return PlugInAbout(kind, name, summary(found), _origin(kind, name, found), options)


def task_options(registry: Registry, chosen: Mapping[Kind, str] | None = None) -> list[Option]:
    """Every option of task.toml, with those of the plug-ins that are `chosen` (else the usual ones).

    UnknownPlugIn, BrokenPlugIn.
    """
    return [*_task_options(registry, {**DEFAULT_TYPES, **(chosen or {})})]


def _task_options(registry: Registry, chosen: Mapping[Kind, str]) -> Iterator[Option]:
    kinds = {kind.value: kind for kind in Kind}
    for option in options_of(RunConfig):
        kind = kinds.get(option.path)
        if kind is None:
            yield option
            continue
        yield _type_option(registry, kind, option)
        yield from options_of(registry.find(kind, chosen[kind]).Options, kind.value)


def _type_option(registry: Registry, kind: Kind, option: Option) -> Option:
    names = ", ".join(f'"{name}"' for name in registry.names(kind))
    default: Any = DEFAULT_TYPES[kind]
    return attrs.evolve(
        option, path=f"{kind.value}.type", type=f"one of {names}", required=False, default=default
    )


def _origin(kind: Kind, name: str, found: PlugInClass) -> str:
    return TASK_CODE if found.__module__.startswith("crowdd_task_") else _distribution(kind, name)


def _distribution(kind: Kind, name: str) -> str:
    for point in entry_points(group=f"crowdd.{kind.value}s", name=name):
        if point.dist is not None:
            return point.dist.name
    return ""
