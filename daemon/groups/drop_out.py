"""What becomes of a started group that somebody left for good. Pure; answers are definite or have a date."""

from collections.abc import Sequence

import attrs

from ...protocol.names import AgentId
from .rules import GroupRules, Policy


@attrs.frozen
class Member:
    """Somebody who is still in the group: at work, or with the answer submitted."""

    agent_id: AgentId
    simulated: bool = False
    submitted: bool = False


@attrs.frozen
class Loss:
    """An empty seat of a started group."""

    at: float
    """When its holder left."""
    can_be_taken: bool = True
    """False: no new worker can come, e.g. as the run ends."""


@attrs.frozen
class EndForAll:
    """The others are told, and may submit what there is."""


@attrs.frozen
class GoOn:
    """The others go on without; the seat is not needed any more."""


@attrs.frozen
class Seek:
    """The seat is for a new worker, until then."""

    until: float


@attrs.frozen
class Replace:
    """A simulated partner takes the seat."""


DropOutStep = EndForAll | GoOn | Seek | Replace


def drop_out(
    rules: GroupRules, remaining: Sequence[Member], loss: Loss, now: float, partner: bool
) -> DropOutStep:
    """What is done about an empty seat, now; `partner`: simulated partners can be had.

    Nobody is kept for a group in which no worker is at work any more.
    """
    if not any(not (member.simulated or member.submitted) for member in remaining):
        is_done = bool(remaining) and all(member.submitted for member in remaining)
        return GoOn() if is_done else EndForAll()
    return _by(rules.policy, rules, remaining, loss, now, partner)


def _by(
    policy: Policy,
    rules: GroupRules,
    remaining: Sequence[Member],
    loss: Loss,
    now: float,
    partner: bool,
) -> DropOutStep:
    match policy:
        case Policy.GO_ON if len(remaining) >= rules.size_min:
            return GoOn()
        case Policy.REPLACE if loss.can_be_taken and now < loss.at + rules.replace_s:
            return Seek(loss.at + rules.replace_s)
        case Policy.SIMULATED if partner:
            return Replace()
        case Policy.REPLACE | Policy.SIMULATED:
            return _by(_otherwise(rules), rules, remaining, loss, now, partner=False)
        case Policy.GO_ON | Policy.END:
            return EndForAll()


def _otherwise(rules: GroupRules) -> Policy:
    """Only what is certain: a policy that could fail again would keep people waiting."""
    otherwise = rules.otherwise
    return otherwise if otherwise is Policy.GO_ON else Policy.END
