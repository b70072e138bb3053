"""What letting a worker in costs the daemon, whatever the size of the run and the number of known workers.

Usage: python -m benchmarks.admission [--quick]. Exits with 1 when a ratio is above its bound.
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

from .crowds import Crowd, Measured, open_crowd

ROUNDS = 5
REGISTRATIONS = 180  # in one round of one crowd: five rounds fit into the small run
WARM_UP = 50  # not measured: pages of the database and code that is not loaded yet


@attrs.frozen
class Comparison:
    """Two crowds that differ in one thing; one of the large may cost so many times one of the small."""

    title: str
    small: tuple[int, int]
    """(units, known workers)"""
    large: tuple[int, int]
    bound: float


COMPARISONS = (
    Comparison("1,000,000 units against 1,000", (1_000, 100), (1_000_000, 100), 1.5),
    Comparison("10,000 known workers against 100", (1_000, 100), (1_000, 10_000), 1.2),
)
QUICK = (
    Comparison("20,000 units and 1,000 workers against 1,000 and 100", (1_000, 100), (20_000, 1_000), 1.5),
)


def main() -> None:
    """Measure, print, and say by the exit status whether the bounds hold."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a small comparison, to try the command")
    comparisons = QUICK if parser.parse_args().quick else COMPARISONS
    held = [trio.run(_compare, comparison) for comparison in comparisons]
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
    measured: list[list[Measured]] = [[] for _ in crowds]
    for number in range(ROUNDS):
        order = list(range(len(crowds)))
        for index in order if number % 2 == 0 else reversed(order):
            measured[index].append(await crowds[index].measure(REGISTRATIONS))
    return measured


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
