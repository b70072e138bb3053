"""crowdctl approve, soft-reject, reject: the outcome of the work."""

from collections import Counter
from collections.abc import Callable
from typing import Any, TypeVar

import click

from .. import shapes
from ..client import Client
from ..exit_codes import ExitCode
from ..terminal import counted, safe, say, say_json
from .options import NumberOf, json_option, pass_client

F = TypeVar("F", bound=Callable[..., Any])

WORDS = {"approve": "approved", "soft_reject": "soft-rejected", "reject": "rejected"}
REFUSALS_SHOWN_MAX = 10


def _which(command: F) -> F:
    """Whose work: agents by number, units, or a filter."""
    return json_option(_chosen(_filtered(command)))


def _chosen(command: F) -> F:
    unit = click.option(
        "--unit",
        "units",
        multiple=True,
        type=NumberOf("unit"),
        metavar="UNIT",
        help="What was submitted for this unit; may be repeated.",
    )
    return click.argument("agents", nargs=-1, type=NumberOf("agent"), metavar="[AGENT]...")(unit(command))


def _filtered(command: F) -> F:
    run = click.option("--run", metavar="RUN", help="All that is not reviewed yet in this run; asks first.")
    worker = click.option("--worker", metavar="WORKER", help="With --run: of this worker only.")
    status = click.option(
        "--status",
        "statuses",
        multiple=True,
        metavar="STATUS",
        help="With --run: of agents in this status, instead of completed.",
    )
    yes = click.option("--yes", is_flag=True, help="With --run: do not ask.")
    return run(worker(status(yes(command))))


@click.command()
@_which
@click.option("--note", metavar="TEXT", help="For the worker, where the provider passes it on.")
@pass_client
def approve(client: Client, /, note: str | None, **which: Any) -> None:
    """Approve work: it is accepted and paid. Runs may have ended.

    An approval is final; a rejection can be undone by it where the provider can.
    """
    _review(client, "approve", note, **which)


@click.command("soft-reject")
@_which
@click.option("--note", metavar="TEXT", help="Kept with the review, and for the provider.")
@pass_client
def soft_reject(client: Client, /, note: str | None, **which: Any) -> None:
    """Mark work as below the bar; it is paid.

    Where the run's task.toml has [review], a worker with too many soft rejects gets its
    block_qualification; `crowdctl why worker` says so.
    """
    _review(client, "soft_reject", note, **which)


@click.command()
@_which
@click.option("--note", required=True, metavar="REASON", help="Why; the worker reads it.")
@pass_client
def reject(client: Client, /, note: str, **which: Any) -> None:
    """Reject work: it is not paid. Needs a reason."""
    _review(client, "reject", note, **which)


def _review(
    client: Client,
    verdict: str,
    note: str | None,
    *,
    agents: tuple[int, ...],
    units: tuple[int, ...],
    run: str | None,
    worker: str | None,
    statuses: tuple[str, ...],
    yes: bool,
    as_json: bool,
) -> None:
    if run is None and (worker or statuses):
        raise click.UsageError("--worker and --status choose among the agents of a run: add --run RUN.")
    if bool(agents or units) == bool(run):
        raise click.UsageError("Give numbers of agents, --unit UNIT, or --run RUN.")
    if run is not None:
        agents = tuple(each.id for each in client.agents(run, statuses or ("completed",), worker))
        if agents and not yes:
            what = verdict.replace("_", "-").capitalize()
            click.confirm(f"{what} the work of {counted(len(agents), 'agent')}?", abort=True, err=True)
    outcomes = list(client.review(verdict, agents, units, note))
    if as_json:
        say_json(outcomes)
    else:
        _tell(outcomes, WORDS[verdict])
    if any(each.refused for each in outcomes):
        raise click.exceptions.Exit(ExitCode.REFUSED)


def _tell(outcomes: "list[shapes.Reviewed]", word: str) -> None:
    if not outcomes:
        say("There is nothing to review.")
        return
    done = [each.agent_id for each in outcomes if each.changed]
    if done:
        say(f"{_agents(done)} {word}.")
    before = [each.agent_id for each in outcomes if not each.changed and not each.refused]
    if before:
        say(f"{_agents(before, 'was', 'were')} {word} before; nothing was changed.")
    for refused in [each for each in outcomes if each.refused][:REFUSALS_SHOWN_MAX]:
        say(f"Agent {refused.agent_id} is not {word}: {safe(refused.refused)}")
    _tell_more(outcomes)


def _tell_more(outcomes: "list[shapes.Reviewed]") -> None:
    hidden = sum(bool(each.refused) for each in outcomes) - REFUSALS_SHOWN_MAX
    if hidden > 0:
        say(f"{hidden} more were refused; --json says why.")
    barred = [each.agent_id for each in outcomes if each.blocks]
    if barred:
        whom = ", ".join(map(str, barred))
        say(f"Too many soft rejects: the block qualification was given to the worker of agent {whom}.")
    for error, number in Counter(each.owed for each in outcomes if each.owed).items():
        say(
            f"The provider was not told of {counted(number, 'review')}: {safe(error)}. It is told again "
            "until it answers; `crowdctl show RUN` lists what is owed."
        )


def _agents(numbers: list[int], one: str = "is", many: str = "are") -> str:
    return f"Agent {numbers[0]} {one}" if len(numbers) == 1 else f"{len(numbers)} agents {many}"
