"""What `crowdd certify` says in the end: one report, as JSON and as Markdown. Pure."""

import os
import platform
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import attrs

from .findings import CampaignResult, Plan


@attrs.frozen
class Report:
    """All campaigns of one call."""

    version: str
    plan: Plan
    results: Sequence[CampaignResult]
    begun_at: datetime

    @property
    def violations(self) -> int:
        """How many promises did not hold."""
        return sum(len(result.violations) for result in self.results)

    def as_json(self) -> dict[str, Any]:
        """The whole report as a document."""
        return {
            "crowdd": self.version,
            "begun_at": self.begun_at.isoformat(),
            "machine": machine(),
            "seed": self.plan.seed,
            "planted": self.plan.plant,
            "violations": self.violations,
            "campaigns": [_result(result) for result in self.results],
        }

    def as_markdown(self) -> str:
        """The same to be read."""
        lines = [
            "# crowdd certify",
            "",
            f"crowdd {self.version}, {self.begun_at:%Y-%m-%d %H:%M} UTC, seed {self.plan.seed}, {machine()}.",
            f"**{verdict(self)}**",
        ]
        for result in self.results:
            lines += ["", *_section(result)]
        return "\n".join(lines) + "\n"


def verdict(report: Report) -> str:
    """One sentence."""
    cycles = sum(result.cycles for result in report.results)
    if report.violations == 1:
        return f"{cycles} cycles, 1 violation."
    return f"{cycles} cycles, {report.violations} violations."


def machine() -> str:
    """What it ran on."""
    system, cores = platform.uname(), os.cpu_count() or 0
    counted = "1 core" if cores == 1 else f"{cores} cores"
    return f"{system.system} {system.release} {system.machine}, {counted}, Python {platform.python_version()}"


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which so many of them are; of none: 0."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def _result(result: CampaignResult) -> dict[str, Any]:
    answers = result.first_answers_ms
    return {
        "name": result.name,
        "cycles": result.cycles,
        "took_s": round(result.took_s, 1),
        "operations": dict(result.operations),
        "violations": [attrs.asdict(finding) for finding in result.violations],
        "first_answer_ms": {
            "count": len(answers),
            "p50": round(quantile(answers, 0.5), 1),
            "p99": round(quantile(answers, 0.99), 1),
            "max": round(max(answers, default=0.0), 1),
        },
        "notes": list(result.notes),
    }


def _section(result: CampaignResult) -> list[str]:
    said = _result(result)
    lines = [f"## {result.name}: {result.cycles} cycles in {result.took_s:.0f} s", ""]
    lines += [f"- {note}" for note in result.notes]
    if result.first_answers_ms:
        first = said["first_answer_ms"]
        lines.append(
            f"- first answer after a start: p50 {first['p50']:.0f} ms, p99 {first['p99']:.0f} ms, "
            f"at most {first['max']:.0f} ms ({first['count']} starts)"
        )
    if result.operations:
        lines += ["", "| answered definitely | times |", "|---|---|"]
        lines += [f"| {kind} | {count} |" for kind, count in result.operations.items()]
    lines += ["", f"Violations: {len(result.violations) or 'none'}"]
    for finding in result.violations:
        lines += ["", f"- {finding.words}", "", f"      {finding.repeat}"]
    return lines
