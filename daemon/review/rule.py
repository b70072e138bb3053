"""The rule on soft rejects: who has had too many of them gets the block qualification. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from ...protocol.names import AgentStatus


@attrs.frozen
class Rule:
    """`[review]` of task.toml, with the run's `block_qualification`."""

    block_qualification: str
    soft_reject_share: float
    """More than this share of a worker's reviewed work may not be soft-rejected."""
    after_reviews: int
    """The rule waits for so many reviews of one worker."""


@attrs.frozen
class Tally:
    """How the work of one worker in one task was judged, over all its runs."""

    approved: int = 0
    soft_rejected: int = 0
    rejected: int = 0

    @property
    def reviewed(self) -> int:
        """All verdicts."""
        return self.approved + self.soft_rejected + self.rejected


def rule_of(config: Mapping[str, Any]) -> Rule | None:
    """The rule that a run was launched with, from its stored config; None when it has none."""
    review: Mapping[str, Any] = config.get("review") or {}
    name, share, reviews = (
        config.get("block_qualification"),
        review.get("soft_reject_share"),
        review.get("after_reviews"),
    )
    if not name or share is None or reviews is None:
        return None
    return Rule(name, float(share), int(reviews))


def tally(statuses: Iterable[AgentStatus]) -> Tally:
    """Count verdicts; statuses that are none do not count."""
    seen = list(statuses)
    return Tally(
        seen.count(AgentStatus.APPROVED),
        seen.count(AgentStatus.SOFT_REJECTED),
        seen.count(AgentStatus.REJECTED),
    )


def with_soft_reject(tally: Tally) -> Tally:
    """The tally with one soft reject more."""
    return attrs.evolve(tally, soft_rejected=tally.soft_rejected + 1)


def is_exceeded(rule: Rule, tally: Tally) -> bool:
    """Whether soft rejects are more than the declared share, once there are reviews enough."""
    enough = tally.reviewed >= max(rule.after_reviews, 1)
    return enough and tally.soft_rejected > rule.soft_reject_share * tally.reviewed
