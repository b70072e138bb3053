"""crowdctl disk: what takes how much room."""

import click

from .. import shapes
from ..client import Client
from ..terminal import Cell, safe, say, say_facts, say_json, say_table
from .options import json_option, pass_client

_UNITS = ("kB", "MB", "GB", "TB", "PB")


@click.command()
@json_option
@pass_client
def disk(client: Client, as_json: bool) -> None:
    """Say what takes how much in the daemon's data folder, largest run first."""
    use = client.disk()
    if as_json:
        say_json(use)
    else:
        _tell(use)


def _tell(use: "shapes.DiskInfo") -> None:
    say(safe(use.data))
    say_facts(
        [
            ("Database", f"{size(use.database)}, the records of all runs"),
            ("Runs", size(sum(map(_total, use.runs)))),
            ("Other", size(use.other)),
            ("Free", size(use.free)),
        ]
    )
    say()
    if use.runs:
        headings = ["RUN", "LABEL", "STATE", "TASK", "UPLOADS", "ROUTER", "TOTAL"]
        say_table(headings, [_row(run) for run in sorted(use.runs, key=_total, reverse=True)])
    else:
        say("No runs yet. Launch one: crowdctl launch DIR")


def _row(run: "shapes.RunDisk") -> list[Cell]:
    sizes = (run.task, run.files, run.router, _total(run))
    return [run.id, run.label, run.state, *map(size, sizes)]


def _total(run: "shapes.RunDisk") -> int:
    return run.task + run.files + run.router


def size(count: int) -> str:
    """Bytes as people say them: `999 B`, `1.0 kB`, `2.5 GB`."""
    if count < 1000:
        return f"{count} B"
    number, left = count / 1000, list(_UNITS)
    while number >= 999.95 and len(left) > 1:
        number /= 1000
        del left[0]
    return f"{number:.1f} {left[0]}"
