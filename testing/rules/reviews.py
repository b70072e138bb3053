"""Reviews: what an agent is, its newest review says; its unit goes with it, and each is decided once."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from ...protocol.names import AgentId, AgentStatus, UnitStatus
from ...storage.records import Review
from .case import Case, Rule, Violation

_UNITS = {
    AgentStatus.APPROVED: UnitStatus.ACCEPTED,
    AgentStatus.SOFT_REJECTED: UnitStatus.SOFT_REJECTED,
    AgentStatus.REJECTED: UnitStatus.REJECTED,
}


def check_reviews(case: Case) -> Iterator[Violation]:
    """Compare every judged agent with its reviews, its unit and the decisions about it."""
    reviews: defaultdict[AgentId, list[Review]] = defaultdict(list)
    for review in sorted(case.facts.reviews, key=lambda review: review.id):
        reviews[review.agent_id].append(review)
    units = {unit.id: unit.status for unit in case.facts.units}
    decided = Counter(one.agent_id for one in case.facts.decisions if one.kind == "review")
    for agent in case.facts.agents:
        mine, status = reviews[agent.id], agent.status if agent.status in _UNITS else None
        said = mine[-1].status if mine else None
        if said is not status:
            text = f"is {agent.status.value}; its newest review says {said.value if said else 'nothing'}"
            yield Violation(Rule.REVIEW, f"agent {agent.id}", text)
        elif status is not None and units.get(agent.unit_id) is not _UNITS[status]:
            yield Violation(Rule.REVIEW, f"agent {agent.id}", f"is {status.value}, and its unit is not")
        if decided[agent.id] != len(mine):
            text = f"has {len(mine)} reviews by {decided[agent.id]} decisions"
            yield Violation(Rule.REVIEW, f"agent {agent.id}", text)
