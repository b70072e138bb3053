"""crowdctl wait: for scripts."""

import time

import click

from .. import shapes
from ..client import Client
from ..errors import NotEnded
from ..exit_codes import ExitCode
from ..terminal import safe, say, say_json
from .options import json_option
from .runs import done_of


@click.command()
@click.argument("runs", metavar="RUN...", nargs=-1, required=True)
@click.option("--timeout", "timeout_s", type=float, metavar="SECONDS", help="Give up after so long (exit 6).")
@json_option
@click.pass_context
def wait(ctx: click.Context, runs: tuple[str, ...], timeout_s: float | None, as_json: bool) -> None:
    """Return when every RUN has ended: 0 if all completed, else 5."""
    client = ctx.find_object(Client)
    assert client is not None
    give_up_at = None if timeout_s is None else time.monotonic() + timeout_s
    ends: list[shapes.Snapshot] = []
    late: list[str] = []
    for run in runs:
        left_s = None if give_up_at is None else max(0.0, give_up_at - time.monotonic())
        try:
            ends += client.wait(run, timeout_s=left_s)
        except NotEnded as exc:
            ends += exc.snapshots
            late += exc.runs
        if not as_json:
            say(f"{safe(ends[-1].run)}: {safe(ends[-1].state)}, {done_of(ends[-1])} done")
    if as_json:
        say_json(ends)
    if late:
        ctx.exit(ExitCode.TIMEOUT)
    if any(snapshot.state != "completed" for snapshot in ends):
        ctx.exit(ExitCode.RUN_NOT_COMPLETED)
