"""A profile as a page of Markdown that is kept: no paths of the machine, no name of a host."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from .profile import Profile, ThreadProfile
from .shares import Share, by_function, by_module, most_itself, most_with_calls

SHOWN = 20  # functions, and as many modules
LATE = " The sampler was late on a busy machine: believe large shares only."
TOLD_US = 0.05  # less is 0.0
SHARE_SHOWN = 0.02  # threads that take less of all are told in one line


def page_of(profile: Profile, measured: Mapping[str, Any]) -> str:
    """The whole page; `measured`: when and on what, as records say it."""
    lines = [*_head(profile, measured), "", "## By thread", "", *_threads(profile)]
    total = sum(thread.cpu_us for thread in profile.threads)
    for thread in profile.threads:
        if thread.stacks and thread.cpu_us >= SHARE_SHOWN * total:
            lines += ["", f"## {thread.process}: {thread.thread}", "", *_thread(thread)]
    return "\n".join(lines) + "\n"


def _head(profile: Profile, measured: Mapping[str, Any]) -> list[str]:
    row, changed = profile.row, " (changed)" if measured["changed"] else ""
    return [
        f"# Profile: {row.name}",
        "",
        f"Written by `python -m benchmarks.profile {row.name}`: do not edit. Our side alone, of:",
        f"*{row.what}*.",
        f"Taken {measured['date'][:10]} at {measured['commit'][:7]}{changed} on",
        "{cores} cores of {machine}, {system}, Python {python}, SQLite {sqlite};".format(**measured),
        f"load {profile.load:.1f} before. {profile.rate} looks a second.{LATE * profile.late}",
        "",
        "CPU by thread is the system's count, without a sampler. Shares are of the looks that met the thread",
        "at work, and microseconds those shares of its CPU.",
    ]


def _threads(profile: Profile) -> list[str]:
    total = sum(thread.cpu_us for thread in profile.threads)
    lines = ["| process | thread | CPU for each, us | of all |", "|---|---|---|---|"]
    for thread in (thread for thread in profile.threads if thread.cpu_us >= TOLD_US):
        share = thread.cpu_us / total if total else 0.0
        lines.append(f"| {thread.process} | {thread.thread} | {thread.cpu_us:.1f} | {share:.0%} |")
    operations, wall_s = profile.clocked.operations, profile.clocked.wall_s
    return [
        *lines,
        f"| all | | {total:.1f} | {operations:,} operations, {operations / wall_s:,.0f} a second |",
    ]


def _thread(thread: ThreadProfile) -> list[str]:
    met = sum(stack.times for stack in thread.stacks)
    functions, modules = by_function(thread.stacks), by_module(thread.stacks)
    tables: list[tuple[str, Callable[[Iterable[Share], int], list[Share]], list[Share]]] = [
        ("Modules, with all they call", most_with_calls, modules),
        ("Modules themselves", most_itself, modules),
        ("Functions, with all they call", most_with_calls, functions),
        ("Functions themselves", most_itself, functions),
    ]
    lines = [f"Met at work {met:,} times."]
    for title, most, shares in tables:
        lines += ["", *_table(title, most(shares, SHOWN), thread.cpu_us)]
    return lines


def _table(title: str, shares: Sequence[Share], cpu_us: float) -> list[str]:
    lines = [f"| {title} | itself | with calls | us, itself | us, with calls |", "|---|---|---|---|---|"]
    return lines + [
        f"| `{share.name}` | {share.itself:.1%} | {share.with_calls:.1%}"
        f" | {share.itself * cpu_us:.1f} | {share.with_calls * cpu_us:.1f} |"
        for share in shares
    ]
