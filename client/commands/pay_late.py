"""crowdctl pay-late: pay for answers that came too late to count."""

from collections import Counter
from collections.abc import Sequence

import click

from .. import shapes
from ..client import Client
from ..exit_codes import ExitCode
from ..terminal import counted, safe, say, say_json
from .options import json_option, pass_client, run_argument
from .owed import money


@click.command("pay-late")
@run_argument
@click.argument("late", nargs=-1, required=True, type=click.IntRange(1), metavar="LATE...")
@click.option("--amount", metavar="AMOUNT", help="For each, e.g. 0.30; by default what its unit is worth.")
@click.option("--note", metavar="TEXT", help="For the worker, where the provider passes it on.")
@json_option
@pass_client
def pay_late(
    client: Client, run: str, late: tuple[int, ...], amount: str | None, note: str | None, as_json: bool
) -> None:
    """Pay for answers that came too late to count, by their numbers in `crowdctl late RUN`.

    Each is paid once at most, as a bonus; that is final. The answer still does not count, and its worker gets
    the unit back no more. With a provider that only keeps books (inhouse) the record is what you pay by.
    """
    outcomes = list(client.pay_late(run, late, amount, note))
    if as_json:
        say_json(outcomes)
    else:
        _tell(outcomes, run)
    if any(each.refused for each in outcomes):
        raise click.exceptions.Exit(ExitCode.REFUSED)


def _tell(outcomes: "Sequence[shapes.LatePaid]", run: str) -> None:
    for each in outcomes:
        say(f"Late answer {each.id}: {_words(each)}")
    for error, number in Counter(each.owed for each in outcomes if each.owed).items():
        say(
            f"The provider was not told of {counted(number, 'payment')}: {safe(error)}. It is told again "
            f"until it answers; `crowdctl show {safe(run)}` lists what is owed."
        )


def _words(paid: "shapes.LatePaid") -> str:
    if paid.refused or paid.cents is None:
        return f"not paid. {safe(paid.refused or '')}"
    if not paid.changed:
        return f"{money(paid.cents)} was decided before; nothing was changed."
    return f"{money(paid.cents)}" + (" is owed." if paid.owed else " is paid.")
