"""What task.toml says about who may work on what: requirements, onboarding, screening, gold, order, review.

Each section refuses what is impossible in itself; `impossible` is what sections rule out between them.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import attrs

from .admission.orders import Order
from .admission.requirements import Comparator
from .structuring import Count, Fault, Faults, FreeForm, Seconds, Words, shown, words

VALUES_MAX = 1000  # a longer list of values is a property of its own, and wants a qualification of its own
QUALIFICATION_CHARACTERS_MAX = 200  # leaves room for "-failed" and the like behind it

Values = Annotated[int | tuple[int, ...] | None, "values", "whole number, or list of them"]
"""What a worker's value is compared with: a whole number, several, or nothing."""
QualificationName = Annotated[str, "qualificationname", "name of a qualification"]
"""A qualification's name, short enough for others to be made from it."""


WITHOUT_VALUE = frozenset({Comparator.EXISTS, Comparator.DOES_NOT_EXIST})
WITH_LIST = frozenset({Comparator.IN, Comparator.NOT_IN})


@attrs.frozen
class Requirement:
    """`[[qualifications]]`: what a worker must have, or must not have, to be let in."""

    name: QualificationName
    """Which qualification; it must be there at the launch, unless the run makes it."""
    comparator: Comparator
    """How a worker's value is compared; but for `DoesNotExist`, who has none is refused."""
    value: Values = None
    """With what: a whole number; a list for `In` and `NotIn`; nothing for `Exists` and `DoesNotExist`."""
    applicable_providers: tuple[Words, ...] | None = None
    """Only workers of these providers are asked for it; left out: those of every provider."""

    def __attrs_post_init__(self) -> None:
        said, how = self.value, self.comparator.value
        if self.comparator in WITHOUT_VALUE and said is not None:
            raise Faults([f"value: {how} compares with nothing; delete it"])
        if self.comparator in WITH_LIST and not isinstance(said, tuple):
            raise Faults([f"value: {how} needs a list of whole numbers, not {_said(said)}"])
        if self.comparator not in WITHOUT_VALUE | WITH_LIST and not isinstance(said, int):
            raise Faults([f"value: {how} needs a whole number, not {_said(said)}"])


@attrs.frozen
class Onboarding:
    """`[onboarding]`: what comes before a worker's first unit. There is none without the section."""

    qualification: QualificationName
    """Granted 1 to who passed, 0 to who failed, who has `<name>-failed`, too."""
    data: FreeForm = attrs.Factory(dict[str, Any])
    """What its page part is filled with, unless task.py has `onboarding_data`."""
    time_s: Seconds | None = None
    """How long a worker has for it; left out: as long as for a unit; 0: no limit."""

    @property
    def failed(self) -> str:
        """The qualification of those who failed."""
        return f"{self.qualification}-failed"


@attrs.frozen
class Screening:
    """`[screening]`: a first unit whose answer is known; who gets it wrong is not asked again."""

    qualification: QualificationName
    """Granted to who passed."""
    max_units: Count = 0
    """How many screening units the run may give out; abandoned ones do not count."""
    data: Path | None = None
    """A file of rows, unless task.py has `screening_units`."""
    use_real_units: bool = False
    """True: a worker's first real unit is the screening."""

    def __attrs_post_init__(self) -> None:
        problems: list[str] = []
        if self.use_real_units and self.max_units:
            problems.append("max_units: must be left out with use_real_units: nothing is made for screening")
        if self.use_real_units and self.data is not None:
            problems.append("data: would never be used with use_real_units; delete one of the two")
        if not self.use_real_units and not self.max_units:
            problems.append("max_units: must be at least 1: how many screening units the run may pay for")
        if problems:
            raise Faults(problems)


@attrs.frozen
class Gold:
    """`[gold]`: units whose answer is known, given now and then between real ones."""

    qualification_base: QualificationName
    """What a worker did is counted in qualifications whose names begin with it."""
    max_units: Count
    """How many gold units the run may give out; abandoned ones do not count."""
    min_golds: Count = 1
    """How many right answers a worker needs before real units."""
    max_incorrect_golds: Count = 0
    """Who answered more of them wrong gets no more units."""
    data: Path | None = None
    """A file of rows, unless task.py has `gold_for_worker`."""

    def __attrs_post_init__(self) -> None:
        if not self.max_units:
            raise Faults(["max_units: must be at least 1: how many gold units the run may pay for"])
        if self.max_units < self.min_golds:
            raise Faults(
                [f"max_units: {self.max_units} in all let nobody answer {self.min_golds} (min_golds)"]
            )

    @property
    def completed(self) -> str:
        """Counts a worker's finished real units."""
        return f"{self.qualification_base}-completed-count"

    @property
    def correct(self) -> str:
        """Counts a worker's right answers to gold units."""
        return f"{self.qualification_base}-correct-golds"

    @property
    def wrong(self) -> str:
        """Counts a worker's wrong answers to gold units."""
        return f"{self.qualification_base}-wrong-golds"

    @property
    def disqualified(self) -> str:
        """Whoever has it gets no more units of the run."""
        return f"{self.qualification_base}-disqualified"


@attrs.frozen
class Choice:
    """`[choice]`: which of the free units a worker gets."""

    order: Order = Order.FIFO
    """The oldest, a random one, one of the least answered assignment, by a column, or by `rank_units`."""
    seed: int = 0
    """What `random` starts from: the same seed, the same order."""
    column: Words | None = None
    """The column of the data that `priority` goes by: smaller numbers first."""

    def __attrs_post_init__(self) -> None:
        problems: list[str] = []
        if self.order is Order.PRIORITY and self.column is None:
            problems.append('column: is missing; order = "priority" goes by a column of the data')
        if self.order is not Order.PRIORITY and self.column is not None:
            problems.append(f'column: means nothing to order = "{self.order.value}"; write "priority"')
        if self.order is not Order.RANDOM and self.seed:
            problems.append(f'seed: means nothing to order = "{self.order.value}"; write "random"')
        if problems:
            raise Faults(problems)


@attrs.frozen
class ReviewRule:
    """`[review]`: who is soft-rejected too often gets `block_qualification`."""

    soft_reject_share: float
    """More than this share of a worker's reviewed work, from 0 to 1."""
    after_reviews: Count = 10
    """Not before so many reviews."""

    def __attrs_post_init__(self) -> None:
        problems: list[str] = []
        if not 0 <= self.soft_reject_share < 1:
            problems.append(
                f"soft_reject_share: must be from 0 to less than 1, not {self.soft_reject_share:g}"
            )
        if not self.after_reviews:
            problems.append("after_reviews: must be at least 1")
        if problems:
            raise Faults(problems)


@attrs.frozen
class Admission:
    """All sections about admission of one run, together."""

    block_qualification: str | None
    requirements: tuple[Requirement, ...]
    onboarding: Onboarding | None
    screening: Screening | None
    gold: Gold | None
    review: ReviewRule | None
    allowed_concurrent: int

    def made_qualifications(self) -> Mapping[str, str]:
        """The qualifications that the run itself makes: name → description."""
        return dict(self._made())

    def impossible(self) -> list[str]:
        """What the sections rule out between them: "path: reason"."""
        return [*self._without_block(), *self._without_one_at_once(), *self._names_twice(), *self._circles()]

    def _made(self) -> Iterator[tuple[str, str]]:
        if self.block_qualification is not None:
            yield self.block_qualification, "May not work on runs that name it as block_qualification."
        if self.onboarding is not None:
            yield self.onboarding.qualification, "Onboarding: 1 passed, 0 failed."
            yield self.onboarding.failed, "Failed the onboarding."
        if self.screening is not None:
            yield self.screening.qualification, "Passed the screening."
        if self.gold is not None:
            yield self.gold.completed, "How many real units were finished."
            yield self.gold.correct, "How many gold units were answered right."
            yield self.gold.wrong, "How many gold units were answered wrong."
            yield self.gold.disqualified, "Gets no more units: too many wrong answers to gold units."

    def _without_block(self) -> Iterator[str]:
        if self.block_qualification is None:
            for section, grants in (("screening", "who fails"), ("review", "who is soft-rejected too often")):
                if getattr(self, section) is not None:
                    yield f"block_qualification: is missing; [{section}] grants it to {grants}"

    def _without_one_at_once(self) -> Iterator[str]:
        if self.gold is not None and self.screening is not None:
            yield "gold: cannot go with [screening]; a worker's first gold units are a screening already"
        for section in ("screening", "gold"):
            if getattr(self, section) is not None and self.allowed_concurrent != 1:
                yield (
                    f"limits.allowed_concurrent: must be 1 with [{section}], not {self.allowed_concurrent}: "
                    "a worker is judged by one unit before the next is given"
                )

    def _names_twice(self) -> Iterator[str]:
        seen = set[str]()
        for name, _ in self._made():
            if name in seen:
                yield f"{self._path_of(name)}: {shown(name)} would mean two things; name each differently"
            seen.add(name)

    def _path_of(self, name: str) -> str:
        """The last section that makes the qualification."""
        if self.gold is not None and name.startswith(self.gold.qualification_base):
            return "gold.qualification_base"
        if self.screening is not None and name == self.screening.qualification:
            return "screening.qualification"
        return "onboarding.qualification"

    def _circles(self) -> Iterator[str]:
        """A requirement comes before all else: nobody could earn what is asked for at the door."""
        own = {self.block_qualification: "block_qualification"}
        if self.onboarding is not None:
            own |= dict.fromkeys((self.onboarding.qualification, self.onboarding.failed), "[onboarding]")
        if self.screening is not None:
            own[self.screening.qualification] = "[screening]"
        for index, requirement in enumerate(self.requirements):
            if requirement.name in own:
                yield (
                    f"qualifications[{index}].name: {shown(requirement.name)} is checked for "
                    f"{own[requirement.name]} already; delete this requirement"
                )


def values(value: Any, _: Any) -> int | tuple[int, ...] | None:
    """What a requirement's `value` may be."""
    if isinstance(value, list | tuple):
        items: list[Any] = [*value]
        if not 0 < len(items) <= VALUES_MAX:
            raise Fault(f"must be a list of 1 to {VALUES_MAX} numbers, not of {len(items)}")
        return tuple(_number(item) for item in items)
    return None if value is None else _number(value)


def qualification_name(value: Any, _: Any) -> str:
    """What a qualification may be called."""
    name = words(value)
    if len(name) > QUALIFICATION_CHARACTERS_MAX:
        raise Fault(f"must have at most {QUALIFICATION_CHARACTERS_MAX} characters")
    return name


def _number(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise Fault(f"must be a whole number, not {shown(value)}: grants are whole numbers")
    return int(value)


def _said(value: Any) -> str:
    return "nothing" if value is None else shown(value)
