"""Records: a file of JSON for each row, with all rounds, and on what they were measured."""

import json
import os
import platform
import sqlite3
import statistics
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs

from .rounds import Result
from .row import Bound, Recorded
from .sample import Figure

FORM = 1
ROOT = Path(__file__).parent.parent.parent
_WRITTEN = ("records", "figures.md", "README.md", "profiles")  # here, by commands that say what they measured
_OURS = tuple(f":(exclude)benchmarks/{name}" for name in _WRITTEN)


def record_of(result: Result) -> dict[str, Any]:
    """All that is kept of a result: no names of hosts, no paths."""
    return {
        "form": FORM,
        "row": result.row.name,
        "what": result.row.what,
        "small": result.small,
        "measured": circumstances(),
        "ours": {"rounds": _rounds(result.ours)},
        "baseline": {"what": result.row.baseline, **_baseline(result)},
        "bounds": [_verdict(result, bound) for bound in result.row.bounds],
        "holds": result.holds,
    }


def circumstances() -> dict[str, Any]:
    """When, at which commit, on what kind of machine."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _git("rev-parse", "--short=12", "HEAD"),
        "changed": bool(_git("status", "--porcelain", "--", ".", *_OURS)),
        "machine": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": f"{platform.system()} {'.'.join(platform.release().split('.')[:2])}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
    }


def write_record(folder: Path, record: Mapping[str, Any]) -> Path:
    """Keep it as the last of its row."""
    folder.mkdir(parents=True, exist_ok=True)
    path = _path(folder, str(record["row"]))
    path.write_text(json.dumps(record, indent=1) + "\n")
    return path


def last_record(folder: Path, row: str) -> dict[str, Any] | None:
    """The last one of this row, None when there is none that can be read."""
    try:
        record: dict[str, Any] = json.loads(_path(folder, row).read_bytes())
    except FileNotFoundError:
        return None
    return record if record.get("form") == FORM else None


def same_machine(record: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether times of the two can be compared, and not only ratios."""
    kinds = [[each["measured"][name] for name in ("machine", "cores", "python")] for each in (record, other)]
    return bool(kinds[0] == kinds[1])


def summary(figures: Sequence[float]) -> dict[str, float]:
    """The least, the middle, the most."""
    return {"min": min(figures), "median": statistics.median(figures), "max": max(figures)}


def _path(folder: Path, row: str) -> Path:
    return folder / f"{row}.json"


def _rounds(samples: Sequence[Any]) -> list[dict[str, float]]:
    return [{figure.name.lower(): each for figure, each in sample.figures().items()} for sample in samples]


def _baseline(result: Result) -> dict[str, Any]:
    if isinstance(result.baseline, Recorded):
        return {"recorded": {figure.name.lower(): each for figure, each in result.baseline.figures.items()}}
    return {"rounds": _rounds(result.baseline)}


def _verdict(result: Result, bound: Bound) -> dict[str, Any]:
    return {
        "figure": bound.figure.name.lower(),
        **attrs.asdict(bound, filter=lambda field, _: field.name != "figure"),
        "rounds": result.ratios(bound),
        "median": result.ratio(bound),
        "holds": bound.holds(result.ratio(bound)),
    }


def figure_named(name: str) -> Figure:
    """The figure that a record calls so."""
    return Figure[name.upper()]


def _git(*words: str) -> str:
    """What git says; "" in a folder that is no clone."""
    asked = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    return asked.stdout.strip()


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
