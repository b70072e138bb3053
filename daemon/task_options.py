"""What can be set for a task: the plug-ins there are, and every option of task.toml. Checks nothing."""

from collections.abc import Iterator, Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import attrs

from .options import Option, options_of, summary
from .parts import task_code
from .registry import BrokenPlugIn, Kind, PlugInClass, Registry, UnknownPlugIn
from .task_config import DEFAULT_TYPES, ConfigRefused, RunConfig
from .task_folder import CODE_NAME, TaskCodeFailed
from .task_toml import CONFIG_NAME, read_document


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


@attrs.frozen
class FolderOptions:
    """What can be set for one task."""

    options: tuple[Option, ...]
    """Of its task.toml, with those of the plug-ins that it chose."""
    own: tuple[PlugInAbout, ...]
    """The plug-ins that its task.py brings."""


def folder_options(registry: Registry, folder: Path) -> FolderOptions:
    """What can be set for the task in `folder`. ConfigRefused. Blocking; runs its task.py."""
    document, _ = read_document(folder, {})
    try:
        code = task_code(registry, folder)
        try:
            options = task_options(code.registry, dict(_chosen(document)))
            about = [plug_in for kind in Kind for plug_in in plug_ins(code.registry, kind)]
        finally:
            code.forget()
    except (TaskCodeFailed, BrokenPlugIn, UnknownPlugIn) as exc:
        raise ConfigRefused(
            [f"{CODE_NAME if isinstance(exc, TaskCodeFailed) else CONFIG_NAME}: {exc}"]
        ) from exc
    return FolderOptions(tuple(options), tuple(one for one in about if one.origin == CODE_NAME))


def _chosen(document: Mapping[str, Any]) -> Iterator[tuple[Kind, str]]:
    for kind in Kind:
        match document.get(kind.value):
            case {"type": str(name)}:
                yield kind, name
            case _:
                pass


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
    return CODE_NAME if found.__module__.startswith("crowdd_task_") else _distribution(kind, name)


def _distribution(kind: Kind, name: str) -> str:
    for point in entry_points(group=f"crowdd.{kind.value}s", name=name):
        if point.dist is not None:
            return point.dist.name
    return ""
