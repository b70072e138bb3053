"""crowdctl grant: qualifications given to workers."""

import click

from .. import shapes
from ..client import Client
from ..terminal import counted, safe, say, say_json
from .options import json_option, pass_client
from .people_words import worker_argument, workers_of


@click.command(context_settings={"ignore_unknown_options": True})
@worker_argument
@click.argument("name", metavar="NAME")
@click.argument("value", type=int, default=1, metavar="[VALUE]")
@click.option("--why", default="", metavar="TEXT", help="One line, kept in history.")
@click.option("--ahead", is_flag=True, help="Also to workers who never came, written PROVIDER:NAME.")
@json_option
@pass_client
def grant(client: Client, worker: str, name: str, value: int, why: str, ahead: bool, as_json: bool) -> None:
    """Give a worker a qualification: 1, or another whole number; it replaces what they had.

    WORKER is a number, PROVIDER:NAME, or a name that only one of them has; `-` reads them from standard
    input, one a line, and gives it to all of them or to nobody.
    """
    given = client.grant(workers_of(worker), name, value, why, ahead)
    if as_json:
        say_json(given)
    elif len(given) == 1:
        say(f"{_of(given[0])} has {safe(name)}={value} now{_before(given[0])}.")
    else:
        say(f"{counted(len(given), 'worker')} have {safe(name)}={value} now.")


def tell_revoked(taken: "list[shapes.Granted]", name: str) -> None:
    """Say from whom a qualification was taken, and who had none."""
    had = [each for each in taken if each.before is not None]
    if len(taken) == 1:
        one = taken[0]
        what = f"has no {safe(name)} any more; it was {one.before}" if had else f"had no {safe(name)}"
        say(f"{_of(one)} {what}.")
    else:
        none = f"; {len(taken) - len(had)} had none" if len(had) < len(taken) else ""
        say(f"{counted(len(had), 'worker')} lost {safe(name)}{none}.")


def _of(grant: "shapes.Granted") -> str:
    return f"{safe(grant.worker_name)} (worker {grant.worker_id})"


def _before(grant: "shapes.Granted") -> str:
    return "" if grant.before is None else f"; it was {grant.before}"
