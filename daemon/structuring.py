"""Makes frozen attrs classes from TOML or JSON documents, strictly, and says at once all that is wrong.

Types are exact (cattrs would turn "1" into 1), unknown keys are refused with the nearest known one, and every
fault comes with its path. Knows nothing about what the documents mean.
"""

import difflib
import enum
import functools
import math
import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, TypeVar, cast

import attrs
from cattrs import ClassValidationError, Converter, ForbiddenExtraKeysError, IterableValidationError
from cattrs.cols import is_frozenset, is_mapping, is_sequence, is_set
from cattrs.errors import AttributeValidationNote, StructureHandlerNotFoundError
from cattrs.strategies import configure_union_passthrough

T = TypeVar("T")
Hook = Callable[[Any, Any], Any]

Count = Annotated[int, "count"]
"""A whole number from 0."""
Seconds = Annotated[float, "seconds"]
"""A duration from 0 to ten years."""
Words = Annotated[str, "words"]
"""Text of one line, not empty."""
FreeForm = Annotated[dict[str, Any], "freeform", "table of your own"]
"""A table whose content is the author's own; plain JSON."""

COUNT_MAX = 2**31 - 1  # far beyond any study, and every database's integer holds it
SECONDS_MAX = 10 * 366 * 86400.0  # keeps dates computed from it within what datetime can hold
WORDS_CHARACTERS_MAX = 500
SHOWN_CHARACTERS_MAX = 60


class Fault(ValueError):
    """One value is not what it must be; says why, without its path."""


class Faults(Exception):
    """What is wrong with a document: one "path: reason" each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class LooseInt(int):
    """A number from a command line, where a text field would rather have had its letters."""

    letters: str


class LooseFloat(float):
    """A number from a command line, where a text field would rather have had its letters."""

    letters: str


def nearest(name: str, known: Iterable[str]) -> str:
    """What to say about an unknown name: the nearest known one, or all there are."""
    names = sorted(known)
    if (near := near_name(name, names)) is not None:
        return f"did you mean {near!r}?"
    return f"known: {', '.join(names)}" if names else "none is known"


def near_name(name: str, known: Iterable[str]) -> str | None:
    """The known name that was probably meant; None: none is like it."""
    return next(iter(difflib.get_close_matches(name, [*known], n=1)), None)


def make_converter(hooks: Mapping[Any, Hook] | None = None) -> Converter:
    """A strict converter; `hooks` are for types of the caller's own."""
    converter = Converter(forbid_extra_keys=True, unstruct_collection_overrides={tuple: list})
    _only(converter, attrs.has, dict, "a table")
    _only(converter, is_mapping, dict, "a table")
    _only(converter, _is_list, list, "a list")
    converter.register_structure_hook_func(_is_enum, _enum)
    converter.register_structure_hook(Path, _inner_path)
    converter.register_unstructure_hook(Path, Path.as_posix)
    for plain, hook in _PLAIN_HOOKS.items():
        converter.register_structure_hook(plain, hook)  # by a predicate, cattrs' own would go before it
    for wanted, hook in {**_HOOKS, **(hooks or {})}.items():
        converter.register_structure_hook_func(functools.partial(operator.eq, wanted), hook)
    configure_union_passthrough(str | bool | int | float | None, converter)
    return converter


def structure(converter: Converter, document: Any, wanted: type[T], path: str = "") -> T:
    """The document as a `wanted`. Faults: all that is wrong with it, with paths that begin with `path`."""
    try:
        return converter.structure(document, wanted)
    except (ClassValidationError, IterableValidationError, StructureHandlerNotFoundError, ValueError) as exc:
        raise Faults(list(dict.fromkeys(_problems(exc, path)))) from exc


def shown(value: Any) -> str:
    """A value as it may appear in a message: short, control characters escaped."""
    text = repr(value)
    return text if len(text) <= SHOWN_CHARACTERS_MAX else text[: SHOWN_CHARACTERS_MAX - 3] + "..."


def free_form(value: Any, path: str = "") -> Any:
    """A plain JSON value, copied. Faults when it holds anything else, e.g. dates."""
    problems: list[str] = []
    copy = _plain(value, path, problems)
    if problems:
        raise Faults(problems)
    return copy


def free_table(value: Any, _: Any) -> dict[str, Any]:
    """A table of plain JSON values, copied."""
    return table(free_form(table(value)))


def text(value: Any, _: Any = None) -> str:
    """Exactly text; a number from a command line is taken by its letters."""
    if isinstance(value, LooseInt | LooseFloat):
        return value.letters
    if not isinstance(value, str):
        raise Fault(f"must be text, not {shown(value)}: put it in quotes")
    return value


def table(value: Any) -> dict[str, Any]:
    """Exactly a table."""
    if not isinstance(value, dict):
        raise Fault(f"must be a table, not {shown(value)}")
    return cast(dict[str, Any], value)


def words(value: Any, _: Any = None) -> str:
    """Text of one line, not empty."""
    said = text(value)
    if not said.strip():
        raise Fault("must not be empty")
    if not said.isprintable():
        raise Fault(f"must be one line without control characters, not {shown(said)}")
    if len(said) > WORDS_CHARACTERS_MAX:
        raise Fault(f"must have at most {WORDS_CHARACTERS_MAX} characters")
    return said


def _flag(value: Any, _: Any) -> bool:
    if not isinstance(value, bool):
        raise Fault(f"must be true or false, not {shown(value)}")
    return value


def _whole(value: Any, _: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise Fault(f"must be a whole number, not {shown(value)}")
    return int(value)


def _number(value: Any, _: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Fault(f"must be a number, not {shown(value)}")
    return float(value)


def _count(value: Any, _: Any) -> int:
    count = _whole(value, _)
    if not 0 <= count <= COUNT_MAX:
        raise Fault(f"must be from 0 to {COUNT_MAX}, not {shown(count)}")
    return count


def _seconds(value: Any, _: Any) -> float:
    seconds = _number(value, _)
    if not 0 <= seconds <= SECONDS_MAX:
        raise Fault(f"must be from 0 to {SECONDS_MAX:.0f} seconds, not {shown(value)}")
    return seconds


def _enum(value: Any, wanted: type[enum.Enum]) -> enum.Enum:
    known = {member.value: member for member in wanted}
    said = text(value) if all(isinstance(name, str) for name in known) else value
    if said not in known:
        raise Fault(f"{shown(value)} is not known; {nearest(str(said), map(str, known))}")
    return known[said]


def _inner_path(value: Any, _: Any) -> Path:
    path = PurePosixPath(text(value))
    if path.is_absolute() or ".." in path.parts or not path.name or "\0" in str(path):
        raise Fault(f"must be a path inside the task's folder, not {shown(value)}")
    return Path(path)


_PLAIN_HOOKS: dict[type, Hook] = {str: text, bool: _flag, int: _whole, float: _number}
_HOOKS: dict[Any, Hook] = {Count: _count, Seconds: _seconds, Words: words, FreeForm: free_table}


def _is_list(wanted: Any) -> bool:
    return bool(is_sequence(wanted) or is_set(wanted) or is_frozenset(wanted))


def _is_enum(wanted: Any) -> bool:
    return isinstance(wanted, type) and issubclass(wanted, enum.Enum)


def _only(converter: Converter, applies: Callable[[Any], bool], form: type, called: str) -> None:
    """Let cattrs' own hook for these types see only values of `form`: it would iterate over a string."""
    asking: set[Any] = set()

    def factory(wanted: Any, asked: Converter) -> Hook:
        asking.add(wanted)
        inner = asked.get_structure_hook(wanted, cache_result=False)
        asking.remove(wanted)

        def hook(value: Any, _: Any) -> Any:
            if not isinstance(value, form):
                raise Fault(f"must be {called}, not {shown(value)}")
            return inner(value, wanted)

        return hook

    converter.register_structure_hook_factory(lambda t: t not in asking and applies(t), factory)


IN_ARGS = 4  # of what attrs.validators.in_ raises: a sentence, the attribute, what it may be, what it is
_VALIDATOR_SAYS = re.compile(r"'(?P<name>\w+)' must be (?P<bound>[<>]=? \S+): (?P<value>\S+)")


def _problems(exc: BaseException, path: str) -> Iterator[str]:
    match exc:
        case ClassValidationError() | IterableValidationError():
            noted, others = exc.group_exceptions()
            for inner, note in noted:
                key = note.name if isinstance(note, AttributeValidationNote) else note.index
                yield from _problems(inner, _joined(path, key))
            for inner in others:
                yield from _problems(inner, path)
        case ForbiddenExtraKeysError():
            known = [field.name for field in attrs.fields(exc.cl)]
            for extra in sorted(exc.extra_fields):
                yield f"{_joined(path, extra)}: unknown; {nearest(extra, known)}"
        case Faults():
            yield from (f"{path}.{problem}".lstrip(".") for problem in exc.problems)
        case KeyError():
            yield f"{path}: is missing"
        case _:
            yield _by_validator(exc, path) or f"{path or 'the whole'}: {exc}"


def _by_validator(exc: BaseException, path: str) -> str | None:
    """What attrs' validators say, e.g. `'name' must be >= 1: 0`, as all else is told; None: not theirs."""
    if len(exc.args) == IN_ARGS and isinstance(exc.args[2], tuple):
        _, field, options, value = exc.args
        known = ", ".join(shown(_plain_enum(option)) for option in options)
        return f"{_joined(path, field.name)}: must be one of {known}, not {shown(_plain_enum(value))}"
    said = _VALIDATOR_SAYS.fullmatch(str(exc))
    return said and f"{_joined(path, said['name'])}: must be {said['bound']}, not {said['value']}"


def _plain_enum(value: Any) -> Any:
    return value.value if isinstance(value, enum.Enum) else value


def _items(value: Any) -> list[Any]:
    return cast(list[Any], value)


def _joined(path: str, key: Any) -> str:
    if isinstance(key, int):
        return f"{path}[{key}]"
    return f"{path}.{key}" if path else str(key)


def _plain(value: Any, path: str, problems: list[str]) -> Any:
    match value:
        case None | bool() | str():
            return value
        case int():
            return int(value)
        case float() if math.isfinite(value):
            return float(value)
        case dict():
            return {key: _plain(inner, _joined(path, key), problems) for key, inner in table(value).items()}
        case list():
            items = _items(value)
            return [_plain(inner, _joined(path, index), problems) for index, inner in enumerate(items)]
        case _:
            problems.append(f"{path}: cannot be kept as JSON: {shown(value)}; put it in quotes")
            return None
