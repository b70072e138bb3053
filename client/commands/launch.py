"""crowdctl launch: a folder becomes a task run."""

import os
import time
from pathlib import Path

import click

from ..client import ENDED, Client
from ..errors import ConnectionCut
from ..shapes import RunInfo, Snapshot
from ..terminal import safe, say, say_facts, say_json
from .options import json_option, pass_client

ADDRESS_S = 60.0  # routers on this machine take a second or two


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.argument("overrides", metavar="[KEY=VALUE]...", nargs=-1)
@click.option("--launch-id", metavar="ID", help="The same id again never launches twice.")
@json_option
@pass_client
def launch(
    client: Client, folder: Path, overrides: tuple[str, ...], launch_id: str | None, as_json: bool
) -> None:
    """Send the task in DIR to the daemon and launch it.

    KEY=VALUE replaces what task.toml says; the daemon refuses what it does not know.

    \b
    crowdctl launch my-task
    crowdctl launch my-task pay.reward=0.25 blueprint.units_per_assignment=3
    """
    launch_id = launch_id or os.urandom(16).hex()
    pairs = dict(map(_pair, overrides))
    try:
        run = client.launch(folder, pairs, launch_id)
    except ConnectionCut as exc:
        raise ConnectionCut(
            f"{exc.message} Whether the run was launched is not known.",
            f"Launch again with --launch-id {launch_id}: that never launches twice.",
        ) from exc
    if as_json:
        say_json(run)
    else:
        _tell(run, _once_deployed(client, run))


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise click.UsageError(f"{safe(text)!r} is no override: write KEY=VALUE.")
    return key, value


def _once_deployed(client: Client, run: RunInfo) -> Snapshot | None:
    """Wait until workers can come, or until it is known that they cannot."""
    give_up_at = time.monotonic() + ADDRESS_S
    for snapshot in client.watch(run["id"]):
        if _is_open(snapshot) or snapshot["trouble"] or snapshot["state"] in ENDED:
            return snapshot
        if time.monotonic() > give_up_at:
            break
    return None


def _is_open(snapshot: Snapshot) -> bool:
    up = any(router["up"] for router in snapshot["routers"])
    return up and snapshot["address"] is not None and snapshot["state"] != "launching"


def _tell(run: RunInfo, snapshot: Snapshot | None) -> None:
    label = safe(run["label"])
    say(f"Run {label} (number {run['id']}) is launched.")
    if snapshot is not None:
        say_facts([("Address", snapshot["address"]), ("Trouble", snapshot["trouble"])])
    else:
        say("  Its routers are still being deployed.")
    say(f"\nNext: crowdctl watch {label}\n      crowdctl links {label} --count 3")
