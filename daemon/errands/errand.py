"""One thing that a crowd provider is to be told, as it is kept from the decision on. Pure."""

import enum
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs

from ...protocol.names import AgentId, AgentStatus, RunId, WorkerId
from ...storage.records import Agent, Worker
from ...storage.writes import PutFact
from .late_payment import LatePayment

SCOPE = "errands"
"""Where errands are kept among the facts of storage."""
ERROR_CHARACTERS_MAX = 500


class Call(enum.Enum):
    """Which method of the provider's contract."""

    APPROVE = "approve"
    SOFT_REJECT = "soft_reject"
    REJECT = "reject"
    BLOCK = "block"
    UNBLOCK = "unblock"
    PAY_LATE = "pay_late"
    """A bonus, for an answer that came too late to count."""


ABOUT_WORKERS = frozenset({Call.BLOCK, Call.UNBLOCK})
_STATUSES: Mapping[Call, AgentStatus] = {
    Call.APPROVE: AgentStatus.APPROVED,
    Call.SOFT_REJECT: AgentStatus.SOFT_REJECTED,
    Call.REJECT: AgentStatus.REJECTED,
}


@attrs.frozen
class Errand:
    """Saved in the decision's own transaction, forgotten when the provider was told.

    A newer one about the same subject replaces it: only how things ended is told.
    """

    call: Call
    subject_id: int
    """The agent whose work was reviewed or came too late, or the worker who was blocked or unblocked."""
    run_id: RunId
    """Through whose provider it is told."""
    words: str | None
    """The note for the worker, or the reason of a block."""
    since: datetime
    tries: int = 0
    error: str | None = None
    """What the provider said at the last try."""

    @property
    def key(self) -> str:
        """Its own: a later errand about the same subject has another."""
        return f"{self.call.value}:{self.subject_id}:{self.since.isoformat()}"

    @property
    def subject(self) -> tuple[str, int]:
        """What it is about: never two at a time."""
        if self.call in ABOUT_WORKERS:
            return "worker", self.subject_id
        return "late" if self.call is Call.PAY_LATE else "agent", self.subject_id

    @property
    def agent_id(self) -> AgentId | None:
        """The agent it is about, unless it is about a worker."""
        return None if self.call in ABOUT_WORKERS else AgentId(self.subject_id)

    def holds_for(self, whom: Agent | Worker | LatePayment) -> bool:
        """Whether what was decided then is how it stands. Times alone do not say: a clock may be set back."""
        match whom:
            case Worker():
                return whom.blocked is (self.call is Call.BLOCK)
            case LatePayment():
                return whom.late.paid_at is None
            case Agent():
                return whom.status is _STATUSES[self.call]

    def save(self) -> PutFact:
        """The write that keeps it."""
        return PutFact(SCOPE, self.key, _to_json(self))

    def failed(self, error: str) -> "Errand":
        """The same after one more try that failed."""
        return attrs.evolve(self, tries=self.tries + 1, error=error[:ERROR_CHARACTERS_MAX])


def review_errand(call: Call, agent_id: AgentId, run_id: RunId, note: str | None, now: datetime) -> Errand:
    """What the provider is told of a review."""
    return Errand(call, agent_id, run_id, note, now)


def block_errand(worker_id: WorkerId, blocked: bool, run_id: RunId, reason: str, now: datetime) -> Errand:
    """What the provider is told of a block, or of its end."""
    return Errand(Call.BLOCK if blocked else Call.UNBLOCK, worker_id, run_id, reason, now)


def late_errand(agent_id: AgentId, run_id: RunId, now: datetime) -> Errand:
    """What the provider is told to pay for a late answer; the amount and the words are kept with that."""
    return Errand(Call.PAY_LATE, agent_id, run_id, None, now)


def errand_from(fact: Mapping[str, Any]) -> Errand:
    """The errand as it was saved."""
    call, since = Call(fact["call"]), datetime.fromisoformat(fact["since"])
    return Errand(
        call, fact["subject_id"], fact["run_id"], fact["words"], since, fact["tries"], fact["error"]
    )


def _to_json(errand: Errand) -> dict[str, Any]:
    return {**attrs.asdict(errand), "call": errand.call.value, "since": errand.since.isoformat()}
