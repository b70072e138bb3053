"""crowdctl why: what was decided, and from which facts."""

from collections.abc import Iterable

import click

from .. import shapes
from ..client import Client
from ..terminal import local_time, safe, say, say_json, say_table
from .options import NumberOf, json_option, pass_client

_WAYS = "crowdctl why worker WORKER, crowdctl why unit UNIT, crowdctl why agent AGENT"


class _Kinds(click.Group):
    """A group of kinds: says so to whoever names the thing alone."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As any group. UsageError: the first word is no kind."""
        if self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            raise click.UsageError(
                f"Is {safe(args[0])!r} a worker, a unit or an agent? Say which: {_WAYS}.", ctx
            )
        return super().resolve_command(ctx, args)


@click.group(cls=_Kinds)
def why() -> None:
    """Tell why a worker, a unit or an agent is where it is.

    Every decision with the facts it was made from, as they were at the time, and every change with who made
    it and why. What was decided so several times in a row is told once, and counted.
    """


@why.command()
@click.argument("worker", metavar="WORKER")
@click.option("--run", metavar="RUN", help="Only in this run.")
@json_option
@pass_client
def worker(client: Client, worker: str, run: str | None, as_json: bool) -> None:
    """Tell why a worker was let in or refused, and how their work was judged."""
    nothing = (
        "Nothing was ever decided about them"
        + (f" in run {safe(run)}" if run else "")
        + ": they have not asked for work since their link was made."
    )
    _tell(client.why_worker(worker, run), as_json, nothing)


@why.command()
@click.argument("unit", type=NumberOf("unit"), metavar="UNIT")
@json_option
@pass_client
def unit(client: Client, unit: int, as_json: bool) -> None:
    """Tell to whom a unit was given and why, and how it came back."""
    _tell(client.why_unit(unit), as_json, "Nothing has happened to it yet.")


@why.command()
@click.argument("agent", type=NumberOf("agent"), metavar="AGENT")
@json_option
@pass_client
def agent(client: Client, agent: int, as_json: bool) -> None:
    """Tell why an agent got its unit, how it ended, and how it was judged."""
    _tell(client.why_agent(agent), as_json, "Nothing is recorded about it.")


def _tell(why: "shapes.Why", as_json: bool, nothing: str) -> None:
    if as_json:
        say_json(why)
        return
    for decision in why.decisions:
        _say_decision(decision)
    if why.history:
        _say_history(why.history)
    elif not why.decisions:
        say(nothing)


def _say_decision(decision: "shapes.DecisionInfo") -> None:
    times = f", {decision.count} times until {local_time(decision.last_at)}" if decision.count > 1 else ""
    agent = "" if decision.agent_id is None else f", agent {decision.agent_id}"
    unit = "" if decision.unit_id is None else f", unit {decision.unit_id}"
    where = f"run {safe(decision.run)}{agent}{unit}"
    say(f"{local_time(decision.at)}  {safe(decision.kind)}: {safe(decision.outcome)} ({where}){times}")
    for sentence in decision.sentences:
        say(f"  {safe(sentence)}")
    say()


def _say_history(history: "Iterable[shapes.StoryEntry]") -> None:
    say_table(
        ["WHEN", "WHO", "WHAT", "CHANGE", "WHY"],
        [
            [
                local_time(entry.at),
                entry.who,
                entry.kind if entry.kind == "grant" else f"{entry.kind} {entry.subject_id}",
                (f"{entry.before} -> " if entry.before else "") + entry.after,
                entry.why,
            ]
            for entry in history
        ],
    )
