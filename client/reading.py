"""JSON of the daemon read as frozen objects, and back. Knows no shapes.

What a newer daemon says besides is passed over; what an older one does not say yet has a default. What is
missing otherwise, or is something else, is one error.
"""

import types
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime
from functools import cache
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from .errors import NotUnderstood

T = TypeVar("T")
Reader = Callable[[Any], Any]


def read(kind: type[T], told: Any) -> T:
    """The object of this class that the daemon told. NotUnderstood."""
    try:
        made: T = _reader(cast(Any, kind))(told)
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise NotUnderstood(
            f"The daemon's answer is not understood: it makes no {kind.__name__} ({exc!r}).",
            "Is it an older crowdd than this client?",
        ) from exc
    return made


def as_json(value: Any) -> Any:
    """The same as it came, for `json.dumps(..., default=as_json)`."""
    if is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is not of the daemon's")


@cache
def _reader(kind: Any) -> Reader:
    if isinstance(kind, type) and is_dataclass(kind):
        return _object_reader(kind)
    if kind is datetime:
        return datetime.fromisoformat
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        (inner,) = [_reader(each) for each in arguments if each is not type(None)]
        return lambda told: None if told is None else inner(told)
    if origin is tuple:
        element = _reader(arguments[0])
        return lambda told: tuple(map(element, told))
    return _checked(origin or kind)


def _object_reader(kind: type[Any]) -> Reader:
    readers = {name: _reader(hint) for name, hint in get_type_hints(kind).items()}

    optional = {field.name for field in fields(kind) if field.default is not MISSING}

    def make(told: Any) -> Any:
        given = [name for name in readers if name not in optional or name in told]
        return kind(**{name: readers[name](told[name]) for name in given})

    return make


def _checked(kind: Any) -> Reader:
    if kind is Any:
        return lambda told: told
    accepted = (int, float) if kind is float else kind

    def check(told: Any) -> Any:
        if not isinstance(told, accepted) or (isinstance(told, bool) and kind is not bool):
            raise TypeError(f"{told!r} is no {kind.__name__}")
        return told

    return check
