"""crowdctl qualifications: what workers can have, who has it, and how that came."""

import shlex

import click

from .. import shapes
from ..client import Client
from ..reading import as_json as told_as_json
from ..terminal import Cell, counted, local_time, safe, say, say_facts, say_json, say_table
from .options import json_option, pass_client

CREATE = "crowdctl qualifications create NAME --description TEXT"


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def qualifications(ctx: click.Context, as_json: bool) -> None:
    """List qualifications: named values of workers that task.toml can ask for."""
    if ctx.invoked_subcommand is not None:
        return
    found: list[shapes.QualificationInfo] = ctx.ensure_object(Client).qualifications()
    if as_json:
        say_json(found)
    elif found:
        say_table(
            ["NAME", "WORKERS", "MADE", "DESCRIPTION"],
            [[q.name, q.workers, local_time(q.created_at), q.description] for q in found],
        )
    else:
        say(f"There are no qualifications yet. Make one: {CREATE}")


@qualifications.command()
@click.argument("name", metavar="NAME")
@click.option("--description", metavar="TEXT", help="What it means, for other staff; one line.")
@json_option
@pass_client
def create(client: Client, name: str, description: str | None, as_json: bool) -> None:
    """Make a qualification."""
    made = client.create_qualification(name, description)
    if as_json:
        say_json(made)
        return
    say(f"There is a qualification {safe(made.name)} now; nobody has it yet.")
    say(f"Next: crowdctl grant WORKER {_quoted(made.name)}")


@qualifications.command()
@click.argument("name", metavar="NAME")
@json_option
@pass_client
def describe(client: Client, name: str, as_json: bool) -> None:
    """Show a qualification and who has it."""
    details = client.qualification(name)
    holders = list(client.holders(name))
    if as_json:
        say_json({**told_as_json(details), "holders": holders})
    else:
        _tell(details, holders)


def _tell(details: "shapes.QualificationDetails", holders: "list[shapes.Holder]") -> None:
    say(safe(details.name))
    say_facts(
        [
            ("Description", details.description),
            ("Made", local_time(details.created_at)),
            ("Workers", details.workers),
        ]
    )
    if holders:
        say()
        headings = ["WORKER", "PROVIDER", "NAME", "VALUE", "SINCE"]
        say_table(headings, [_holder_line(each) for each in holders])
    else:
        say(f"\nNobody has it yet. Give it: crowdctl grant WORKER {_quoted(details.name)}")


def _holder_line(holder: "shapes.Holder") -> list[Cell]:
    since = local_time(holder.at)
    return [holder.worker_id, holder.provider, holder.worker_name, holder.value, since]


@qualifications.command()
@click.argument("name", metavar="NAME")
@json_option
@pass_client
def history(client: Client, name: str, as_json: bool) -> None:
    """Show who gave a qualification to whom, when and why."""
    changes = client.qualification(name).history
    if as_json:
        say_json(changes)
        return
    say_table(["WHEN", "WHO", "WORKER", "WHAT", "WHY"], [_line(change) for change in changes])


@qualifications.command()
@click.argument("name", metavar="NAME")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@pass_client
def delete(client: Client, name: str, yes: bool, as_json: bool) -> None:
    """Remove a qualification and take it from everybody; asks first.

    Runs that ask for it let nobody pass any more. History keeps who had it.
    """
    details = client.qualification(name)
    who = counted(details.workers, "worker")
    if not yes:
        have = "has" if details.workers == 1 else "have"
        click.confirm(f"Delete {safe(details.name)}, which {who} {have}?", abort=True, err=True)
    revoked = client.delete_qualification(name)
    if as_json:
        say_json({"revoked": revoked})
    else:
        say(f"{safe(details.name)} is deleted; {counted(revoked, 'worker')} had it.")


def _line(change: "shapes.GrantChange") -> list[str]:
    before = f"{change.before} -> " if change.before and change.worker_name else ""
    return [
        local_time(change.at),
        change.who,
        change.worker_name or "",
        f"{before}{change.after}",
        change.why,
    ]


def _quoted(name: str) -> str:
    return safe(shlex.quote(name))
