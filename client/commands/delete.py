"""crowdctl delete: an ended run goes for good."""

import sys

import click

from .. import shapes
from ..client import Client
from ..exit_codes import ExitCode
from ..terminal import counted, safe, say, say_facts, say_json
from ..watching import ENDED
from .disk import size
from .options import json_option, run_argument


@click.command()
@run_argument
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@click.pass_context
def delete(ctx: click.Context, run: str, yes: bool, as_json: bool) -> None:
    """Delete an ended run for good: units, answers, uploaded files, the task as it was launched.

    Says what goes and asks first; where nobody can be asked, --yes is needed. Workers with their grants and
    blocks stay; what they did in this run no longer counts for limits.maximum_units_per_worker of its task.
    The run's personal links open nothing any more.
    """
    client = ctx.find_object(Client)
    assert client is not None
    if not yes and not _agreed(client, run):
        say("Nothing was deleted.")
        ctx.exit(ExitCode.REFUSED)
    gone = client.delete(run)
    if as_json:
        say_json(gone)
    else:
        say(f"Run {safe(gone.label)} is deleted: {_in_words(gone)}.")
        for words in gone.left:
            say(safe(words))


def _agreed(client: Client, run: str) -> bool:
    stock = client.stock(run)
    label = safe(stock.label)
    if not sys.stdin.isatty():
        raise click.UsageError(
            f"Nobody can be asked here whether {_in_words(stock)} of run {label} may go: say --yes."
        )
    say(f"Run {label} (number {stock.id}, {safe(stock.state)}) would be deleted for good:")
    say_facts(
        [
            ("Units", stock.units),
            ("Answers", stock.submissions),
            ("Files", f"{stock.files}, {size(stock.bytes)}"),
        ]
    )
    if stock.submissions:
        say(f"If its answers are needed, export them first: crowdctl export {label} -o {label}.jsonl")
    return stock.state not in ENDED or click.confirm(f"Delete run {label}?", default=False)


def _in_words(stock: "shapes.Stock") -> str:
    files = f"{counted(stock.files, 'file')} ({size(stock.bytes)})"
    return f"{counted(stock.units, 'unit')}, {counted(stock.submissions, 'answer')}, {files}"
