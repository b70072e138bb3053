"""`crowdd check`: judges a task folder as a launch does, without a daemon."""

from collections.abc import Sequence
from pathlib import Path

import attrs
import click

from .client.commands.launch import plan_facts
from .client.shapes.plans import PlanInfo
from .client.terminal import counted, safe, safe_lines, say_facts, say_json
from .daemon.checking import CheckedTask, LaunchRefused, Plan, check_task, numbered_label
from .daemon.registry import installed_plug_ins


def check_folder(folder: Path, overrides: Sequence[str], as_json: bool) -> int:
    """Print what would run, or everything that is wrong; returns the exit status."""
    try:
        plan, routers_open = _plan(folder, overrides)
    except LaunchRefused as refused:
        _tell_problems(refused.problems, as_json)
        return 1
    view = attrs.asdict(plan)
    if as_json:
        say_json(view)
        return 0
    ready = "nothing wrong here; ask the daemon" if routers_open else "ready to launch"
    click.echo(f"{safe(plan.name)}: {ready}: crowdctl launch {folder}" + routers_open * " --dry-run")
    facts = plan_facts(PlanInfo(**view))
    say_facts([(name, value) for name, value in facts if name != "Label" or plan.label])
    return 0


def _plan(folder: Path, overrides: Sequence[str]) -> tuple[Plan, bool]:
    """What would run, and whether its routers are still to be judged."""
    task = check_task(installed_plug_ins(), folder, dict(map(_pair, overrides)))
    try:
        return _planned(task), task.leaves_routers_open
    finally:
        task.forget()


def _planned(task: CheckedTask) -> Plan:
    if task.problems:
        raise LaunchRefused(task.problems)
    return task.plan(task.config.label or numbered_label(task.config.name, 1))


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise click.UsageError(f"{text!r} is no override: write KEY=VALUE, e.g. limits.allowed_concurrent=1")
    return key, value


def _tell_problems(problems: Sequence[str], as_json: bool) -> None:
    if as_json:
        say_json({"problems": list(problems)})
        return
    for problem in problems:
        click.echo(safe_lines(problem, "  "))
    click.echo(f"{counted(len(problems), 'problem')}: it cannot be launched like this")
