"""Writes TOML: what a `task.toml` can say, from a dictionary. Reading is `tomllib`'s."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time
from typing import Any, TypeGuard


def dump_toml(document: Mapping[str, Any]) -> str:
    """The document; `tomllib.loads` gives it back. TypeError or ValueError for what TOML cannot say."""
    plain = {key: value for key, value in document.items() if not _is_table(value)}
    lines = [*_pairs(plain)]
    for key, table in document.items():
        if _is_table(table):
            lines += ["", f"[{_key(key)}]", *_pairs(table)]
    return "\n".join(lines) + "\n"


def _pairs(table: Mapping[Any, Any]) -> Iterator[str]:
    return (f"{_key(key)} = {_value(value, key)}" for key, value in table.items())


def _value(value: Any, where: str) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return _text(value)
        case int():
            return str(int(value))
        case float():
            return _float(value)
        case datetime() | date() | time():
            return value.isoformat()
        case None:
            raise TypeError(f"{where} is None: leave it out, TOML has no such value")
        case _ if _is_table(value):
            return f"{{{', '.join(_pairs(value))}}}"
        case _ if _is_list(value):
            return f"[{', '.join(_value(inner, where) for inner in value)}]"
        case _:
            raise TypeError(f"{where} is of type {type(value).__name__}: TOML has no such value")


def _is_table(value: Any) -> TypeGuard[Mapping[Any, Any]]:
    return isinstance(value, Mapping)


def _is_list(value: Any) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, list | tuple)


def _float(value: float) -> str:
    if math.isnan(value):
        return "nan"
    text = repr(float(value))
    return text if "." in text or "inf" in text else text.replace("e", ".0e")


def _key(key: Any) -> str:
    if not isinstance(key, str):
        raise TypeError(f"{key!r} is no key of TOML: keys are text")
    return _text(key)


def _text(value: str) -> str:
    """A basic string: JSON's, but for one control character that JSON lets stand."""
    text = json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    text.encode()  # half a surrogate pair is no text
    return text
