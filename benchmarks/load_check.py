"""Is the load generator what limits? It asks two servers of constants over thousands of kept connections.

Usage: python -m benchmarks.load_check [--connections 1000 4000]. The bare server shows the most it can ask
for; beside Starlette, the lightest that it is a load for, it must cost less: else it exits with 1.
"""

import argparse
import statistics
import sys
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack

import trio

from .idle import FILES_SPARE, allow_files
from .instrument.row import Measure
from .instrument.sample import Figure, Sample
from .load import open_load, visits
from .rows.posts import open_constant

SERVERS = {"bare": "benchmarks.bare_answer", "Starlette": "benchmarks.rows.constant_answer"}
ROUNDS = 3
VISITS_EACH = 5  # for each connection in a round; a visit is two requests
BUSY_MAX = 0.7  # what it may cost of what the server costs: a core is left to it anyway
HEAD = """
| connections | server | requests a second | generator, CPU a request | server, CPU a request | p50 / p99 |
|---|---|---|---|---|---|"""


def main(words: Sequence[str] | None = None) -> int:
    """Measure and print; 1 when the generator could be what limits."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--connections", type=int, nargs="+", default=[1_000, 4_000])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    asked = parser.parse_args(words)
    allow_files(max(asked.connections) + FILES_SPARE)
    print(HEAD, flush=True)
    held = [trio.run(_check, count, asked.rounds) for count in asked.connections]
    print("\nThe generator is not what limits." if all(held) else "\nTHE GENERATOR MAY BE WHAT LIMITS.")
    return 0 if all(held) else 1


async def _check(connections: int, rounds: int) -> bool:
    """Both servers in turns, each with a load of its own."""
    async with AsyncExitStack() as stack:
        sides: dict[str, Measure] = {}
        for name, module in SERVERS.items():
            port, pid = await stack.enter_async_context(open_constant(module))
            load = await stack.enter_async_context(open_load(port, f"127.0.0.1:{port}", "/", connections))
            sides[name] = visits(load, [pid], connections * VISITS_EACH, submit=True, by_post=True)
        samples = await _rounds(sides, rounds)
    for name, of_server in samples.items():
        print(_line(connections, name, of_server), flush=True)
    return all(_load_us(sample) < BUSY_MAX * _server_us(sample) for sample in samples["Starlette"])


async def _rounds(sides: Mapping[str, Measure], rounds: int) -> dict[str, list[Sample]]:
    samples: dict[str, list[Sample]] = {name: [] for name in sides}
    for side in sides.values():
        await side()  # a warm-up, and where the connections are opened
    for number in range(rounds):
        for name in list(sides) if number % 2 == 0 else reversed(list(sides)):
            samples[name].append(await sides[name]())
    return samples


def _line(connections: int, name: str, samples: Sequence[Sample]) -> str:
    per_s, p50, p99 = (
        statistics.median(sample.figures()[figure] for sample in samples)
        for figure in (Figure.PER_S, Figure.P50_US, Figure.P99_US)
    )
    costs = [statistics.median(map(cost, samples)) for cost in (_load_us, _server_us)]
    shares = [cost * per_s / 1e6 for cost in costs]
    told = " | ".join(f"{us:.0f} us, {share:.0%} of a core" for us, share in zip(costs, shares, strict=True))
    return f"| {connections:,} | {name} | {per_s:,.0f} | {told} | {p50 / 1e3:.0f} / {p99 / 1e3:.0f} ms |"


def _load_us(sample: Sample) -> float:
    assert sample.load_s is not None
    return sample.load_s / sample.operations * 1e6


def _server_us(sample: Sample) -> float:
    return sample.cpu_s / sample.operations * 1e6


if __name__ == "__main__":
    sys.exit(main())
