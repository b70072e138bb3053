"""crowdctl restart: for upgrades."""

import time

import click

from .. import shapes
from ..client import Client
from ..errors import DaemonUnreachable
from ..terminal import counted, safe, say, say_json
from .options import json_option, pass_client
from .owed import long


@click.command()
@click.option(
    "--timeout",
    "timeout_s",
    type=float,
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for it to be back.",
)
@json_option
@pass_client
def restart(client: Client, timeout_s: float, as_json: bool) -> None:
    """Restart the daemon, for an upgrade: nobody at work is disconnected.

    Workers go on; their pages wait calmly for what needs the daemon. It needs somebody who starts it again,
    as systemd does; without one you are told to.
    """
    asked_at = time.monotonic()
    going = client.restart()
    if not going.restarts:
        _ask_to_start(going, as_json)
        return
    try:
        status = client.until_back(going.epoch, timeout_s)
    except DaemonUnreachable as away:
        hint = "It was told to restart, and is not back: see `systemctl status crowdd` and its journal."
        raise DaemonUnreachable(away.message, hint) from away
    took_s = time.monotonic() - asked_at
    if as_json:
        say_json({"restarted": True, "epoch": status.epoch, "took_s": round(took_s, 3)})
        return
    runs = counted(len(status.runs), "run")
    say(f"The daemon is back after {took_s:.1f} s: crowdd {safe(status.version)}, holding {runs}.")


def _ask_to_start(going: "shapes.Restarting", as_json: bool) -> None:
    if as_json:
        say_json({"restarted": False, "for_s": going.for_s})
        return
    say("The daemon has gone away for a restart. Nobody was disconnected, what is saved is safe.")
    say(f"Nobody else starts it again: do it as before (`crowdd serve`), within {long(going.for_s)}.")
    say("So long pages stay calm.")
