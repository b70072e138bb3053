"""crowdctl wait: for scripts."""

import time

import click

from ..client import ENDED, Client
from ..exit_codes import ExitCode
from ..shapes import Snapshot
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
    give_up_at = None if timeout_s is None else time.monotonic() + timeout_s
    client = ctx.find_object(Client)
    assert client is not None
    ends: list[Snapshot] = []
    for run in runs:
        snapshot = _end_of(client, run, give_up_at)
        ends.append(snapshot)
        if not as_json:
            say(f"{safe(snapshot['run'])}: {safe(snapshot['state'])}, {done_of(snapshot)} done")
    if as_json:
        say_json(ends)
    if any(snapshot["state"] not in ENDED for snapshot in ends):
        ctx.exit(ExitCode.TIMEOUT)
    if any(snapshot["state"] != "completed" for snapshot in ends):
        ctx.exit(ExitCode.RUN_NOT_COMPLETED)


def _end_of(client: Client, run: str, give_up_at: float | None) -> Snapshot:
    """The run's last snapshot: ended, or as it is when the time is over."""
    for snapshot in client.follow(run):
        if snapshot["state"] in ENDED or (give_up_at is not None and time.monotonic() >= give_up_at):
            return snapshot
    raise AssertionError("follow ends only after a snapshot of an ended run")
