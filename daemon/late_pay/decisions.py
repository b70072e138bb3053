"""What it means that a late answer is to be paid: the writes that go together, or why it cannot be. Pure."""

from collections.abc import Sequence
from datetime import datetime

import attrs

from ...protocol.names import LIVE_AGENT
from ...storage.admission import NewDecision
from ...storage.late_rules import is_any_owed
from ...storage.records import Agent, LateAnswer, Unit
from ...storage.writes import OweLate, RecordDecision, Write
from ..errands.errand import Errand, late_errand

LATE_PAY = "late_pay"
"""The kind of these decisions, as they are recorded."""
OWED = "owed"


@attrs.frozen
class LateFacts:
    """What is known of a late answer that is to be paid."""

    late: LateAnswer
    agent: Agent
    unit: Unit
    of_agent: Sequence[LateAnswer]
    """All late answers of the agent, this one too."""


NOBODYS = "Whose it is this store does not know: it was restored from an older copy. Pay it by hand."


@attrs.frozen
class Payment:
    """What staff ask for."""

    cents: int | None
    """None: what the unit is worth."""
    note: str | None
    who: str


@attrs.frozen
class Owed:
    """Commit `writes` in one transaction, then tell the provider."""

    writes: list[Write]
    errand: Errand
    cents: int


@attrs.frozen
class Unchanged:
    """It was decided before, for this amount."""

    cents: int


@attrs.frozen
class Refused:
    """It cannot be; `words` say why, and what can be."""

    words: str


def decide(facts: LateFacts | None, payment: Payment, now: datetime) -> Owed | Unchanged | Refused:
    """What is stored, and what the provider is told. No facts: whose it is nobody knows."""
    if facts is None:
        return Refused(NOBODYS)
    late, agent = facts.late, facts.agent
    if late.owed_cents is not None:
        return _again(late.owed_cents, payment)
    cents = facts.unit.pay_cents if payment.cents is None else payment.cents
    words = _refusal(facts, cents)
    if words is not None:
        return Refused(words)
    errand = late_errand(agent.id, agent.run_id, now)
    known = {"who": payment.who, "note": payment.note, "cents": cents, "late": late.id, "why": late.why}
    record = NewDecision(agent.run_id, agent.worker_id, LATE_PAY, OWED, None, known, agent.id, agent.unit_id)
    owed = OweLate(late.id, cents, payment.note, payment.who)
    return Owed([owed, errand.save(), RecordDecision(record)], errand, cents)


def _again(cents: int, payment: Payment) -> Unchanged | Refused:
    if payment.cents in (None, cents):
        return Unchanged(cents)
    return Refused(f"It is to be paid {money(cents)}: that is final.")


def _refusal(facts: LateFacts, cents: int) -> str | None:
    if not facts.late.is_answer:
        return "It is no answer: it was told beside one."
    if facts.unit.agent_id == facts.agent.id:
        if facts.agent.status in LIVE_AGENT:
            return "Its worker is still at work on the unit."
        return f"Its worker has the unit, and is paid by a review: crowdctl approve {facts.agent.id}."
    if is_any_owed(facts.of_agent):
        return "Another late answer of the same agent is to be paid: a unit is paid once to a worker."
    if cents == 0:
        return "The unit is worth nothing: say how much, with --amount."
    return None


def money(cents: int) -> str:
    """An amount, as in task.toml."""
    return f"{cents // 100}.{cents % 100:02}"
