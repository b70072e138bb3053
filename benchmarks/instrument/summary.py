"""The short table of a page for people: a line for each row, and what limits it."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from .report import bound_words
from .sample import Figure

BEGIN = "<!-- Written by `python -m benchmarks` from records/ and rows/limits.py: do not edit. -->"
END = "<!-- So far. -->"
_HEAD = ["| row | beside | ours in parts of that | bound | | what limits it |", "|---|---|---|---|---|---|"]
_SHORT: Mapping[str, str] = {
    Figure.PER_S.name.lower(): "throughput",
    Figure.TIME_US.name.lower(): "time",
    Figure.CPU_US.name.lower(): "CPU",
    Figure.P50_US.name.lower(): "wait",
    Figure.BYTES.name.lower(): "memory",
}


@attrs.frozen
class Limit:
    """What limits a row, in a line, and the page that tells more."""

    page: str
    words: str


def summary_of(records: Sequence[Mapping[str, Any]], limits: Mapping[str, Limit]) -> str:
    """The table, in Markdown."""
    return "\n".join([*_HEAD, *(_line(record, limits[record["row"]]) for record in records)]) + "\n"


def with_summary(page: str, table: str) -> str:
    """The page with this table in the place of the last one; as it was when it has no place for one."""
    before, found, after = page.partition(f"{BEGIN}\n")
    _, ended, rest = after.partition(END)
    return f"{before}{BEGIN}\n\n{table}\n{END}{rest}" if found and ended else page


def _line(record: Mapping[str, Any], limit: Limit) -> str:
    bounds = record["bounds"]
    seen = ", ".join(f"{_SHORT[bound['figure']]} **{bound['median']:.3g}**" for bound in bounds)
    wanted = ", ".join(map(bound_words, bounds))
    holds = "holds" if record["holds"] else "**short**"
    row, beside = record["row"], re.split("[:,] ", record["baseline"]["what"])[0]
    return f"| [{row}](limits/{limit.page}.md) | {beside} | {seen} | {wanted} | {holds} | {limit.words} |"
