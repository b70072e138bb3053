"""crowdctl revoke: a personal link that opens nothing any more, or a qualification that is taken away."""

import shlex

import click

from .. import shapes
from ..client import Client
from ..terminal import safe, say, say_json
from .grants import tell_revoked
from .options import json_option, pass_client
from .people_words import workers_of


@click.command()
@click.argument("link", metavar="[LINK|WORKER]", required=False)
@click.argument("name", metavar="[NAME]", required=False)
@click.option("--run", metavar="RUN", help="With --worker: the run of the link.")
@click.option("--worker", metavar="NAME", help="With --run: whose link, if the link itself is not at hand.")
@click.option("--now", is_flag=True, help="A link: take the unit back, too, from who works by it.")
@click.option("--why", default="", metavar="TEXT", help="A qualification: one line, kept in history.")
@json_option
@pass_client
def revoke(
    client: Client,
    link: str | None,
    name: str | None,
    run: str | None,
    worker: str | None,
    now: bool,
    why: str,
    as_json: bool,
) -> None:
    """Refuse a personal link from its next request on; or take a qualification away from a worker.

    With one word, the link is refused, whoever holds it. Who works by it keeps the unit and may send it from
    the open page, but cannot load the page again; with --now the unit goes back to the others. A new link for
    the same worker: crowdctl links.

    With two words, WORKER (a number, PROVIDER:NAME, a name, or `-` for standard input) loses the
    qualification NAME.
    """
    if link is not None and name is not None:
        _take(client, link, name, why, as_json)
        return
    if link is not None and run is None and worker is None:
        revoked = client.revoke_link(link, now)
    elif link is None and run is not None and worker is not None:
        revoked = client.revoke_link_of(run, worker, now)
    else:
        raise click.UsageError(
            "Give either LINK, or --run RUN and --worker NAME. To take a qualification away: WORKER NAME."
        )
    if as_json:
        say_json(revoked)
    else:
        _tell(revoked)


def _take(client: Client, worker: str, name: str, why: str, as_json: bool) -> None:
    taken = client.revoke(workers_of(worker), name, why)
    if as_json:
        say_json(taken)
    else:
        tell_revoked(taken, name)


def _tell(revoked: "shapes.RevokedLink") -> None:
    run, worker = safe(revoked.run), safe(revoked.worker_name)
    if revoked.already:
        say(f"The link of {worker} to run {run} was revoked before.")
    else:
        say(f"The link of {worker} to run {run} is revoked: it is refused from now on.")
    if revoked.ended:
        say("The unit that was being worked on by it was taken back.")
    if revoked.at_work:
        say("A unit is being worked on by it, and may still be sent; --now takes it back.")
    say(f"Next, if {worker} is to go on: crowdctl links {run} --workers {shlex.quote(worker)}")
