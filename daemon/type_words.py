"""What an option takes, in words, from its type and validators: `whole number from 1 to 1000`."""

import types
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, Union, cast, get_args, get_origin

import attrs

from .structuring import Count, Seconds, Words

_LISTS = (list, tuple, set, frozenset)
_NAMED: dict[Any, str] = {
    str: "text",
    bool: "true or false",
    int: "whole number",
    float: "number",
    Path: "path inside the task's folder",
    Count: "whole number",
    Seconds: "seconds",
    Words: "line of text",
    Any: "anything",
    type(None): "nothing",
}
_LOWEST: dict[Any, float] = {Count: 0, Seconds: 0}


@attrs.frozen
class InnerClass:
    """A class of options within another, and what its path has besides the option's own name."""

    wanted: type[Any]
    path: str = ""


def inner_class(hint: Any) -> InnerClass | None:
    """The attrs class that the values of this type are made of: itself, as items, by names; else None."""
    if isinstance(hint, type) and attrs.has(hint):
        return InnerClass(hint)
    origin, given = get_origin(hint), get_args(hint)
    if origin in _LISTS and given and attrs.has(given[0]):
        return InnerClass(given[0], "[]")
    if _is_mapping(origin) and attrs.has(given[1]):
        return InnerClass(given[1], ".<name>")
    if origin in (Union, types.UnionType):
        classes = [option for option in given if option is not type(None)]
        return inner_class(classes[0]) if len(classes) == 1 else None
    return None


def type_words(hint: Any, validator: Any = None) -> str:
    """What a value of this type may be, within what its validators allow."""
    chosen = _chosen(validator)
    return f"one of {chosen}" if chosen else _words(hint) + _range(hint, validator)


def _words(hint: Any) -> str:
    if hint in _NAMED:
        return _NAMED[hint]
    if said := getattr(hint, "__metadata__", ()):
        # `Annotated[str, "label", "a label: a-z, 0-9 and -"]`: the second is for people.
        return str(said[1]) if len(said) > 1 else _words(get_args(hint)[0])
    if isinstance(hint, type) and issubclass(hint, Enum):
        return f"one of {_listed(member.value for member in hint)}"
    return _compound(get_origin(hint), get_args(hint)) or str(getattr(cast(Any, hint), "__name__", "a value"))


def _compound(origin: Any, given: tuple[Any, ...]) -> str:
    if origin in (Union, types.UnionType):
        return " or ".join(_words(option) for option in given if option is not type(None))
    if origin in _LISTS:
        return f"list, each {_words(given[0])}"
    if _is_mapping(origin):
        return f"table, each {_words(given[1])}"
    return ""


def _is_mapping(origin: Any) -> bool:
    return isinstance(origin, type) and issubclass(origin, Mapping)


def _range(hint: Any, validator: Any) -> str:
    low: Any = _LOWEST.get(_plain_hint(hint))
    high: Any = None
    for part in _parts(validator):
        match getattr(part, "compare_op", None):
            case ">=":
                low = part.bound
            case "<=":
                high = part.bound
            case _:
                pass
    return "".join((f" from {low:g}" if low is not None else "", f" to {high}" if high is not None else ""))


def _plain_hint(hint: Any) -> Any:
    """The one type of an optional."""
    if get_origin(hint) in (Union, types.UnionType):
        return next((option for option in get_args(hint) if option is not type(None)), hint)
    return hint


def _chosen(validator: Any) -> str:
    """What `attrs.validators.in_` allows."""
    for part in _parts(validator):
        if options := getattr(part, "options", None):
            return _listed(option.value if isinstance(option, Enum) else option for option in options)
    return ""


def _parts(validator: Any) -> Iterator[Any]:
    """The validators that one is made of."""
    inner = getattr(validator, "_validators", None) or getattr(validator, "validators", None)
    if inner:
        for part in inner:
            yield from _parts(part)
    elif validator is not None:
        yield validator


def _listed(values: Any) -> str:
    return ", ".join(f'"{value}"' if isinstance(value, str) else str(value) for value in values)
