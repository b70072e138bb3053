"""Simulated worlds in number: `python -m benchmarks.seeds --seeds 1000 --faults 300 --healing 60`.

What is found is named with its seed; the same command with `--first SEED --seeds 1` finds it again.
"""

import argparse
import sys
import time
from collections import Counter

from crowdd.testing.seeds import SeedReport, open_pool, run_seeds


def main() -> int:
    """Exit status 1: a promise was broken."""
    asked = _arguments()
    began, reports = time.monotonic(), list[SeedReport]()
    seeds = range(asked.first, asked.first + asked.seeds)
    with open_pool() as pool:
        for report in run_seeds(pool, seeds, asked.faults, asked.healing):
            reports.append(report)
            _tell(report, len(reports), asked.seeds)
    virtual_s = sum(report.virtual_s for report in reports)
    cpu_s = sum(report.cpu_s for report in reports)
    print(
        f"\n{len(reports)} seeds of {asked.faults:g} + {asked.healing:g} virtual seconds in "
        f"{time.monotonic() - began:.0f} s: {virtual_s / cpu_s:.0f} times real time on one core; "
        f"{sum(report.calls for report in reports):,} calls; "
        f"{sum(map(_is_bad, reports))} seeds with violations"
    )
    for scene, count in sorted(Counter(report.scene for report in reports).items()):
        print(f"  {count:5} {scene}")
    return int(any(map(_is_bad, reports)))


def _is_bad(report: SeedReport) -> bool:
    return bool(report.violations)


def _tell(report: SeedReport, done: int, of: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{done} of {of}", end="", file=sys.stderr, flush=True)
    for violation in report.violations:
        broken = f"{violation.subject}: {violation.text} ({violation.rule.value})"
        print(f"seed {report.seed}, {report.scene}: {broken}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000, help="how many")
    parser.add_argument("--first", type=int, default=1, help="the first one")
    parser.add_argument("--faults", type=float, default=300.0, help="virtual seconds of faults")
    parser.add_argument("--healing", type=float, default=60.0, help="virtual seconds of healing after them")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
