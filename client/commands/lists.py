"""crowdctl units and agents: the parts of a run."""

import click

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
            [[u.id, u.assignment_id, u.unit_index, u.status, u.agent_id, u.worker_name] for u in found],
        )
    else:
        say("No such units." if statuses else "This run has no units yet.")


@click.command()
@run_argument
@status_option
@json_option
@pass_client
def agents(client: Client, run: str, statuses: tuple[str, ...], as_json: bool) -> None:
    """List who works, or worked, on the units of a run."""
    found = list(client.agents(run, statuses))
    if as_json:
        say_json(found)
    elif found:
        say_table(
            ["AGENT", "WORKER", "UNIT", "STATUS", "REASON", "CAME", "TIME ENDS", "ENDED"],
            [
                [
                    agent.id,
                    agent.worker_name,
                    agent.unit_id,
                    agent.status,
                    agent.reason,
                    local_time(agent.created_at),
                    local_time(agent.due_at),
                    local_time(agent.ended_at),
                ]
                for agent in found
            ],
        )
    elif statuses:
        say("No such agents.")
    else:
        say(f"Nobody has come yet. Invite somebody: crowdctl links {run} --count 3")
