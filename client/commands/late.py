"""crowdctl late: what a router had called submitted, and came too late to count."""

import click

from .. import shapes
from ..client import Client
from ..terminal import local_time, say, say_json, say_table
from .options import json_option, pass_client, run_argument
from .owed import money


@click.command()
@run_argument
@json_option
@pass_client
def late(client: Client, run: str, as_json: bool) -> None:
    """List answers that came too late to count, oldest first.

    While the daemon is away routers keep what workers submit. If a unit went to somebody else meanwhile, the
    answer is kept here, with its files. It is neither exported nor judged; whether it is paid, you decide.
    """
    found = list(client.late(run))
    if as_json:
        say_json(found)
    elif not found:
        say("Nothing came too late: every answer that was called submitted counts.")
    else:
        say_table(["TIME", "WHAT", "WORKER", "AGENT", "UNIT", "PAY", "WHY"], list(map(_row, found)))
        say("\nWhat they say: the same with --json.")


def _row(late: "shapes.LateInfo") -> list[str | int | None]:
    pay = "" if late.pay_cents is None or late.kind != "answer" else money(late.pay_cents)
    return [
        local_time(late.at),
        late.kind,
        late.worker_name or "",
        late.agent_id or "",
        late.unit_id or "",
        pay,
        late.why,
    ]
