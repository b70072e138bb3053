"""Which blueprints, architects and crowd providers there are, by name.

Found from entry points (`crowdd.blueprints`, `crowdd.architects`, `crowdd.providers`) when first asked for,
and from a run's own `task.py`, for that run only.
"""

import enum
import inspect
import traceback
from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from types import ModuleType
from typing import Any

import attrs

from .architects.contract import Architect
from .blueprints.contract import Blueprint
from .providers.contract import CrowdProvider
from .structuring import nearest

PlugInClass = type[Blueprint] | type[Architect] | type[CrowdProvider]


class Kind(enum.Enum):
    """The three kinds of plug-in; the value names the table of task.toml and the entry points."""

    BLUEPRINT = "blueprint"
    ARCHITECT = "architect"
    PROVIDER = "provider"


_BASES: dict[Kind, type] = {
    Kind.BLUEPRINT: Blueprint,
    Kind.ARCHITECT: Architect,
    Kind.PROVIDER: CrowdProvider,
}


class UnknownPlugIn(LookupError):
    """No plug-in has this name; says the nearest that has one."""


class BrokenPlugIn(Exception):
    """The plug-in is there, but cannot be loaded or is none; says why."""


@attrs.frozen(eq=False)
class Registry:
    """Plug-ins by kind and name; each is loaded when it is asked for."""

    _loaders: Mapping[Kind, Mapping[str, Callable[[], Any]]]
    of_task: bool = False
    """Whether some are a task.py's own: they go with their run, and nobody else may keep them."""

    def names(self, kind: Kind) -> list[str]:
        """Every name of the kind, sorted."""
        return sorted(self._loaders[kind])

    def blueprint(self, name: str) -> type[Blueprint]:
        """UnknownPlugIn, BrokenPlugIn."""
        found: type[Blueprint] = self._load(Kind.BLUEPRINT, name)
        return found

    def architect(self, name: str) -> type[Architect]:
        """UnknownPlugIn, BrokenPlugIn."""
        found: type[Architect] = self._load(Kind.ARCHITECT, name)
        return found

    def provider(self, name: str) -> type[CrowdProvider]:
        """UnknownPlugIn, BrokenPlugIn."""
        found: type[CrowdProvider] = self._load(Kind.PROVIDER, name)
        return found

    def find(self, kind: Kind, name: str) -> PlugInClass:
        """The class of this kind and name. UnknownPlugIn, BrokenPlugIn."""
        match kind:
            case Kind.BLUEPRINT:
                return self.blueprint(name)
            case Kind.ARCHITECT:
                return self.architect(name)
            case Kind.PROVIDER:
                return self.provider(name)

    def with_task_code(self, module: ModuleType | None) -> "Registry":
        """This registry and the plug-in classes that a task.py defines; those win over installed ones."""
        if module is None:
            return self
        own = _defined_in(module)
        if not any(own.values()):
            return self
        return Registry({kind: {**loaders, **own[kind]} for kind, loaders in self._loaders.items()}, True)

    def _load(self, kind: Kind, name: str) -> Any:
        loaders = self._loaders[kind]
        if name not in loaders:
            raise UnknownPlugIn(f"there is no {kind.value} {name!r}; {nearest(name, loaders)}")
        try:
            found = loaders[name]()
        except Exception as exc:
            # The boundary to foreign code: whatever its import raises is about this plug-in alone.
            said = "".join(traceback.format_exception_only(exc)).strip()
            raise BrokenPlugIn(f"the {kind.value} {name!r} cannot be loaded: {said}") from exc
        return _checked(found, _BASES[kind], name)


def installed_plug_ins() -> Registry:
    """Everything that installed distributions offer, ours included."""
    every = entry_points()  # reads the folder of every distribution: once is enough
    return Registry(
        {
            kind: {point.name: point.load for point in every.select(group=f"crowdd.{kind.value}s")}
            for kind in Kind
        }
    )


def _checked(found: Any, base: type, name: str) -> Any:
    if not (isinstance(found, type) and issubclass(found, base)):
        raise BrokenPlugIn(f"{name!r} is no {base.__name__}: {found!r}")
    if inspect.isabstract(found):
        missing = ", ".join(sorted(getattr(found, "__abstractmethods__", ())))
        raise BrokenPlugIn(f"{found.__name__} ({name!r}) lacks {missing}")
    if not attrs.has(getattr(found, "Options", object)):
        raise BrokenPlugIn(f"{found.__name__} ({name!r}) needs `Options`, a frozen attrs class")
    return found


def _defined_in(module: ModuleType) -> dict[Kind, dict[str, Callable[[], Any]]]:
    own: dict[Kind, dict[str, Callable[[], Any]]] = {kind: {} for kind in Kind}
    for value in vars(module).values():
        if not isinstance(value, type) or not value.__module__.startswith(module.__name__):
            continue
        kind = _kind_of(value)
        if kind is not None and not inspect.isabstract(value):
            _add(own[kind], kind, value)
    return own


def _kind_of(found: type) -> Kind | None:
    for kind, base in _BASES.items():
        if issubclass(found, base):
            return kind
    return None


def _add(own: dict[str, Callable[[], Any]], kind: Kind, found: type) -> None:
    name = getattr(found, "name", None)
    if not isinstance(name, str) or not name:
        raise BrokenPlugIn(f"{found.__name__} needs `name`, what [{kind.value}] type calls it")
    if name in own:
        raise BrokenPlugIn(f"two classes of task.py are the {kind.value} {name!r}; rename {found.__name__}")
    own[name] = lambda: found
