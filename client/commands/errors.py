"""crowdctl errors: what went wrong in a run."""

import click

from .. import shapes
from ..client import Client
from ..terminal import local_time, safe, say, say_json, say_table
from .options import json_option, pass_client, run_argument

TEXT_CHARACTERS_MAX = 120  # of a line in the table; --traceback and --json have all of it


@click.command()
@run_argument
@click.option("--traceback", is_flag=True, help="Print each error whole, with where it happened.")
@json_option
@pass_client
def errors(client: Client, run: str, traceback: bool, as_json: bool) -> None:
    """List what went wrong in a run: errors of its pages, hooks and plug-ins, oldest first."""
    found = list(client.errors(run))
    if as_json:
        say_json(found)
    elif not found:
        say("No page, hook or plug-in of this run has reported an error.")
    elif traceback:
        for error in found:
            _say_whole(error)
    else:
        say_table(
            ["ERROR", "TIME", "SOURCE", "AGENT", "TEXT"],
            [[e.id, local_time(e.at), e.source, e.agent_id, _line(e.text)] for e in found],
        )
        if any(error.traceback for error in found):
            say(f"\nWhere they happened: crowdctl errors {safe(run)} --traceback")


def _line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= TEXT_CHARACTERS_MAX else f"{line[: TEXT_CHARACTERS_MAX - 1]}…"


def _say_whole(error: "shapes.ErrorInfo") -> None:
    agent = "" if error.agent_id is None else f", agent {error.agent_id}"
    say(f"error {error.id}  {local_time(error.at)}  {safe(error.source)}{agent}")
    for line in [*error.text.splitlines(), *(error.traceback or "").splitlines()]:
        say(f"  {safe(line)}")
    say()
