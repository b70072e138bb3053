"""crowdctl extend: more of everything for a run that goes on."""

import os
from collections.abc import Mapping
from pathlib import Path

import click

from .. import shapes
from ..client import Client
from ..errors import ConnectionCut
from ..terminal import counted, safe, say, say_json
from .options import json_option, pair_of, pass_client, run_argument

TIME, PAY = "limits.assignment_duration_s", "pay.reward"
CAP, PATIENCE = "limits.max_num_concurrent_units", "limits.no_submission_patience_s"

_SCOPES = {PAY: ", for units that are not released yet", TIME: ", for units taken from now on"}
"""For what it is so."""


@click.command()
@run_argument
@click.argument("settings", metavar="[KEY=VALUE]...", nargs=-1)
@click.option("--rows", type=click.Path(path_type=Path), metavar="FILE", help=".jsonl, .json or .csv.")
@click.option("--max-concurrent-units", metavar="N", help=f"How many units are out at once ({CAP}).")
@click.option("--time", metavar="SECONDS", help=f"For a unit, from now on ({TIME}).")
@click.option("--agents", is_flag=True, help="Give that time to those at work, too; nobody loses any.")
@click.option("--pay", metavar="AMOUNT", help=f"For units that are not released yet ({PAY}).")
@click.option("--patience", metavar="SECONDS", help=f"To wait for anybody, from now on ({PATIENCE}).")
@click.option("--request-id", metavar="ID", help="The same id again never adds rows twice.")
@json_option
@pass_client
def extend(
    client: Client,
    run: str,
    settings: tuple[str, ...],
    rows: Path | None,
    max_concurrent_units: str | None,
    time: str | None,
    agents: bool,
    pay: str | None,
    patience: str | None,
    request_id: str | None,
    as_json: bool,
) -> None:
    """Give a run that goes on more rows, other limits, other pay.

    Rows come after all others of the run and are checked as its data was. KEY=VALUE is any limits.NAME or
    pay.reward as in task.toml; what cannot change while a run goes on is refused with the reason. A unit
    keeps the pay that it was released with. All is done, or nothing.
    """
    named = {CAP: max_concurrent_units, TIME: time, PAY: pay, PATIENCE: patience}
    wanted = {
        **dict(map(pair_of, settings)),
        **{key: said for key, said in named.items() if said is not None},
    }
    if not (wanted or rows or agents):
        raise click.UsageError("Say what is to change: --rows FILE, --pay AMOUNT, ... (--help lists it).")
    info = _extended(client, run, wanted, rows, agents, request_id or os.urandom(16).hex())
    if as_json:
        say_json(info)
    else:
        _tell(info, agents)


def _extended(
    client: Client, run: str, wanted: Mapping[str, str], rows: Path | None, agents: bool, request_id: str
) -> "shapes.ExtendedRun":
    try:
        return client.extend(run, wanted, rows, agents, request_id)
    except ConnectionCut as exc:
        raise ConnectionCut(
            f"{exc.message} Whether the run was extended is not known.",
            f"Extend again with --request-id {request_id}: that never adds rows twice.",
        ) from exc
    except OSError as exc:
        raise click.UsageError(f"{safe(rows)}: {exc.strerror or exc}.") from exc


def _tell(info: "shapes.ExtendedRun", agents: bool) -> None:
    told, label = info.extension, safe(info.label)
    if told.already:
        say(f"This request had added its rows to run {label} before: nothing was changed.")
        return
    if not (told.changes or told.rows or told.present):
        say(f"Run {label} is so already: nothing was changed.")
        return
    say(f"Run {label} is extended.")
    if told.rows:
        say(f"  {counted(told.rows, 'row')} added")
    if told.rows_after_code:
        say("  They come after the rows of rows() in task.py: if that never ends, they are never reached.")
    for change in told.changes:
        before, after = safe(change.before), safe(change.after)
        say(f"  {safe(change.key)}: {before} -> {after}{_SCOPES.get(change.key, '')}")
    if told.present:
        say(f"  {told.present} at work have more time; a page shows it once it is loaded again")
    elif info.agents_live and not agents and any(change.key == TIME for change in told.changes):
        say(f"  {info.agents_live} at work keep the time they have; --agents would give them more")
    say(f"Next: crowdctl watch {label}")
