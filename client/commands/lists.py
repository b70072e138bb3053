"""crowdctl units and agents: the parts of a run."""

import click

from .. import shapes
from ..client import Client
from ..terminal import local_time, say, say_json, say_table
from .options import json_option, pass_client, run_argument, status_option


@click.command()
@run_argument
@status_option
@json_option
@pass_client
def units(client: Client, run: str, statuses: tuple[str, ...], as_json: bool) -> None:
    """List the units of a run and who has them."""
    found = list(client.units(run, statuses))
    if as_json:
        say_json(found)
    elif found:
        say_table(
            ["UNIT", "ASSIGNMENT", "INDEX", "STATUS", "AGENT", "WORKER"],
            [
                [
                    u.id,
                    u.assignment_id,
                    u.special or u.unit_index,
                    u.status,
                    u.agent_id,
                    u.worker_name,
                ]
                for u in found
            ],
        )
    else:
        say("No such units." if statuses else "This run has no units yet.")


def unit_of(agent: "shapes.AgentInfo") -> str | int:
    """Its number, and what it is for, if for more than work."""
    return f"{agent.unit_id} ({agent.special})" if agent.special else agent.unit_id


def note_of(agent: "shapes.AgentInfo") -> str | None:
    """What was said when the work was reviewed."""
    return agent.review.note if agent.review else None


@click.command()
@run_argument
@status_option
@click.option("--worker", metavar="WORKER", help="Only those of this worker.")
@json_option
@pass_client
def agents(client: Client, run: str, statuses: tuple[str, ...], worker: str | None, as_json: bool) -> None:
    """List who works, or worked, on the units of a run."""
    found = list(client.agents(run, statuses, worker))
    if as_json:
        say_json(found)
    elif found:
        say_table(
            ["AGENT", "WORKER", "UNIT", "STATUS", "REASON", "CAME", "TIME ENDS", "ENDED"],
            [
                [
                    agent.id,
                    agent.worker_name,
                    unit_of(agent),
                    agent.status,
                    agent.reason or note_of(agent),
                    local_time(agent.created_at),
                    local_time(agent.due_at),
                    local_time(agent.ended_at),
                ]
                for agent in found
            ],
        )
    elif statuses or worker:
        say("No such agents.")
    else:
        say(f"Nobody has come yet. Invite somebody: crowdctl links {run} --count 3")
