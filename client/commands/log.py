"""crowdctl log: how much the parts of the daemon say."""

import click

from ..client import Client
from ..terminal import safe, say, say_json, say_table
from .options import json_option, pass_client


@click.command()
@click.argument("part", required=False)
@click.argument("level", required=False)
@json_option
@pass_client
def log(client: Client, part: str | None, level: str | None, as_json: bool) -> None:
    """Let PART of the daemon log from LEVEL on (debug, info, warning, error) while it runs.

    Without PART, list the parts and their levels. A restart brings back those of `crowdd serve --log-level`.
    """
    if part is None:
        _list(client, as_json)
        return
    if level is None:
        raise click.UsageError(f"Missing LEVEL: crowdctl log {part} debug")
    now = client.set_log_level(part, level)
    if as_json:
        say_json(now)
    else:
        say(f"{safe(now.part)} logs from {safe(now.level)} on.")


def _list(client: Client, as_json: bool) -> None:
    parts = client.log_levels()
    if as_json:
        say_json(parts)
    else:
        say_table(["PART", "LEVEL", "WHAT"], [[part.part, part.level, part.meaning] for part in parts])
