"""What can be set in a configuration class: path, type, default and meaning of each option. Sets nothing.

Everything is taken from the attrs class itself, so a task author's own `Options` are told like ours: the type
is the annotation with its validators, the meaning is the text right below the attribute in the source (or
`metadata={"meaning": ...}`, where there is no source to read).
"""

import ast
import inspect
import json
import textwrap
from collections.abc import Iterable, Iterator
from enum import Enum
from pathlib import Path
from typing import Any, cast, get_type_hints

import attrs

from .structuring import table
from .type_words import inner_class, type_words

EXAMPLE = "example"
"""The key of an attribute's metadata for a value that is shown where no default can be."""
LIVE = "live"
"""The key of an attribute's metadata that says that a reload of the daemon takes up its change."""
MEANING = "meaning"
"""The key of an attribute's metadata that says what it means, instead of the text below it."""


@attrs.frozen
class Option:
    """One option, as people and programs are told of it."""

    path: str
    """Where it stands, like limits.grace_s; `<name>` stands for any name, `[]` for each item of a list."""
    type: str
    """What it takes, in words."""
    required: bool
    """Whether it must be given."""
    default: Any
    """What holds when it is left out, as plain JSON; None: nothing, or what `meaning` says."""
    meaning: str
    example: Any = None
    """A value that might be given, where there is no default."""

    @property
    def default_text(self) -> str:
        """The default as TOML has it; empty when there is none that could be written down."""
        return "" if self.default is None else toml_text(self.default)


def options_of(wanted: type[Any], path: str = "") -> tuple[Option, ...]:
    """Every option of an attrs class and of those within it, in their order; paths begin with `path`."""
    return tuple(_options(wanted, path))


def option_paths(wanted: type[Any]) -> tuple[str, ...]:
    """Their paths alone, without reading any source: a daemon that starts has no time for meanings."""
    return tuple(at for at, *_ in _fields(wanted, ""))


def summary(about: Any) -> str:
    """The first paragraph of a class's own docstring, as one line; empty without one."""
    said = inspect.cleandoc(about.__doc__ or "")
    # attrs, dataclasses and the like write a signature where nobody wrote a docstring.
    return "" if said.startswith(f"{about.__name__}(") else _one_line(said.split("\n\n")[0])


def meanings(wanted: type[Any]) -> dict[str, str]:
    """The text below each attribute in the sources of a class and those that it extends."""
    found: dict[str, str] = {}
    for base in reversed(wanted.__mro__):
        if attrs.has(base):
            found |= dict(_documented(base))
    return found


def toml_text(value: Any) -> str:
    """A plain value as TOML has it, on one line."""
    match value:
        case dict():
            members = [f"{_quoted(key)} = {toml_text(inner)}" for key, inner in table(value).items()]
            return "{ " + ", ".join(members) + " }" if members else "{}"
        case list():
            return "[" + ", ".join(map(toml_text, cast(Iterable[Any], value))) + "]"
        case str():
            return _quoted(value)
        case _:
            return json.dumps(value)


def _quoted(text: str) -> str:
    """A JSON text is a TOML text, but for the one control character that JSON leaves as it is."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _options(wanted: type[Any], path: str) -> Iterator[Option]:
    texts: dict[type[Any], dict[str, str]] = {}
    for at, owner, field, hint in _fields(wanted, path):
        if owner not in texts:
            texts[owner] = meanings(owner)
        yield Option(
            path=at,
            type=type_words(hint, field.validator),
            required=field.default is attrs.NOTHING,
            default=plain_value(_default(field)),
            example=field.metadata.get(EXAMPLE),
            meaning=_one_line(field.metadata.get(MEANING, texts[owner].get(field.name, ""))),
        )


def _fields(wanted: type[Any], path: str) -> Iterator[tuple[str, type[Any], "attrs.Attribute[Any]", Any]]:
    """Every option's path, the class that has it, its attribute and its annotation."""
    hints = get_type_hints(wanted, include_extras=True)
    for field in attrs.fields(wanted):
        if not field.init:
            continue
        hint, at = hints.get(field.name, Any), f"{path}.{field.name}".lstrip(".")
        inner = inner_class(hint)
        if inner is not None:
            yield from _fields(inner.wanted, at + inner.path)
        else:
            yield at, wanted, field, hint


def _default(field: "attrs.Attribute[Any]") -> Any:
    """The value itself; None for one that is computed from other options."""
    default: Any = field.default
    if default is attrs.NOTHING or getattr(default, "takes_self", False):
        return None
    return default.factory() if hasattr(default, "takes_self") else default


def plain_value(value: Any) -> Any:
    """The value as plain JSON, as a TOML document would hold it; a whole number without its `.0`."""
    match value:
        case Enum():
            return plain_value(value.value)
        case Path():
            return value.as_posix()
        case dict():
            return {str(key): plain_value(inner) for key, inner in table(value).items()}
        case list() | tuple() | set() | frozenset():
            return [plain_value(inner) for inner in cast(Iterable[Any], value)]
        case None | bool() | int() | str():
            return value
        case float():
            return int(value) if value.is_integer() else value
        case _:
            return str(value)


def _documented(base: type[Any]) -> Iterator[tuple[str, str]]:
    """Attributes of one class whose next statement in its source is a text."""
    try:
        body = ast.parse(textwrap.dedent(inspect.getsource(base))).body[0]
    except (OSError, TypeError, SyntaxError, IndexError):  # made without a source: in a shell, by a program
        return
    if not isinstance(body, ast.ClassDef):
        return
    for statement, below in zip(body.body, body.body[1:], strict=False):
        match statement, below:
            case (
                ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]),
                ast.Expr(value=ast.Constant(value=str(said))),
            ):
                yield name, inspect.cleandoc(said)
            case _:
                pass


def _one_line(said: str) -> str:
    return " ".join(said.split())
