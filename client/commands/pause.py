"""crowdctl pause and resume: nobody new for a while."""

import click

from .. import shapes
from ..client import Client
from ..terminal import safe, say, say_json
from .options import json_option, pass_client, run_argument

WHY = "Kept in history, and shown by `crowdctl show`."


@click.command()
@run_argument
@click.option("--why", default="", metavar="TEXT", help=WHY)
@json_option
@pass_client
def pause(client: Client, run: str, why: str, as_json: bool) -> None:
    """Let nobody new in until `crowdctl resume RUN`; who is at work goes on and submits.

    Pages of those who come meanwhile say so and ask again by themselves. The run does not lose patience
    (limits.no_submission_patience_s) while it is paused.
    """
    info = client.pause(run, why)
    if as_json:
        say_json(info)
        return
    label = safe(info.label)
    say(f"Run {label} is paused{_already(info)}: nobody new gets a unit.")
    if info.agents_live:
        say(f"{info.agents_live} at work may finish.")
    say(f"Next: crowdctl resume {label}")


@click.command()
@run_argument
@click.option("--why", default="", metavar="TEXT", help=WHY)
@json_option
@pass_client
def resume(client: Client, run: str, why: str, as_json: bool) -> None:
    """Let workers in again after `crowdctl pause RUN`."""
    info = client.resume(run, why)
    if as_json:
        say_json(info)
        return
    label = safe(info.label)
    if info.changed:
        say(f"Run {label} goes on: workers are let in again.\nNext: crowdctl watch {label}")
    else:
        say(f"Run {label} was not paused.")


def _already(info: "shapes.PausedRun") -> str:
    return "" if info.changed else " already"
