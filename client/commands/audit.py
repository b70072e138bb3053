"""crowdctl audit: what staff changed."""

import click

from .. import shapes
from ..client import Client
from ..terminal import local_time, safe, say, say_json, say_table
from .options import json_option, pass_client


@click.command()
@click.option("--about", metavar="WORDS", help="Only what was about this: a run, by its label.")
@json_option
@pass_client
def audit(client: Client, about: str | None, as_json: bool) -> None:
    """List what staff changed, oldest first: who, what, and what came of it.

    Where the outcome is not known it is under way, or the daemon ended meanwhile; history has what was done.
    """
    found = list(client.audit(about))
    if as_json:
        say_json(found)
    elif found:
        say_table(
            ["TIME", "WHO", "WHAT", "ABOUT", "BEFORE", "AFTER", "OUTCOME"],
            [
                [local_time(e.at), e.who, _words(e), e.subject, e.before, e.after, e.outcome or "not known"]
                for e in found
            ],
        )
    else:
        say(f"Staff has changed nothing{' yet' if about is None else f' about {safe(about)}'}.")


def _words(entry: "shapes.AuditEntry") -> str:
    return entry.what.replace("_", " ")
