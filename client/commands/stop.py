"""crowdctl stop and expire: how staff end things."""

import click

from ..client import Client
from ..terminal import counted, safe, say, say_json
from ..watching import ENDED
from .options import json_option, pass_client, run_argument


@click.command()
@run_argument
@click.option("--now", is_flag=True, help="Do not wait for those at work: end their units, too.")
@json_option
@pass_client
def stop(client: Client, run: str, now: bool, as_json: bool) -> None:
    """Stop a run: nobody new is let in, who is at work may finish."""
    info = client.stop(run, now)
    if as_json:
        say_json(info)
        return
    label, at_work = safe(info.label), info.agents_live
    if info.state in ENDED:
        say(f"Run {label} has ended: {safe(info.state)}, {counted(info.units_done, 'unit')} done.")
        say(f"Next: crowdctl export {label} -o {label}.jsonl")
    elif at_work and not now:
        say(f"Run {label} takes nobody new; {at_work} at work may finish.")
        say(f"Next: crowdctl wait {label}, or crowdctl stop {label} --now")
    else:
        say(f"Run {label} is ending.\nNext: crowdctl wait {label}")


@click.command()
@run_argument
@json_option
@pass_client
def expire(client: Client, run: str, as_json: bool) -> None:
    """Expire the units that nobody has begun; those at work go on."""
    count = client.expire(run)
    if as_json:
        say_json({"expired": count})
    elif count:
        say(f"{counted(count, 'unit')} expired.")
    else:
        say("Nothing to expire: no unit is waiting for a worker.")
