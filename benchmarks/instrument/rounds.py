"""Measuring a row: warm-up, then rounds in which both sides take turns; and what came of it."""

import statistics
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import attrs

from .row import Bound, Measure, Recorded, Row, Setting, Sides
from .sample import Figure, Sample, together

ROUNDS, ROUNDS_SMALL = 5, 2


@attrs.frozen
class Result:
    """A row measured, round by round."""

    row: Row
    small: bool
    ours: Sequence[Sample]
    baseline: Sequence[Sample] | Recorded

    def of_ours(self, figure: Figure) -> list[float]:
        """This figure of ours, round by round; empty when there is none."""
        return _told(self.ours, figure)

    def of_baseline(self, figure: Figure) -> list[float]:
        """The same of the baseline; one when it is recorded."""
        if isinstance(self.baseline, Recorded):
            return [self.baseline.figures[figure]] if figure in self.baseline.figures else []
        return _told(self.baseline, figure)

    def ratios(self, bound: Bound) -> list[float]:
        """Ours in parts of the baseline, round by round."""
        ours, baseline = self.of_ours(bound.figure), self.of_baseline(bound.figure)
        if isinstance(self.baseline, Recorded):
            baseline *= len(ours)
        return [mine / other for mine, other in zip(ours, baseline, strict=True)]

    def ratio(self, bound: Bound) -> float:
        """The median of the rounds' ratios: what is held against the bound."""
        return statistics.median(self.ratios(bound))

    @property
    def holds(self) -> bool:
        """Whether every bound is kept to."""
        return all(bound.holds(self.ratio(bound)) for bound in self.row.bounds)


async def measure(row: Row, small: bool, tell: Callable[[str], None]) -> Result:
    """Set the row up, measure it, take it down. `tell` hears what goes on."""
    with tempfile.TemporaryDirectory(prefix="crowdd-benchmark-") as folder:
        tell("setting up")
        async with row.open(Setting(Path(folder), small, tell)) as sides:
            tell("warming up")
            await _round(sides, 1, 0)
            rounds: list[tuple[Sample, Sample | None]] = []
            count = ROUNDS_SMALL if small else ROUNDS
            for number in range(count):
                tell(f"round {number + 1} of {count}")
                rounds.append(await _round(sides, 1 if small else row.turns, number))
    ours = [mine for mine, _ in rounds]
    others = [other for _, other in rounds if other is not None]
    baseline = sides.baseline if isinstance(sides.baseline, Recorded) else others
    return Result(row, small, ours, baseline)


async def _round(sides: Sides, turns: int, number: int) -> tuple[Sample, Sample | None]:
    """Both sides in turns; who is first changes, so that what the machine does besides meets both alike."""
    if isinstance(sides.baseline, Recorded):
        return together([await sides.ours() for _ in range(turns)]), None
    ours, baseline = list[Sample](), list[Sample]()
    for turn in range(turns):
        order: list[tuple[Measure, list[Sample]]] = [(sides.ours, ours), (sides.baseline, baseline)]
        for side, samples in order if (number + turn) % 2 == 0 else reversed(order):
            samples.append(await side())
    return together(ours), together(baseline)


def _told(samples: Sequence[Sample], figure: Figure) -> list[float]:
    told = [sample.figures() for sample in samples]
    return [figures[figure] for figures in told if figure in figures]
