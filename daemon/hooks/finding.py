"""Finds the hooks of a run: functions of its task.py, methods of its own blueprint class. Calls nothing."""

import inspect
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import attrs

from ..blueprints.contract import Blueprint
from ..function_shapes import misspelt, takes
from .names import HOOKS, HookName


@attrs.frozen
class Found:
    """The hooks of a run, and what is wrong or odd about them."""

    functions: Mapping[HookName, Callable[..., Any]]
    faults: tuple[str, ...] = ()
    """What can only be a mistake: the task is refused."""
    warnings: tuple[str, ...] = ()
    """What may be meant so: `crowdd check` says it."""


def find_hooks(module: ModuleType | None, blueprint: Blueprint | None, sections: frozenset[str]) -> Found:
    """The hooks of a run that has these of the sections onboarding, screening and gold."""
    functions: dict[HookName, Callable[..., Any]] = {}
    faults: list[str] = []
    for hook in HookName:
        own, method = _function(module, hook), _method(blueprint, hook)
        found = own or method
        if found is None:
            continue
        functions[hook] = found
        faults += _faults(hook, found, sections)
        if own is not None and method is not None:
            faults.append(f"task.py: {hook.value} is there twice: by itself and in the blueprint; keep one")
    return Found(functions, tuple(faults), tuple(_misspelt(module)))


def _function(module: ModuleType | None, hook: HookName) -> Callable[..., Any] | None:
    found = None if module is None else vars(module).get(hook.value)
    return found if callable(found) else None


def _method(blueprint: Blueprint | None, hook: HookName) -> Callable[..., Any] | None:
    """`init_data` is every blueprint's own method, of another form: it is no hook."""
    if blueprint is None or hook is HookName.INIT_DATA:
        return None
    found = getattr(blueprint, hook.value, None)
    return found if callable(found) else None


def _faults(hook: HookName, function: Callable[..., Any], sections: frozenset[str]) -> list[str]:
    what, faults = HOOKS[hook], list[str]()
    if what.section is not None and what.section not in sections:
        faults.append(
            f"task.py: {hook.value} would never be asked: task.toml has no [{what.section}]; "
            "add the section or delete the function"
        )
    if not takes(function, len(what.takes)):
        call = f"{hook.value}({', '.join(what.takes)})"
        faults.append(f"task.py: {hook.value} is called as {call}; write it so")
    return faults


def _misspelt(module: ModuleType | None) -> list[str]:
    """Functions of task.py that no hook is called like, but nearly."""
    names = (
        [] if module is None else [name for name, value in vars(module).items() if inspect.isfunction(value)]
    )
    return [
        f"task.py: {name} is no hook and never asked; did you mean {near}?"
        for name, near in misspelt(names, [hook.value for hook in HookName])
    ]
