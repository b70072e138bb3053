"""crowdctl owed: what workers of a run have coming beside the pay for their units."""

from collections.abc import Sequence

import click

from .. import shapes
from ..client import Client
from ..terminal import local_time, say, say_json, say_table
from .options import json_option, pass_client, run_argument


@click.command()
@run_argument
@json_option
@pass_client
def owed(client: Client, run: str, as_json: bool) -> None:
    """List what workers have coming for the time they waited for others, oldest first.

    crowdd pays nobody by itself: it keeps what is owed.
    """
    found = list(client.owed(run))
    if as_json:
        say_json(found)
    elif not found:
        say("Nobody of this run is owed anything for waiting.")
    else:
        say_table(
            ["TIME", "WORKER", "AGENT", "FOR", "LONG", "AMOUNT", "WHY"],
            [
                [local_time(d.at), d.worker_name, d.agent_id, d.what, long(d.seconds), money(d.cents), d.why]
                for d in found
            ],
        )
        say(f"\nIn all {_sum(found)}.")


def long(seconds: float) -> str:
    """A time as people say it: 1:05 min."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02} min"


def money(cents: int) -> str:
    """An amount, as in task.toml."""
    return f"{cents // 100}.{cents % 100:02}"


def _sum(found: "Sequence[shapes.DebtInfo]") -> str:
    waited = long(sum(debt.seconds for debt in found))
    return f"{waited}, {money(sum(debt.cents for debt in found))}"
