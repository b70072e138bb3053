"""crowdctl workers and worker: who came, and what one of them did."""

import click

from .. import shapes
from ..client import Client
from ..reading import as_json as told_as_json
from ..terminal import Cell, local_time, safe, say, say_facts, say_json, say_table
from .lists import note_of, unit_of
from .options import json_option, pass_client


@click.command()
@click.option("--provider", metavar="NAME", help="Only those who came through this provider.")
@json_option
@pass_client
def workers(client: Client, provider: str | None, as_json: bool) -> None:
    """List everybody who ever came, over all runs."""
    found = list(client.workers(provider))
    if as_json:
        say_json(found)
    elif found:
        say_table(
            ["WORKER", "PROVIDER", "NAME", "BLOCKED", "FIRST CAME"],
            [
                [
                    each.id,
                    each.provider,
                    each.name,
                    "blocked" if each.blocked else "",
                    local_time(each.created_at),
                ]
                for each in found
            ],
        )
    elif provider is not None:
        say(f"Nobody has come through {safe(provider)}.")
    else:
        say("Nobody has come yet. Invite somebody: crowdctl links RUN --count 3")


@click.command()
@click.argument("worker", metavar="WORKER")
@json_option
@pass_client
def worker(client: Client, worker: str, as_json: bool) -> None:
    """Show one worker: grants, blocks, and everything they worked on.

    WORKER is a number, as `crowdctl workers` lists it, PROVIDER:NAME, or a name that only one of them has.
    """
    details = client.worker(worker)
    work = list(client.work_of(details.id))
    if as_json:
        say_json({**told_as_json(details), "agents": work})
    else:
        _tell(details, work)


def _tell(worker: "shapes.WorkerDetails", work: "list[shapes.WorkInfo]") -> None:
    say(f"{safe(worker.name)} (worker {worker.id})")
    grants = ", ".join(f"{grant.qualification}={grant.value}" for grant in worker.grants)
    say_facts(
        [
            ("Provider", worker.provider),
            ("Blocked", "yes" if worker.blocked else "no"),
            ("Grants", grants or "none"),
            ("First came", local_time(worker.created_at)),
            ("Submitted", _record(worker.record)),
            ("Right", _truth(worker.record)),
            ("Time spent", _time(worker.record.time_spent_s)),
        ]
    )
    say()
    if work:
        headings = ["AGENT", "RUN", "UNIT", "STATUS", "REASON", "CAME", "ENDED"]
        say_table(headings, [_work_line(each) for each in work])
    else:
        say("Has not worked on anything yet.")
    if worker.history:
        say()
        say_table(["WHEN", "WHO", "WHAT", "WHY"], [_line(change) for change in worker.history])


def _work_line(agent: "shapes.WorkInfo") -> list[Cell]:
    came, ended = local_time(agent.created_at), local_time(agent.ended_at)
    reason = agent.reason or note_of(agent)
    return [agent.id, agent.run, unit_of(agent), agent.status, reason, came, ended]


def _record(record: "shapes.TrackRecord") -> str:
    judged = [
        f"{number} {word}"
        for number, word in (
            (record.approved, "approved"),
            (record.soft_rejected, "soft-rejected"),
            (record.rejected, "rejected"),
        )
        if number
    ]
    return f"{record.submitted}" + (f" ({', '.join(judged)})" if judged else "")


def _truth(record: "shapes.TrackRecord") -> str:
    return f"{record.truth_agreed} of {record.truth_known} known" if record.truth_known else ""


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _line(change: "shapes.Change") -> list[str]:
    before = f"{change.before} -> " if change.before else ""
    return [local_time(change.at), change.who, f"{before}{change.after}", change.why]
