"""What a run demands of its workers' qualifications, and whether a worker meets it. Pure.

A name that nobody ever granted is simply not held: `NotEqualTo` and `NotIn` need a grant, too, as every
comparator but `DoesNotExist` does. Names that no qualification has refuse the launch (`unknown_names`).
"""

import enum
import operator
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final, Protocol

import attrs

LIST_MAX = 1000  # values of In and NotIn; they are kept with every decision
VALUE_MAX = 2**63 - 1  # what storage holds as the value of a grant


Value = int | tuple[int, ...] | None
"""What a requirement compares with."""


class Comparator(enum.Enum):
    """How a worker's value is compared; the strings are Mephisto's."""

    GREATER_THAN = "GreaterThan"
    GREATER_THAN_OR_EQUAL_TO = "GreaterThanOrEqualTo"
    LESS_THAN = "LessThan"
    LESS_THAN_OR_EQUAL_TO = "LessThanOrEqualTo"
    EQUAL_TO = "EqualTo"
    NOT_EQUAL_TO = "NotEqualTo"
    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"
    IN = "In"
    NOT_IN = "NotIn"


class Named(Protocol):
    """What has the name of a qualification."""

    @property
    def name(self) -> str:
        """The name."""
        ...


class RequirementFault(ValueError):
    """A requirement that nobody can check; `key` says which part is wrong."""

    def __init__(self, key: str, why: str) -> None:
        super().__init__(f"{key}: {why}")
        self.key = key
        self.why = why


@attrs.frozen
class Requirement:
    """One line of `[[qualifications]]`. RequirementFault when its value does not go with its comparator."""

    name: str
    comparator: Comparator
    value: Value = None
    """A number; a list for In and NotIn; None for Exists and DoesNotExist."""
    applicable_providers: tuple[str, ...] | None = None
    """Only workers of these providers are asked; None: of all."""

    def __attrs_post_init__(self) -> None:
        if not self.name.strip():
            raise RequirementFault("name", "may not be empty")
        if self.applicable_providers is not None and not self.applicable_providers:
            raise RequirementFault("applicable_providers", "names nobody: leave it out, or the requirement")
        _check_value(self.comparator, self.value)

    def applies_to(self, provider: str) -> bool:
        """Whether workers of this provider must meet it."""
        return self.applicable_providers is None or provider in self.applicable_providers

    def met_by(self, granted: int | None) -> bool:
        """Whether a worker with this value (None: no grant) meets it."""
        if self.comparator is Comparator.DOES_NOT_EXIST:
            return granted is None
        return granted is not None and _COMPARE[self.comparator](granted, self.value)

    def __str__(self) -> str:
        value = "" if self.value is None else f" {_shown(self.value)}"
        return f"{self.name} {self.comparator.value}{value}"


_Compare = Callable[[int, Any], bool]
_COMPARE: Final[Mapping[Comparator, _Compare]] = {
    Comparator.GREATER_THAN: operator.gt,
    Comparator.GREATER_THAN_OR_EQUAL_TO: operator.ge,
    Comparator.LESS_THAN: operator.lt,
    Comparator.LESS_THAN_OR_EQUAL_TO: operator.le,
    Comparator.EQUAL_TO: operator.eq,
    Comparator.NOT_EQUAL_TO: operator.ne,
    Comparator.EXISTS: lambda granted, _: True,
    Comparator.IN: lambda granted, values: granted in values,
    Comparator.NOT_IN: lambda granted, values: granted not in values,
}
_ALONE: Final = frozenset({Comparator.EXISTS, Comparator.DOES_NOT_EXIST})
_OF_LISTS: Final = frozenset({Comparator.IN, Comparator.NOT_IN})


def unmet(
    requirements: Iterable[Requirement], grants: Mapping[str, int], provider: str
) -> Requirement | None:
    """The first requirement that a worker of `provider` with these grants does not meet, or None."""
    for requirement in requirements:
        if requirement.applies_to(provider) and not requirement.met_by(grants.get(requirement.name)):
            return requirement
    return None


def unknown_names(
    requirements: Iterable[Named], known: Collection[str], own: Collection[str] = ()
) -> list[str]:
    """The demanded names that are neither qualifications nor made by the run itself, in order, each once."""
    names = dict.fromkeys(requirement.name for requirement in requirements)
    return [name for name in names if name not in known and name not in own]


def _check_value(comparator: Comparator, value: Value) -> None:
    if comparator in _ALONE:
        if value is not None:
            raise RequirementFault("value", f"{comparator.value} takes none")
    elif comparator in _OF_LISTS:
        if not isinstance(value, tuple) or not value:
            raise RequirementFault("value", f"{comparator.value} takes a list of whole numbers")
        if len(value) > LIST_MAX:
            raise RequirementFault("value", f"has {len(value)} numbers; at most {LIST_MAX}")
        _check_size(value)
    elif not isinstance(value, int):
        raise RequirementFault("value", f"{comparator.value} takes a whole number")
    else:
        _check_size((value,))


def _check_size(values: tuple[int, ...]) -> None:
    for value in values:
        if abs(value) > VALUE_MAX:
            raise RequirementFault("value", f"{value} is too large")


def _shown(value: int | tuple[int, ...]) -> str:
    return str(value) if isinstance(value, int) else f"({', '.join(map(str, value))})"
