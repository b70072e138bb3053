"""How frozen records are made in a third of the time: all that storage reads becomes one.

attrs sets each field of a frozen record through the guard that keeps it from being changed, one call a field.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import attrs

R = TypeVar("R")

_makers: dict[type, Callable[..., Any]] = {}


def maker(cls: type[R]) -> Callable[..., R]:
    """Makes records of a frozen class from all of their values, by place."""
    found = _makers.get(cls)
    if found is None:
        found = _makers[cls] = _unguarded(cls) if _is_plain(cls) else cls
    return found


def _unguarded(cls: type) -> Callable[..., Any]:
    """A subclass that may be changed: its instances lie in memory like the record, as it adds no field.

    Each turns into a record once all is set.
    """

    def freeze(self: Any) -> None:
        self.__class__ = cls

    last = {"__attrs_post_init__": freeze}
    names = [field.name for field in attrs.fields(cls)]
    sets_all = vars(attrs.make_class(cls.__name__, names, class_body=last, slots=False))["__init__"]
    unguarded = {"__setattr__": object.__setattr__, "__delattr__": object.__delattr__}
    return type(cls.__name__, (cls,), {"__slots__": (), "__init__": sets_all, **unguarded, **last})


def _is_plain(cls: type) -> bool:
    """Whether a new record is nothing but its values."""
    fields = attrs.fields(cls)
    return not hasattr(cls, "__attrs_post_init__") and all(
        field.init and field.converter is None and field.validator is None for field in fields
    )
