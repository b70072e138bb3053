"""The author's code that runs while workers work: found by its names, and judged. Nothing is called.

It is in task.py, or in a blueprint class of the author's own as attributes of the same names.
"""

import enum
import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

import attrs

from ...protocol.names import PieceKind
from ..function_shapes import has_yield, is_async, misspelt, near_name, takes
from .contract import Blueprint

FUNCTION_NAME_CHARACTERS_MAX = 100  # it crosses the wire with every call


class CodeName(enum.Enum):
    """What an author may write for a live task."""

    RUN_UNIT = "run_unit"
    RUN_ASSIGNMENT = "run_assignment"
    RUN_ONBOARDING = "run_onboarding"
    FUNCTIONS = "functions"
    SIMULATED_PARTNER = "simulated_partner"


PLAYS: Mapping[CodeName, tuple[str, ...]] = {
    CodeName.RUN_UNIT: ("unit", "agent"),
    CodeName.RUN_ASSIGNMENT: ("assignment", "group"),
    CodeName.RUN_ONBOARDING: ("agent",),
    CodeName.SIMULATED_PARTNER: ("partner",),
}
"""The coroutine functions, and what each is called with."""

PIECES: Mapping[PieceKind, CodeName] = {
    PieceKind.UNIT: CodeName.RUN_UNIT,
    PieceKind.ASSIGNMENT: CodeName.RUN_ASSIGNMENT,
    PieceKind.ONBOARDING: CodeName.RUN_ONBOARDING,
}
"""Which of them accompanies which piece of live work."""


@attrs.frozen
class Found:
    """One of the names, as the author wrote it."""

    where: str
    """For messages: "task.py: run_unit"."""
    value: Any


@attrs.frozen
class AuthorCode:
    """Which of the names the author wrote, and what is wrong with how they stand there."""

    found: Mapping[CodeName, Found]
    twice: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    """Other functions and tables beside them, which may be misspelt ones."""

    def play(self, name: CodeName) -> Any:
        """The coroutine function of this name; None: there is none."""
        found = self.found.get(name)
        return None if found is None else found.value

    def functions(self) -> Mapping[str, Callable[..., Any]]:
        """The named functions; empty without any."""
        return cast(Mapping[str, Callable[..., Any]], self.play(CodeName.FUNCTIONS) or {})


@attrs.frozen
class Uses:
    """What a blueprint calls of the author's code, as the task is configured."""

    needed: Mapping[CodeName, str] = attrs.Factory(dict[CodeName, str])
    """What must be there, and what for."""
    never: Mapping[CodeName, str] = attrs.Factory(dict[CodeName, str])
    """What would never be called: why, and what to do."""


def code_of(blueprint: Blueprint) -> AuthorCode:
    """What the author wrote for this blueprint, in task.py or in its class."""
    found: dict[CodeName, Found] = {}
    twice: list[str] = []
    module = blueprint.material.code
    for name in CodeName:
        own, of_class = _of_module(module, name), _of_class(blueprint, name)
        if own is not None and of_class is not None:
            twice.append(f"{own.where} is there twice: by itself and in {of_class.where}; keep one")
        if (one := own or of_class) is not None:
            found[name] = one
    return AuthorCode(found, tuple(twice), tuple(_others(blueprint)))


def code_faults(code: AuthorCode, uses: Uses) -> list[str]:
    """Every reason for which the code cannot do what it is for: "place: what, and what to do"."""
    faults = [*code.twice]
    faults += [_missing(code, name, what) for name, what in uses.needed.items() if name not in code.found]
    for name, found in code.found.items():
        if name in uses.never:
            faults.append(f"{found.where} would never be called: {uses.never[name]}")
        elif name is CodeName.FUNCTIONS:
            faults += _function_faults(found, empty_is_fault=name in uses.needed)
        else:
            faults += _play_faults(name, found)
    return faults


def code_warnings(code: AuthorCode, uses: Uses) -> list[str]:
    """Names that are nearly one of ours: the author may have meant that."""
    known = [name.value for name in CodeName if name not in uses.never]
    names = {*code.others, *(name.value for name in code.found)}
    return [
        f"task.py: {name} is never called; did you mean {near}?"
        for name, near in misspelt(sorted(names), known)
    ]


def _of_module(module: Mapping[str, Any], name: CodeName) -> Found | None:
    return Found(f"task.py: {name.value}", module[name.value]) if name.value in module else None


def _of_class(blueprint: Blueprint, name: CodeName) -> Found | None:
    if not hasattr(blueprint, name.value):
        return None
    value = getattr(blueprint, name.value)
    if name is CodeName.FUNCTIONS and isinstance(value, Mapping):
        value = {key: _bound(blueprint, one) for key, one in _table(value).items()}
    return Found(f"task.py: {type(blueprint).__name__}.{name.value}", value)


def _bound(blueprint: Blueprint, value: Any) -> Any:
    """A method that the class's own table names is called with its blueprint."""
    methods = (vars(base).values() for base in type(blueprint).__mro__)
    is_method = inspect.isfunction(value) and any(value is one for each in methods for one in each)
    return value.__get__(blueprint) if is_method else value


def _others(blueprint: Blueprint) -> Iterator[str]:
    """What stands beside the names in task.py and in its class."""
    ours = {name.value for name in CodeName} | {*dir(Blueprint)}
    for names in (blueprint.material.code, vars(type(blueprint))):
        for name, value in names.items():
            if name not in ours and (inspect.isfunction(value) or isinstance(value, dict)):
                yield name


def _missing(code: AuthorCode, name: CodeName, what: str) -> str:
    near = near_name(name.value, code.others)
    meant = f"; is it {near}?" if near else ""
    return f"task.py: {name.value} is missing: write {_form(name)}, {what}{meant}"


def _form(name: CodeName) -> str:
    if name is CodeName.FUNCTIONS:
        return 'functions = {"name": function}'
    return f"`async def {name.value}({', '.join(PLAYS[name])})`"


def _play_faults(name: CodeName, found: Found) -> Iterator[str]:
    function = found.value
    if not callable(function):
        yield f"{found.where} is no function; write {_form(name)}"
    elif has_yield(function):
        yield f"{found.where} has a yield: it must not give values, but await them; write {_form(name)}"
    elif not is_async(function):
        yield f"{found.where} is not async; write {_form(name)}"
    elif not takes(function, len(PLAYS[name])):
        yield f"{found.where} is called as {name.value}({', '.join(PLAYS[name])}); write it so"


def _function_faults(found: Found, empty_is_fault: bool) -> Iterator[str]:
    value = found.value
    if not isinstance(value, Mapping):
        yield f"{found.where} must be a table of functions by name; write {_form(CodeName.FUNCTIONS)}"
        return
    functions = _table(found.value)
    if empty_is_fault and not functions:
        yield f"{found.where} is empty: pages have nothing to call"
    for name, function in functions.items():
        if reason := _named_fault(name, function):
            yield f"{found.where}: {reason}"


def _table(value: Any) -> Mapping[Any, Any]:
    return cast(Mapping[Any, Any], value)


def _named_fault(name: Any, function: Any) -> str | None:
    if not isinstance(name, str) or not 0 < len(name) <= FUNCTION_NAME_CHARACTERS_MAX:
        return f"{name!r:.60} is no name: it must be text of 1 to {FUNCTION_NAME_CHARACTERS_MAX} characters"
    if not callable(function):
        return f"{name!r} is no function, but {function!r:.60}"
    if has_yield(function):
        return f"{name!r} has a yield: it must return its answer, once"
    if not takes(function, 2):
        return f"{name!r} is called with (caller, args); write it so"
    return None
