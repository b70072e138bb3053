"""crowdctl links: personal addresses for workers."""

import click

from ..client import Client
from ..terminal import say_json, say_table
from .options import json_option, pass_client, run_argument


@click.command()
@run_argument
@click.option(
    "--workers", metavar="NAME,NAME...", help="For these workers; the same name is the same person."
)
@click.option("--count", type=click.IntRange(1, 10_000), metavar="N", help="For N new workers.")
@json_option
@pass_client
def links(client: Client, run: str, workers: str | None, count: int | None, as_json: bool) -> None:
    """Make personal links: send each to one worker, who can do many units with it."""
    if (workers is None) == (count is None):
        raise click.UsageError("Give either --workers NAME,NAME... or --count N.")
    if workers is not None:
        names = [name.strip() for name in workers.split(",") if name.strip()]
        if not names:
            raise click.UsageError("--workers names nobody.")
        made = client.links(run, names)
    else:
        made = client.new_links(run, count or 1)
    if as_json:
        say_json(made)
    else:
        say_table(["WORKER", "LINK"], [[link.worker_name, link.url] for link in made])
