"""What an operation costs the daemon while something grows: a curve for each thing that may.

Usage: python -m benchmarks.growth [units|runs|agents|workers ...] [--small]. The operation is a registration
with all that it decides and stores; told is the daemon's CPU time for each, without what it takes at rest.
Large stores take a while.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import trio

from .crowds import Crowd, all_up, open_crowd, static_task
from .instrument.record import circumstances, summary
from .instrument.sample import Meter

CURVES = Path(__file__).parent / "curves"
ROUNDS, REGISTRATIONS, WARM_UP = 5, 100, 50
ROUNDS_SMALL, REGISTRATIONS_SMALL, WARM_UP_SMALL = 2, 4, 2
UNITS, WORKERS = 2_000, 100  # of a crowd of which something else grows
REST_S, REST_S_SMALL = 12.0, 0.2  # three heartbeats of each link
FLAT = 1.5  # the largest may cost so many times the smallest
ANOTHERS_UNITS = 3  # of each other run of the same daemon


@attrs.frozen
class Growing:
    """One thing that grows."""

    what: str
    sizes: tuple[int, ...]
    small: int
    open: Callable[[Path, int], AbstractAsyncContextManager[Crowd]]


def _with_units(folder: Path, size: int) -> AbstractAsyncContextManager[Crowd]:
    return open_crowd(folder / "crowd", "units", size, WORKERS)


def _with_workers(folder: Path, size: int) -> AbstractAsyncContextManager[Crowd]:
    return open_crowd(folder / "crowd", "workers", UNITS, size)


@asynccontextmanager
async def _with_agents(folder: Path, size: int) -> AsyncGenerator[Crowd]:
    async with open_crowd(folder / "crowd", "agents", size + UNITS, WORKERS) as crowd:
        await crowd.measure(size)  # they stay at work
        yield crowd


@asynccontextmanager
async def _with_runs(folder: Path, size: int) -> AsyncGenerator[Crowd]:
    async with open_crowd(folder / "crowd", "runs", UNITS, WORKERS) as crowd:
        another = static_task(folder, ANOTHERS_UNITS)
        for _ in range(size - 1):
            await crowd.daemon.ask("launch", another, {})
        await all_up(crowd.daemon, size)
        yield crowd


GROWING: Mapping[str, Growing] = {
    "units": Growing("units in the run", (1_000, 10_000, 100_000, 1_000_000), 20, _with_units),
    "runs": Growing("runs in the daemon", (1, 10, 100, 500), 2, _with_runs),
    "agents": Growing("agents at work", (1, 100, 1_000, 10_000), 3, _with_agents),
    "workers": Growing("workers known", (100, 1_000, 10_000, 100_000, 1_000_000), 4, _with_workers),
}


def main(words: Sequence[str] | None = None) -> int:
    """Measure each curve, print and keep it; 1 when one is not flat. Small, only measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="|".join(GROWING))
    parser.add_argument("--small", action="store_true", help="only see that it works; keeps nothing")
    parser.add_argument("--curves", type=Path, default=CURVES, metavar="FOLDER", help="where curves are kept")
    asked = parser.parse_args(words)
    if unknown := set(asked.names) - set(GROWING):
        parser.error(f"nothing grows that is called {', '.join(sorted(unknown))}")
    curves = [_measure(name, asked.small) for name in asked.names or GROWING]
    if asked.small:
        return 0
    for curve in curves:
        _keep(asked.curves, curve)
    return 0 if all(curve["flat"] for curve in curves) else 1


def _measure(name: str, small: bool) -> dict[str, Any]:
    growing = GROWING[name]
    spent = "CPU of a registration, ms: min / median / max | of the smallest | at rest, ms a second"
    print(f"\n| {growing.what} | {spent} |")
    print("|---|---|---|---|", flush=True)
    points: list[dict[str, Any]] = []
    for size in (growing.small,) if small else growing.sizes:
        points.append(trio.run(_point, growing, size, small))
        print(_line(points[0], points[-1]), flush=True)
    flat = points[-1]["median"] <= FLAT * points[0]["median"]
    return {"name": name, "what": growing.what, "measured": circumstances(), "points": points, "flat": flat}


async def _point(growing: Growing, size: int, small: bool) -> dict[str, Any]:
    rounds = ROUNDS_SMALL if small else ROUNDS
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="crowdd-benchmark-") as folder:
        async with growing.open(Path(folder), size) as crowd:
            furnished = f"{size:,} {growing.what}: furnished in {time.monotonic() - began:.0f} s, measuring"
            print(furnished, file=sys.stderr, flush=True)
            await crowd.measure(WARM_UP_SMALL if small else WARM_UP)
            at_rest = await _at_rest(crowd, REST_S_SMALL if small else REST_S)
            count = REGISTRATIONS_SMALL if small else REGISTRATIONS
            each = [(await crowd.measure(count, at_rest)).cpu_ms for _ in range(rounds)]
    return {"size": size, "rounds_ms": each, **summary(each), "at_rest_ms_a_s": at_rest * 1000}


async def _at_rest(crowd: Crowd, for_s: float) -> float:
    """CPU time of the daemon for each second in which nobody comes: every run has its heartbeats."""
    with Meter([crowd.pid]) as meter:
        await trio.sleep(for_s)
    return meter.cpu_s / meter.wall_s


def _line(first: Mapping[str, Any], point: Mapping[str, Any]) -> str:
    spread = " / ".join(f"{point[name]:.2f}" for name in ("min", "median", "max"))
    times, at_rest = point["median"] / first["median"], point["at_rest_ms_a_s"]
    return f"| {point['size']:,} | {spread} | {times:.2f} | {at_rest:.0f} |"


def _keep(folder: Path, curve: Mapping[str, Any]) -> None:
    folder.mkdir(exist_ok=True)
    (folder / f"{curve['name']}.json").write_text(json.dumps(curve, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
