"""crowdctl watch: a run's progress while it happens."""

import sys
import time
from datetime import datetime
from itertools import zip_longest
from typing import TYPE_CHECKING

import click

from .. import shapes
from ..client import Client
from ..terminal import safe, say, say_json
from ..watching import ENDED
from .options import json_option, pass_client, run_argument
from .runs import done_of, router_line, state_of

if TYPE_CHECKING:
    from rich.console import RenderableType

PLAIN_GAP_S = 5.0  # a log with a line for each answer is no log


@click.command()
@run_argument
@json_option
@pass_client
def watch(client: Client, run: str, as_json: bool) -> None:
    """Show a run's progress until it has ended; Ctrl-C leaves the run alone."""
    if as_json:
        for snapshot in client.follow(run):
            say_json(snapshot)
    elif sys.stdout.isatty():
        _watch_live(client, run)
    else:
        _watch_plainly(client, run)


def _watch_plainly(client: Client, run: str) -> None:
    """A line at once when the state, a router or the trouble changes; for counts, one every few seconds."""
    told: object = None
    next_at = 0.0

    def say_away(why: str) -> None:
        nonlocal told
        if told != "away":
            say(f"{datetime.now():%H:%M:%S}  {why}")
        told = "away"

    for snapshot in client.follow(run, on_away=say_away):
        news = (state_of(snapshot), snapshot.trouble, [router.up for router in snapshot.routers])
        if news != told or time.monotonic() >= next_at:
            say(f"{datetime.now():%H:%M:%S}  {progress_line(snapshot)}")
            told, next_at = news, time.monotonic() + PLAIN_GAP_S


def progress_line(snapshot: "shapes.Snapshot") -> str:
    """How the run stands, on one line."""
    parts = [
        safe(state_of(snapshot)),
        f"{done_of(snapshot)} done",
        f"{snapshot.agents_live} at work",
        f"routers {sum(r.up for r in snapshot.routers)}/{len(snapshot.routers)} up",
    ]
    if snapshot.per_minute:
        parts.append(f"{snapshot.per_minute:.1f} a minute")
    if snapshot.trouble:
        parts.append(safe(snapshot.trouble))
    return "  ".join(parts)


def _watch_live(client: Client, run: str) -> None:
    from rich.console import Group
    from rich.live import Live
    from rich.text import Text

    last: shapes.Snapshot | None = None
    with Live(refresh_per_second=4) as live:

        def show_away(why: str) -> None:
            picture = [] if last is None else [progress_picture(last)]
            live.update(Group(*picture, Text(why, style="red")))

        for last in client.follow(run, on_away=show_away):
            live.update(progress_picture(last))
    if last is not None and last.state in ENDED:
        label = safe(last.run)
        say(f"Run {label} has ended: {safe(last.state)}.\nNext: crowdctl export {label} -o {label}.jsonl")


def progress_picture(snapshot: "shapes.Snapshot") -> "RenderableType":
    """A progress bar over a table of counts and the routers."""
    from rich.console import Group
    from rich.text import Text

    title = Text(f"{safe(snapshot.run)}  {safe(state_of(snapshot))}", style="bold")
    routers = [
        Text(f"router {safe(router_line(router))}", style="green" if router.up else "red")
        for router in snapshot.routers
    ]
    trouble = [Text(safe(snapshot.trouble), style="red")] if snapshot.trouble else []
    return Group(title, _bar(snapshot), _counts(snapshot), *routers, *trouble)


def _bar(snapshot: "shapes.Snapshot") -> "RenderableType":
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    bar = Table.grid(padding=(0, 1), expand=False)
    progress = ProgressBar(total=max(snapshot.units_total, 1), completed=snapshot.units_done, width=40)
    bar.add_row(progress, Text(f"{done_of(snapshot)}{_pace(snapshot)}"))
    return bar


def _counts(snapshot: "shapes.Snapshot") -> "RenderableType":
    from rich.table import Table
    from rich.text import Text

    counts = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("UNITS", "", "AGENTS", ""):
        counts.add_column(heading, justify="left" if heading else "right")
    pairs = zip_longest(snapshot.units.items(), snapshot.agents.items(), fillvalue=("", ""))
    for unit, agent in pairs:
        counts.add_row(*(Text(safe(cell)) for cell in (*unit, *agent)))
    return counts


def _pace(snapshot: "shapes.Snapshot") -> str:
    rate = snapshot.per_minute
    if not rate:
        return ""
    left = snapshot.units_total - snapshot.units_done
    eta = f", {left / rate:.0f} min to go" if left and snapshot.rows_done else ""
    return f"  {rate:.1f} a minute{eta}"
