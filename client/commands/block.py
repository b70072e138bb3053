"""crowdctl block and unblock: who gets nothing new."""

import click

from .. import shapes
from ..client import Client
from ..terminal import counted, safe, say, say_json
from .options import json_option, pass_client
from .people_words import worker_argument, workers_of


@click.command()
@worker_argument
@click.option("--reason", required=True, metavar="TEXT", help="One line, for history and for the provider.")
@json_option
@pass_client
def block(client: Client, worker: str, reason: str, as_json: bool) -> None:
    """Let a worker have nothing new, in any run, until `crowdctl unblock`.

    Who is at work keeps their unit and may still submit it. The worker's pages say that they cannot work
    for this requester; the reason is not shown to them.

    WORKER is a number, PROVIDER:NAME, or a name that only one of them has; `-` reads them from standard
    input, one a line, and blocks all of them or nobody.
    """
    _tell(client.block(workers_of(worker), reason), as_json, "blocked")


@click.command()
@worker_argument
@click.option("--reason", default="", metavar="TEXT", help="One line, kept in history.")
@json_option
@pass_client
def unblock(client: Client, worker: str, reason: str, as_json: bool) -> None:
    """Let a blocked worker in again."""
    _tell(client.unblock(workers_of(worker), reason), as_json, "unblocked")


def _tell(workers: "list[shapes.BlockInfo]", as_json: bool, state: str) -> None:
    if as_json:
        say_json(workers)
        return
    for worker in workers:
        before = "was not blocked" if state == "unblocked" else "was blocked before"
        how = f"is {state}" if worker.changed else before
        say(f"{safe(worker.name)} (worker {worker.id}) {how}.")
        if worker.holds and state == "blocked":
            units = ", ".join(f"unit {each.unit_id} of {safe(each.run)}" for each in worker.holds)
            say(f"  At work on {units}: may still submit that, and gets nothing else.")
    owed = [worker for worker in workers if worker.owed]
    if owed:
        say(
            f"The provider was not told of {counted(len(owed), 'worker')}: {safe(owed[0].owed)}. "
            "It is told again until it answers; crowdd itself enforces this already."
        )
