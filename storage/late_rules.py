"""What becomes of late answers that are to be paid. Pure: all bodies share it."""

from collections.abc import Sequence
from datetime import datetime

import attrs

from .errors import Duplicate, InvalidRecord, StaleWrite
from .records import Agent, LateAnswer, Unit
from .rules import VALUE_MAX
from .writes import OweLate


def new_late(late: LateAnswer, received_at: datetime) -> LateAnswer:
    """As it is stored first: nothing about its pay is decided."""
    return attrs.evolve(
        late,
        received_at=received_at,
        owed_cents=None,
        owed_note=None,
        owed_by=None,
        owed_at=None,
        paid_at=None,
    )


def its_agent(late: LateAnswer) -> int:
    """Whose it is. InvalidRecord: nobody's whom this store knows."""
    if late.agent_id is None:
        raise InvalidRecord(f"late answer {late.id} is of no agent that could be paid")
    return late.agent_id


def owed_late(
    late: LateAnswer, write: OweLate, agent: Agent, unit: Unit, others: Sequence[LateAnswer], now: datetime
) -> LateAnswer:
    """The late answer that is to be paid. `others`: all of its agent, itself too.

    StaleWrite, Duplicate, InvalidRecord as `OweLate` says.
    """
    if not late.is_answer or not 1 <= write.cents <= VALUE_MAX:
        raise InvalidRecord(f"{write.cents} cents cannot be owed for late answer {late.id}")
    if late.owed_at is not None:
        raise StaleWrite(f"late answer {late.id} is to be paid already")
    if unit.agent_id == agent.id:
        raise StaleWrite(f"unit {unit.id} is agent {agent.id}'s, who is paid by a review")
    if is_any_owed(others):
        raise Duplicate(f"another late answer of agent {agent.id} is to be paid")
    return attrs.evolve(late, owed_cents=write.cents, owed_note=write.note, owed_by=write.who, owed_at=now)


def paid_late(late: LateAnswer, now: datetime) -> LateAnswer:
    """The late answer that is paid. StaleWrite: it was not owed, or is paid."""
    if late.owed_at is None or late.paid_at is not None:
        raise StaleWrite(f"nothing is owed for late answer {late.id}")
    return attrs.evolve(late, paid_at=now)


def refuse_if_owed(agent: Agent, late: Sequence[LateAnswer]) -> None:
    """StaleWrite where one of the agent's late answers is to be paid: it gets no unit back."""
    if is_any_owed(late):
        raise StaleWrite(f"a late answer of agent {agent.id} is to be paid")


def is_any_owed(late: Sequence[LateAnswer]) -> bool:
    """Whether one of them is to be paid, or is."""
    return any(each.owed_at is not None for each in late)
