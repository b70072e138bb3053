"""`key=value` of a command line, put into a TOML document. Knows nothing about what the keys mean."""

import tomllib
from typing import Any, cast

from .structuring import LooseFloat, LooseInt


def override(document: dict[str, Any], key: str, letters: str) -> str | None:
    """Set `key` (like limits.grace_s) to what `letters` mean in TOML, or to the letters; gives the fault."""
    *tables, last = key.split(".")
    if not all((*tables, last)):
        return f"{key}: is not a key; write it like limits.grace_s=5"
    place = document
    for depth, name in enumerate(tables, start=1):
        inner: Any = place.setdefault(name, {})
        if not isinstance(inner, dict):
            return f"{key}: {'.'.join(tables[:depth])} is not a table"
        place = cast(dict[str, Any], inner)
    place[last] = _value(letters)
    return None


def _value(letters: str) -> Any:
    try:
        parsed: dict[str, Any] = tomllib.loads(f"value = {letters}")
    except (ValueError, RecursionError):
        return letters
    value = parsed["value"] if len(parsed) == 1 else letters
    if isinstance(value, bool | str | list | dict):
        return cast(Any, value)
    return _loose(value, letters) if isinstance(value, int | float) else letters


def _loose(number: int | float, letters: str) -> LooseInt | LooseFloat:
    """A number that remembers how it was written: `name=2024` and `pay.reward=0.30` mean text."""
    loose = LooseInt(number) if isinstance(number, int) else LooseFloat(number)
    loose.letters = letters
    return loose
