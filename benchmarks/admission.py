"""What letting a worker in costs the daemon, whatever the size of the run and the number of known workers.

Usage: python -m benchmarks.admission [units|workers|quick ...]. Exits with 1 when a ratio is above its bound.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import attrs
import trio

from .crowds import Crowd, Measured, open_crowd, together

ROUNDS = 5
SLICES, REGISTRATIONS = 6, 30  # a round alternates between the crowds; five rounds fit into the small run
WARM_UP = 50  # not measured: pages of the database and code that is not loaded yet


@attrs.frozen
class Comparison:
    """Two crowds that differ in one thing; one of the large may cost so many times one of the small."""

    title: str
    small: tuple[int, int]
    """(units, known workers)"""
    large: tuple[int, int]
    bound: float


COMPARISONS = {
    "units": Comparison("1,000,000 units against 1,000", (1_000, 100), (1_000_000, 100), 1.5),
    "workers": Comparison("10,000 known workers against 100", (1_000, 100), (1_000, 10_000), 1.2),
    "quick": Comparison("20,000 units, 1,000 workers against 1,000, 100", (1_000, 100), (20_000, 1_000), 1.5),
}
ALL = ("units", "workers")


def main() -> None:
    """Measure, print, and say by the exit status whether the bounds hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", metavar="|".join(COMPARISONS), help="default: units workers")
    chosen = parser.parse_args().what or ALL
    if unknown := set(chosen) - set(COMPARISONS):
        parser.error(f"no such comparison: {', '.join(sorted(unknown))}")
    held = [trio.run(_compare, COMPARISONS[name]) for name in chosen]
    sys.exit(0 if all(held) else 1)


async def _compare(comparison: Comparison) -> bool:
    print(f"\n{comparison.title}", flush=True)
    with tempfile.TemporaryDirectory(prefix="crowdd-benchmark-") as folder:
        async with AsyncExitStack() as stack:
            crowds: list[Crowd] = []
            for name, (units, workers) in (("small", comparison.small), ("large", comparison.large)):
                began = time.monotonic()
                crowd = await stack.enter_async_context(open_crowd(Path(folder) / name, name, units, workers))
                crowds.append(crowd)
                print(
                    f"  {name}: {units} units, {workers} known, {time.monotonic() - began:.0f} s to furnish"
                )
            small, large = await _rounds(crowds)
    return _report(comparison, small, large)


async def _rounds(crowds: Sequence[Crowd]) -> list[list[Measured]]:
    """The rounds of each crowd, interleaved, so that what the machine does besides meets all alike."""
    for crowd in crowds:
        await crowd.measure(WARM_UP)
    rounds = [await _round(crowds) for _ in range(ROUNDS)]
    return [list(of_crowd) for of_crowd in zip(*rounds, strict=True)]


async def _round(crowds: Sequence[Crowd]) -> list[Measured]:
    """One round of each, slice by slice, who is first changing."""
    slices: list[list[Measured]] = [[] for _ in crowds]
    for number in range(SLICES):
        order = list(range(len(crowds)))
        for index in order if number % 2 == 0 else reversed(order):
            slices[index].append(await crowds[index].measure(REGISTRATIONS))
    return [together(of_crowd) for of_crowd in slices]


def _report(comparison: Comparison, small: Sequence[Measured], large: Sequence[Measured]) -> bool:
    for name, rounds in (("small", small), ("large", large)):
        each = ", ".join(f"{measured.cpu_ms:.2f}" for measured in rounds)
        waited = sorted(wait for measured in rounds for wait in measured.waited_ms)
        print(f"  {name}: CPU per registration in ms: {each}; median {_median(rounds):.2f}")
        print(
            f"         a page waited in ms: median {_share(waited, 0.5):.1f}, p99 {_share(waited, 0.99):.1f}"
        )
    ratio = _median(large) / _median(small)
    print(f"  ratio {ratio:.2f}, may be {comparison.bound}")
    return ratio <= comparison.bound


def _median(rounds: Sequence[Measured]) -> float:
    return statistics.median(measured.cpu_ms for measured in rounds)


def _share(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


if __name__ == "__main__":
    main()
