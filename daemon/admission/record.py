"""Facts to JSON and back, as they are kept with a decision. What is as always is left out. Pure."""

from collections.abc import Mapping, Sequence
from functools import partial
from operator import eq
from typing import Any, cast

import attrs
from cattrs import Converter

from .facts import Facts, Hook, named
from .requirements import Value, unmet

REQUIREMENTS_KEPT_MAX = 1000  # with the values of their lists; storage bounds what is kept of a decision


class FactsUnreadable(Exception):
    """These are not facts of an admission as this version knows them."""


def to_json(facts: Facts) -> dict[str, Any]:
    """A JSON document of a few hundred bytes: numbers, names and answers, no data of anybody."""
    document: dict[str, Any] = _CONVERTER.unstructure(recordable(facts))
    return document


def recordable(facts: Facts) -> Facts:
    """The facts as they are kept: of very many requirements only the one that is not met; decide the same."""
    rules, standing = facts.rules, facts.standing
    size = sum(1 + (len(each.value) if isinstance(each.value, tuple) else 0) for each in rules.requirements)
    if size <= REQUIREMENTS_KEPT_MAX:
        return facts
    missing = unmet(rules.requirements, facts.grants, standing.provider)
    kept = () if missing is None else (missing,)
    rules = attrs.evolve(rules, requirements=kept)
    standing = attrs.evolve(standing, grants=named(standing.grants, rules.names))
    left_out = len(facts.rules.requirements) - len(kept)
    return attrs.evolve(facts, rules=rules, standing=standing, requirements_left_out=left_out)


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
