"""Results in words: the Markdown table of all records, a row's lines for who watches, a comparison."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .record import figure_named, same_machine, summary
from .sample import Figure

FAR = 0.1  # a ratio that is so much off the last one is pointed out
_HEAD = """# Figures

Written by `python -m benchmarks` from `records/`: do not edit. How they are taken and what limits them:
[README](README.md#how-they-are-taken). The ratio is the median of the rounds' ratios, ours in parts of the
baseline; in brackets the least and the most.
"""
_NOTE = "\n*Recorded: measured another time, on two cores of this kind; no round of ours met it.*\n"


def markdown(records: Sequence[Mapping[str, Any]]) -> str:
    """One table of all ratios, and one of all figures."""
    lines = [_HEAD, "| what | baseline | ratio of | seen | bound | |", "|---|---|---|---|---|---|"]
    lines += [_ratio_line(record, bound) for record in records for bound in record["bounds"]]
    lines += ["", "## Figures behind the ratios", "", "Least, median and most of the rounds.", ""]
    lines += ["| what | figure | ours | baseline | measured |", "|---|---|---|---|---|"]
    lines += [line for record in records for line in _figure_lines(record)]
    if any("recorded" in record["baseline"] for record in records):
        lines.append(_NOTE.rstrip())
    return "\n".join(lines) + "\n"


def words_of(record: Mapping[str, Any]) -> list[str]:
    """A row for a terminal."""
    lines = [f"{record['row']}: {record['what']}", f"  beside: {record['baseline']['what']}"]
    for figure in _figures(record):
        ours, baseline = _of(record["ours"], figure), _of(record["baseline"], figure)
        lines.append(f"  {figure}: {_spread(figure, ours)}; baseline {_spread(figure, baseline)}")
    for bound in record["bounds"]:
        each = ", ".join(f"{ratio:.3g}" for ratio in bound["rounds"])
        verdict = "holds" if bound["holds"] else "FALLS SHORT"
        lines.append(
            f"  ratio of {figure_named(bound['figure'])}: {bound['median']:.3g} ({each});"
            f" {bound_words(bound)}: {verdict}"
        )
    return lines


def comparison(record: Mapping[str, Any], last: Mapping[str, Any] | None) -> list[str]:
    """What changed since the last record, line by line."""
    if last is None or last["small"] != record["small"]:
        return ["  no earlier record"]
    lines: list[str] = []
    earlier = {bound["figure"]: bound["median"] for bound in last["bounds"]}
    for bound in record["bounds"]:
        if (before := earlier.get(bound["figure"])) is not None:
            name = f"ratio of {figure_named(bound['figure'])}"
            lines.append(_change(name, before, bound["median"]))
    if same_machine(record, last):
        before, now = (
            statistics.median(_of(each["ours"], Figure.CPU_US) or [0.0]) for each in (last, record)
        )
        lines.append(_change(f"{Figure.CPU_US} of ours", before, now, _time))
    measured = last["measured"]
    return [*lines, f"  the last: {measured['date']}, commit {measured['commit'] or 'unknown'}"]


def _ratio(value: float) -> str:
    return f"{value:.3g}"


def _change(name: str, before: float, now: float, form: Callable[[float], str] = _ratio) -> str:
    change = now / before - 1 if before else 0.0
    mark = "  <--" if abs(change) > FAR else ""
    return f"  {name}: {form(before)} before, {form(now)} now ({change:+.0%}){mark}"


def _ratio_line(record: Mapping[str, Any], bound: Mapping[str, Any]) -> str:
    spread = f"**{bound['median']:.3g}** ({min(bound['rounds']):.3g} to {max(bound['rounds']):.3g})"
    holds = "holds" if bound["holds"] else "falls short"
    what = figure_named(bound["figure"])
    wanted = bound_words(bound)
    return f"| {record['what']} | {_baseline_words(record)} | {what} | {spread} | {wanted} | {holds} |"


def _baseline_words(record: Mapping[str, Any]) -> str:
    star = " *(recorded)*" if "recorded" in record["baseline"] else ""
    return f"{record['baseline']['what']}{star}"


def _figure_lines(record: Mapping[str, Any]) -> list[str]:
    measured = record["measured"]
    when = f"{measured['date'][:10]} at {measured['commit'][:7]}{', changed' if measured['changed'] else ''}"
    return [
        f"| {record['row']} | {figure} | {_spread(figure, _of(record['ours'], figure))}"
        f" | {_spread(figure, _of(record['baseline'], figure))} | {when} |"
        for figure in _figures(record)
    ]


def _figures(record: Mapping[str, Any]) -> list[Figure]:
    """Those that both or one of the sides has, and that say something new."""
    rounds = [*record["ours"]["rounds"], *record["baseline"].get("rounds", ())]
    named = {name for each in rounds for name in each}
    if not any(bound["figure"] == Figure.TIME_US.name.lower() for bound in record["bounds"]):
        named.discard(Figure.TIME_US.name.lower())  # the throughput says the same
    return [figure for figure in Figure if figure.name.lower() in named]


def _of(side: Mapping[str, Any], figure: Figure) -> list[float]:
    name = figure.name.lower()
    if "recorded" in side:
        return [side["recorded"][name]] if name in side["recorded"] else []
    return [each[name] for each in side["rounds"] if name in each]


def _spread(figure: Figure, figures: Sequence[float]) -> str:
    if not figures:
        return "-"
    spread = summary(figures)
    if len(figures) == 1:
        return _told(figure, spread["median"])
    return " / ".join(_told(figure, spread[name]) for name in ("min", "median", "max"))


def bound_words(bound: Mapping[str, Any]) -> str:
    """What is asked for."""
    return f"{'at least' if bound['at_least'] else 'at most'} {bound['ratio']:.3g}"


def _told(figure: Figure, value: float) -> str:
    return _FORMS.get(figure, _time)(value)


def _time(us: float) -> str:
    for limit, unit in ((1e3, "us"), (1e6, "ms")):
        if us < limit:
            return f"{us * 1e3 / limit:.3g} {unit}"
    return f"{us / 1e6:.3g} s"


def _count(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


_FORMS: Mapping[Figure, Callable[[float], str]] = {
    Figure.PER_S: _count,
    Figure.LOAD: lambda share: f"{share:.0%}",
    Figure.BYTES: lambda count: f"{count / 1024:.1f} KiB",
}
