"""crowdctl reload: the daemon reads its configuration again."""

import click

from ..client import Client
from ..terminal import safe, say, say_json
from .options import json_option, pass_client


@click.command()
@json_option
@pass_client
def reload(client: Client, as_json: bool) -> None:
    """Have the daemon read crowdd.toml again; comes back when that is done.

    Log levels and where metrics are served are taken up at once; what needs a restart is said. With a fault
    anywhere in the file nothing changes.
    """
    done = client.reload()
    if as_json:
        say_json(done)
        return
    for words in done.warnings:
        say(safe(words))
    for words in done.taken_up:
        say(f"Taken up: {safe(words)}")
    for words in done.needs_restart:
        say(f"Needs a restart: {safe(words)}")
    if not done.taken_up and not done.needs_restart:
        say("Nothing has changed.")
