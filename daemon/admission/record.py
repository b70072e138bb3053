"""Facts to JSON and back, as they are kept with a decision. What is as always is left out. Pure."""

from collections.abc import Mapping, Sequence
from functools import partial
from operator import eq
from typing import Any, cast

from cattrs import Converter

from .facts import Facts, Hook
from .requirements import Value


class FactsUnreadable(Exception):
    """These are not facts of an admission as this version knows them."""


def to_json(facts: Facts) -> dict[str, Any]:
    """A JSON document of a few hundred bytes: numbers, names and answers, no data of anybody."""
    document: dict[str, Any] = _CONVERTER.unstructure(facts)
    return document


def from_json(document: Mapping[str, Any]) -> Facts:
    """The facts that `to_json` wrote. FactsUnreadable."""
    try:
        return _CONVERTER.structure(document, Facts)
    except Exception as exc:  # whatever cattrs makes of a document that another version wrote
        raise FactsUnreadable(str(exc)) from exc


def _converter() -> Converter:
    converter = Converter(omit_if_default=True, forbid_extra_keys=True)
    converter.register_structure_hook_func(partial(eq, Value), _value)
    converter.register_unstructure_hook_func(partial(eq, Value), _plain)
    converter.register_unstructure_hook_func(partial(eq, frozenset[Hook]), _sorted)
    return converter


def _value(value: Any, _: Any) -> Value:
    if isinstance(value, list | tuple):
        return tuple(int(each) for each in cast(Sequence[Any], value))
    return None if value is None else int(value)


def _plain(value: Value) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _sorted(hooks: frozenset[Hook]) -> list[str]:
    return sorted(hook.value for hook in hooks)


_CONVERTER = _converter()
