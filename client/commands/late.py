"""crowdctl late: what a router had called submitted, and came too late to count."""

from collections.abc import Sequence

import click

from .. import shapes
from ..client import Client
from ..terminal import local_time, say, say_json, say_table
from .options import json_option, pass_client, run_argument
from .owed import money


@click.command()
@run_argument
@json_option
@pass_client
def late(client: Client, run: str, as_json: bool) -> None:
    """List answers that came too late to count, oldest first.

    While the daemon is away routers keep what workers submit. If a unit went to somebody else meanwhile, the
    answer is kept here, with its files. It is neither exported nor judged; whether it is paid, you decide:
    `crowdctl pay-late` pays for it. PAY is what its unit is worth, PAID what was decided to pay.
    """
    found = list(client.late(run))
    if as_json:
        say_json(found)
    elif not found:
        say("Nothing came too late: every answer that was called submitted counts.")
    else:
        headings = ["LATE", "TIME", "WHAT", "WORKER", "AGENT", "UNIT", "PAY", "PAID", "WHY"]
        say_table(headings, list(map(_row, found)))
        say(_sums([each.payment for each in found if each.payment]))
        say("What they say: the same with --json.")


def _row(late: "shapes.LateInfo") -> list[str | int | None]:
    pay = "" if late.pay_cents is None or late.kind != "answer" else money(late.pay_cents)
    return [
        late.id,
        local_time(late.at),
        late.kind,
        late.worker_name or "",
        late.agent_id or "",
        late.unit_id or "",
        pay,
        "" if late.payment is None else _paid(late.payment),
        late.why,
    ]


def _paid(payment: "shapes.LatePayment") -> str:
    return money(payment.cents) + (" (provider not told yet)" if payment.paid_at is None else "")


def _sums(payments: "Sequence[shapes.LatePayment]") -> str:
    if not payments:
        return ""
    untold = sum(each.cents for each in payments if each.paid_at is None)
    rest = f", {money(untold)} of it still to be told to the provider" if untold else ""
    return f"\nPaid in all {money(sum(each.cents for each in payments))}{rest}."
