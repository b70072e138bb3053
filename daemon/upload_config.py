"""`[uploads]` of task.toml: which files workers may hand in."""

from collections.abc import Sequence
from typing import Annotated, Any, cast

import attrs

from ..files.kinds import TYPES
from .structuring import Fault, nearest, text

_ALL = "/*"

FileTypes = Annotated[tuple[str, ...], "filetypes", "list of types"]
"""Types of files, like "image/png"; "image/*" stands for all that are known of it."""


@attrs.frozen
class Uploads:
    """`[uploads]`: files of which types are taken. Without the section any file is, unopened."""

    types: FileTypes
    """Which, by what is in them and not by their names: `["image/*", "audio/wav"]`."""


def file_types(value: Any, _: Any = None) -> tuple[str, ...]:
    """Exactly a list of types that can be told by what is in a file, each once."""
    if not isinstance(value, list) or not value:
        raise Fault('must be a list like ["image/png"]; delete the section to take any file')
    items = cast(Sequence[Any], value)
    found = [each for item in items for each in _types(text(item))]
    return tuple(dict.fromkeys(found))


def _types(name: str) -> list[str]:
    kind = name.removesuffix(_ALL)
    found = [each for each in TYPES if each == name or (kind != name and each.startswith(f"{kind}/"))]
    if not found:
        groups = {each.partition("/")[0] + _ALL for each in TYPES}
        raise Fault(f"{name!r} is no type that files can be told by; {nearest(name, [*TYPES, *groups])}")
    return found
