"""Agents that come and go, 100,000 of them: what daemon and router hold after the second half of them.

Usage: python -m benchmarks.leaks [--agents 100000]. Exits with 1 when one of them holds more than 1.05 of
what it held after the first half. With few agents that says little: what is kept up to a limit still fills.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import attrs
import trio

from .rows.static_runs import StaticRun, open_static_run

CONNECTIONS = 64  # from as many addresses: a router lets no address register without end
STEPS = 20  # looks at the memory, half of them after each half
BOUND = 1.05
WARM_UP_PART = 50  # the first of so many come before anything is told: code that is not loaded yet


@attrs.frozen
class Held:
    """Memory of one process, in bytes."""

    resident: int
    proportional: int
    """PSS: what is shared with others counts by parts."""


def main(words: Sequence[str] | None = None) -> int:
    """Measure and print; 1 when the memory of the second half is above its bound."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--agents", type=int, default=100_000)
    return 0 if trio.run(_measure, parser.parse_args(words).agents) else 1


async def _measure(agents: int) -> bool:
    began, warm_up = time.monotonic(), agents // WARM_UP_PART
    with tempfile.TemporaryDirectory(prefix="crowdd-benchmark-") as folder:
        print(f"making {agents + warm_up:,} units", flush=True)
        async with open_static_run(Path(folder), agents + warm_up, CONNECTIONS) as run:
            await _come(run, warm_up)
            print("| agents | daemon RSS, PSS | router RSS, PSS | after |\n|---|---|---|---|", flush=True)
            looks: list[Mapping[str, Held]] = []
            for step in range(1, STEPS + 1):
                await _come(run, agents * step // STEPS - agents * (step - 1) // STEPS)
                looks.append(_held(run))
                print(_line(agents * step // STEPS, looks[-1], time.monotonic() - began), flush=True)
    return _report(looks[STEPS // 2 - 1], looks[-1])


async def _come(run: StaticRun, count: int) -> None:
    """So many new workers register, submit, and are not seen again."""
    await run.load.open()
    await run.load.visit(count, submit=True)


def _held(run: StaticRun) -> Mapping[str, Held]:
    daemon, router = run.servers.values()
    return {"daemon": _of(daemon), "router": _of(router)}


def _of(pid: int) -> Held:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    sizes = {words[0]: int(words[1]) * 1024 for words in map(str.split, lines[1:])}
    return Held(sizes["Rss:"], sizes["Pss:"])


def _line(agents: int, held: Mapping[str, Held], seconds: float) -> str:
    sizes = " | ".join(f"{_mib(each.resident)}, {_mib(each.proportional)} MiB" for each in held.values())
    return f"| {agents:,} | {sizes} | {seconds:.0f} s |"


def _report(first: Mapping[str, Held], second: Mapping[str, Held]) -> bool:
    print()
    held = True
    for name in first:
        rss = second[name].resident / first[name].resident
        pss = second[name].proportional / first[name].proportional
        holds = max(rss, pss) <= BOUND
        held = held and holds
        verdict = "holds" if holds else "FALLS SHORT"
        print(
            f"{name}: second half {rss:.3f} (RSS), {pss:.3f} (PSS) of the first, at most {BOUND}: {verdict}"
        )
    return held


def _mib(count: int) -> str:
    return f"{count / 2**20:.1f}"


if __name__ == "__main__":
    sys.exit(main())
