"""What a verdict on an agent's work means: the writes that go together, or why it cannot be. Pure."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import attrs

from ...protocol.names import AgentStatus
from ...storage.admission import NewDecision
from ...storage.records import Agent, Unit
from ...storage.writes import AddReview, RecordDecision, SetGrant, Write
from ..errands.errand import Call, Errand, review_errand
from ..lifecycle import AgentEvent, Approved, IllegalEvent, Rejected, Save, SoftRejected, step
from ..verdict import Verdict
from .rule import Rule, Tally, is_exceeded, with_soft_reject

REVIEW = "review"
"""The kind of these decisions, as they are recorded."""
TOO_MANY_SOFT_REJECTS = "too_many_soft_rejects"


STATUSES: Mapping[Verdict, AgentStatus] = {
    Verdict.APPROVE: AgentStatus.APPROVED,
    Verdict.SOFT_REJECT: AgentStatus.SOFT_REJECTED,
    Verdict.REJECT: AgentStatus.REJECTED,
}
_EVENTS: Mapping[Verdict, Callable[[str], AgentEvent]] = {
    Verdict.APPROVE: Approved,
    Verdict.SOFT_REJECT: SoftRejected,
    Verdict.REJECT: Rejected,
}
_PAID = frozenset({AgentStatus.APPROVED, AgentStatus.SOFT_REJECTED})


@attrs.frozen
class ReviewFacts:
    """What a review is decided from."""

    agent: Agent
    unit: Unit
    undoes_rejections: bool
    """Whether the run's provider can pay what was rejected."""
    rule: Rule | None = None
    tally: Tally = attrs.Factory(Tally)
    """How the worker's work in this task was judged so far."""
    has_block: bool = False
    """Whether the worker has the block qualification already."""


@attrs.frozen
class Decided:
    """Commit `writes` in one transaction, then tell the provider."""

    writes: list[Write]
    errand: Errand
    status: AgentStatus
    blocks: bool
    """The rule on soft rejects was exceeded: the block qualification is granted with it."""


@attrs.frozen
class Unchanged:
    """The work has this verdict already."""

    status: AgentStatus


@attrs.frozen
class Refused:
    """It cannot be; `words` say why, and what can be."""

    words: str


def decide(
    facts: ReviewFacts, verdict: Verdict, note: str | None, who: str, now: datetime
) -> Decided | Unchanged | Refused:
    """What the verdict means for the agent, its unit and its worker."""
    agent, after = facts.agent, STATUSES[verdict]
    if agent.status is after:
        return Unchanged(after)
    words = _refusal(facts, verdict, note)
    if words is not None:
        return Refused(words)
    try:
        commands = step(agent, facts.unit, _EVENTS[verdict](who), run_goes_on=True)
    except IllegalEvent as exc:
        return Refused(f"{exc}.")
    errand = review_errand(Call(verdict.value), agent.id, agent.run_id, note, now)
    writes = [write for command in commands if isinstance(command, Save) for write in command.writes]
    grant = _block(facts, after)
    record = _record(facts, after, note, who, blocks=bool(grant))
    writes += [AddReview(agent.id, after, who, note), errand.save(), *grant, RecordDecision(record)]
    return Decided(writes, errand, after, blocks=bool(grant))


def _refusal(facts: ReviewFacts, verdict: Verdict, note: str | None) -> str | None:
    status = facts.agent.status
    if verdict is Verdict.REJECT and not (note or "").strip():
        return "A rejection needs a reason: the worker is not paid, and reads it."
    if status in _PAID:
        return f"It was {_spoken(status)}, which pays: that is final."
    if status is AgentStatus.REJECTED and verdict is not Verdict.APPROVE:
        return "It was rejected; that can only be undone by approving it."
    if status is AgentStatus.REJECTED and not facts.undoes_rejections:
        return "It was rejected, and the run's provider cannot undo a rejection."
    if status not in (AgentStatus.COMPLETED, AgentStatus.REJECTED):
        return f"There is no answer to judge: the agent is {_spoken(status)}."
    return None


def _spoken(status: AgentStatus) -> str:
    return status.value.replace("_", "-")


def _record(facts: ReviewFacts, after: AgentStatus, note: str | None, who: str, blocks: bool) -> NewDecision:
    """What `crowdctl why` reads, as it was at the time."""
    agent, rule = facts.agent, facts.rule
    known: dict[str, Any] = {"who": who, "note": note, "before": agent.status.value}
    if rule is not None:
        judged = {"rule": attrs.asdict(rule), "tally": attrs.asdict(facts.tally)}
        known |= {**judged, "has_block": facts.has_block}
    reason = TOO_MANY_SOFT_REJECTS if blocks else None
    return NewDecision(
        agent.run_id, agent.worker_id, REVIEW, after.value, reason, known, agent.id, agent.unit_id
    )


def _block(facts: ReviewFacts, after: AgentStatus) -> list[Write]:
    if facts.rule is None or facts.has_block or after is not AgentStatus.SOFT_REJECTED:
        return []
    counted = with_soft_reject(facts.tally)
    if not is_exceeded(facts.rule, counted):
        return []
    why = (
        f"{counted.soft_rejected} of {counted.reviewed} reviewed answers were soft-rejected: "
        f"more than {facts.rule.soft_reject_share:.0%}"
    )
    return [SetGrant(facts.rule.block_qualification, facts.agent.worker_id, 1, "daemon", why)]
