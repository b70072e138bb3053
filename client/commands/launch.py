"""crowdctl launch: a folder becomes a task run."""

from pathlib import Path

import click

from .. import shapes
from ..client import Client
from ..errors import LaunchUnknown
from ..terminal import safe, safe_lines, say, say_facts, say_json
from .options import json_option, pair_of, pass_client


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.argument("overrides", metavar="[KEY=VALUE]...", nargs=-1)
@click.option("--launch-id", metavar="ID", help="The same id again never launches twice.")
@click.option("--dry-run", is_flag=True, help="Only say what would be launched, or all that is wrong.")
@json_option
@pass_client
def launch(
    client: Client,
    folder: Path,
    overrides: tuple[str, ...],
    launch_id: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Send the task in DIR to the daemon and launch it.

    KEY=VALUE replaces what task.toml says; the daemon refuses what it does not know, and
    `crowdctl options my-task` lists what it knows.
    """
    pairs = dict(map(pair_of, overrides))
    if dry_run:
        _tell_plan(client.plan(folder, pairs), as_json)
        return
    try:
        run = client.launch(folder, pairs, launch_id)
    except LaunchUnknown as exc:
        hint = f"Launch again with --launch-id {exc.launch_id}: that never launches twice."
        raise LaunchUnknown(exc.message, hint, exc.launch_id) from exc
    if as_json:
        say_json(run)
    else:
        tell_warnings(run)
        _tell(run, client.until_open(run.id))


def tell_warnings(run: "shapes.LaunchedRun") -> None:
    """Say on stderr what may be meant so, and hardly is: what `crowdd check` would have warned of."""
    for warning in run.warnings:
        click.echo(f"Warning: {safe_lines(warning, '  ')}", err=True)


def _tell_plan(plan: "shapes.PlanInfo", as_json: bool) -> None:
    if as_json:
        say_json(plan)
        return
    say(f"{safe(plan.name)} can be launched. Nothing was.")
    say_facts(plan_facts(plan))


def plan_facts(plan: "shapes.PlanInfo") -> list[tuple[str, object]]:
    """What would run, as names and values."""
    at_least = "at least " if plan.units_more else ""
    paid = plan.pay_total not in (None, "0.00")
    total = f" each, {at_least}{plan.pay_total} in all" if paid else " each"
    units = "as rows() of task.py makes them" if plan.units is None else f"{at_least}{plan.units}"
    return [
        ("Label", plan.label),
        ("Units", units),
        ("Pay", plan.reward + total),
        ("Address", plan.address),
        ("Blueprint", plan.blueprint),
        ("Provider", plan.provider + (" (sandbox)" if plan.sandbox else "")),
        ("Architect", plan.architect),
        *(("Warning", safe(warning)) for warning in plan.warnings),
    ]


def _tell(run: "shapes.RunInfo", snapshot: "shapes.Snapshot | None") -> None:
    label = safe(run.label)
    say(f"Run {label} (number {run.id}) is launched.")
    if snapshot is not None:
        say_facts([("Address", snapshot.address), ("Trouble", snapshot.trouble)])
    else:
        say("  Its routers are still being deployed.")
    say(f"\nNext: crowdctl watch {label}\n      crowdctl links {label} --count 3")
