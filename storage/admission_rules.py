"""What every body decides alike for admission: expected grants, caps, ranks, onboarding, decisions. Pure."""

from collections.abc import Mapping
from datetime import datetime

import attrs

from ..protocol.names import LIVE_AGENT, AgentId, AgentStatus, AssignmentId, QueueOrder, UnitId, UnitStatus
from .admission import CANDIDATES_GONE, CAP_REACHED, FACTS_CHANGED, NewDecision, NewOnboarding, NewSpecial
from .contract import NewAssignment, NotReserved, Registration
from .errors import Duplicate, InvalidRecord, StaleWrite
from .records import (
    GOLD_UNIT_INDEX,
    SCREENING_UNIT_INDEX,
    Agent,
    Assignment,
    Decision,
    OnboardingAgent,
    Unit,
)
from .rows import changed, dump_json
from .rules import check_name
from .writes import MoveOnboarding

CANDIDATES_MAX = 1024  # what sixteen pages of 64 give
REFUSALS_KEPT = 50  # of each worker in each run: who keeps asking may not fill the disk
FACTS_BYTES_MAX = 64 * 1024  # of one decision, as JSON
SPECIAL_KINDS = {SCREENING_UNIT_INDEX: "screening", GOLD_UNIT_INDEX: "gold"}
SPECIAL_ROW = -1
SPECIAL_PATH = (UnitStatus.CREATED, UnitStatus.LAUNCHED, UnitStatus.ASSIGNED)
"""What a special unit goes through at once when it is made."""
SPECIAL_WHY = "made for one worker"
GRANTED_WHO, GRANTED_WHY = "daemon", "granted by the task's code"
"""In history, for the grants that go with a decision of admission."""
LEFT = frozenset({UnitStatus.CREATED, UnitStatus.LAUNCHED})
"""Units that nobody has or had: still to be given."""
FIRST_LEAST_COVERED_RANK = 1  # 0 is for the units of runs without ranks
FORMING_RANK, UNTOUCHED_RANK = 0, 1
"""In a run of groups: of units whose assignment somebody is at, and of all others."""


# --- special units -----------------------------------------------------------------------------------------


def unit_kind(unit_index: int) -> str:
    """Under which name units of this index are counted. InvalidRecord for an index that nothing has."""
    if unit_index >= 0:
        return "unit"
    if unit_index not in SPECIAL_KINDS:
        raise InvalidRecord(f"no unit has index {unit_index}")
    return SPECIAL_KINDS[unit_index]


def check_choice(registration: Registration) -> None:
    """InvalidRecord for a choice of units that makes no sense."""
    candidates, special = registration.candidates, registration.special
    if special is not None:
        if candidates is not None:
            raise InvalidRecord("a special unit leaves no choice of candidates")
        if unit_kind(special.unit_index) == "unit":
            raise InvalidRecord(f"index {special.unit_index} is not that of a special unit")
    if candidates is not None and len(candidates) > CANDIDATES_MAX:
        raise InvalidRecord(f"more than {CANDIDATES_MAX} candidates")


def grants_changed(expect: Mapping[str, int | None], present: Mapping[str, int]) -> NotReserved | None:
    """Says which grant is not what a decision took it for."""
    for name, expected in sorted(expect.items()):
        found = present.get(name)
        if found != expected:
            facts = {"qualification": name, "expected": expected, "found": found}
            return NotReserved(FACTS_CHANGED, facts)
    return None


def check_fresh_link(led_somewhere: bool) -> None:
    """Duplicate when the link of who is new led somebody to an agent of the run, onboarded or not."""
    if led_somewhere:
        raise Duplicate("the link led somebody to an agent before")


def over_cap(special: NewSpecial, made: int) -> NotReserved | None:
    """Why no other unit of this kind is made, of which `made` did not expire."""
    if made < special.cap:
        return None
    return NotReserved(CAP_REACHED, {"made": made, "cap": special.cap})


def candidates_gone(launched: int) -> NotReserved:
    """None of the candidates is free; `launched` says how many units of the run are."""
    return NotReserved(CANDIDATES_GONE, {"launched": launched})


def special_assignment(registration: Registration, special: NewSpecial) -> Assignment:
    """The assignment of a special unit, without its id."""
    return Assignment(AssignmentId(0), registration.run_id, SPECIAL_ROW, special.digest, special.data, [])


def special_unit(assignment: Assignment, special: NewSpecial, position: int) -> Unit:
    """A special unit before its agent has it, without its id."""
    return Unit(
        id=UnitId(0),
        run_id=assignment.run_id,
        assignment_id=assignment.id,
        unit_index=special.unit_index,
        status=SPECIAL_PATH[-2],
        position=position,
        agent_id=None,
        worker_id=None,
        pay_cents=special.pay_cents,
    )


# --- the order of units ------------------------------------------------------------------------------------


def check_ranks(queue: QueueOrder, new: NewAssignment) -> None:
    """InvalidRecord for ranks that are not one a unit, or in a run that does not go by them."""
    if new.ranks and queue is not QueueOrder.RANKED:
        raise InvalidRecord(f"row {new.row} has ranks, but the run is {queue.value}")
    if new.ranks and len(new.ranks) != len(new.unit_data):
        raise InvalidRecord(f"row {new.row} has {len(new.ranks)} ranks for {len(new.unit_data)} units")


def first_rank(queue: QueueOrder, new: NewAssignment, index: int) -> int:
    """The rank with which a unit is made."""
    if queue is QueueOrder.LEAST_COVERED:
        return FIRST_LEAST_COVERED_RANK + index
    if queue is QueueOrder.GROUPED:
        return UNTOUCHED_RANK
    return new.ranks[index] if new.ranks else 0


def moves_rank(queue: QueueOrder, old: Unit, new: Unit) -> bool:
    """Whether the ranks of the unit's assignment change with this move."""
    if new.unit_index < 0:
        return False
    crossed = (old.status in LEFT) is not (new.status in LEFT)
    if queue is QueueOrder.GROUPED:
        return crossed or (old.status is UnitStatus.ASSIGNED) is not (new.status is UnitStatus.ASSIGNED)
    return queue is QueueOrder.LEAST_COVERED and crossed


def reranked(old: Unit, new: Unit, lowest: Unit | None, units: int) -> tuple[Unit, Unit | None]:
    """The unit with its rank after the move, and the one that changed ranks with it, if any.

    `lowest` is the unit of lowest rank among those left of its assignment before the move, `units` how many
    the assignment has. Those left keep the highest ranks, one each: nobody else's has to change.
    """
    if new.status in LEFT:
        above = lowest.rank if lowest is not None else FIRST_LEAST_COVERED_RANK + units
        return attrs.evolve(new, rank=above - 1), None
    if lowest is None or lowest.id == old.id:
        return new, None
    return attrs.evolve(new, rank=lowest.rank), attrs.evolve(lowest, rank=old.rank)


def regrouped(old: Unit, new: Unit, others_assigned: int) -> tuple[Unit, int | None]:
    """The unit with its rank after the move, and the rank of the others left of its assignment, if another.

    `others_assigned` is how many other units of the assignment somebody is at.
    """
    before, after = (_group_rank(unit, others_assigned) for unit in (old, new))
    moved = attrs.evolve(new, rank=after) if new.status in LEFT else new
    return moved, after if after != before else None


def _group_rank(unit: Unit, others_assigned: int) -> int:
    return FORMING_RANK if others_assigned or unit.status is UnitStatus.ASSIGNED else UNTOUCHED_RANK


# --- onboarding --------------------------------------------------------------------------------------------


def new_onboarding(new: NewOnboarding, now: datetime) -> OnboardingAgent:
    """The onboarding agent as it is stored first, without its id. InvalidRecord: no link or wire id."""
    check_name("link", new.link)
    check_name("wire id", new.wire_id)
    return OnboardingAgent(
        id=AgentId(0),
        wire_id=new.wire_id,
        run_id=new.run_id,
        worker_id=new.worker_id,
        status=AgentStatus.ONBOARDING,
        version=1,
        reason=None,
        link=new.link,
        after=new.after,
        data=None,
        due_at=new.due_at,
        provider_data=new.provider_data,
        created_at=now,
        ended_at=None,
    )


def moved_onboarding(agent: OnboardingAgent, move: MoveOnboarding, now: datetime) -> OnboardingAgent:
    """The onboarding agent after the move; StaleWrite when it is not where the move begins."""
    if agent.status is not move.before:
        raise StaleWrite(f"onboarding agent {agent.id} is {agent.status.value}, not {move.before.value}")
    return attrs.evolve(
        agent,
        status=move.after,
        version=agent.version + 1,
        reason=move.reason,
        data=agent.data if move.data is None else move.data,
        due_at=move.due_at,
        ended_at=None if move.after in LIVE_AGENT else now,
    )


def check_same_person(agent: OnboardingAgent, new: NewOnboarding) -> None:
    """Duplicate when the link's onboarding agent is another worker's."""
    if agent.worker_id != new.worker_id:
        raise Duplicate(f"the link of onboarding agent {agent.id} is not worker {new.worker_id}'s")


# --- decisions ---------------------------------------------------------------------------------------------


def new_decision(new: NewDecision, now: datetime) -> Decision:
    """The decision as it is stored first, without its id. InvalidRecord: no kind or outcome, or too large."""
    check_name("decision's kind", new.kind)
    check_name("decision's outcome", new.outcome)
    if len(dump_json(new.facts)) > FACTS_BYTES_MAX:
        raise InvalidRecord(f"the facts of a decision have at most {FACTS_BYTES_MAX} bytes")
    return Decision(
        id=0,
        at=now,
        last_at=now,
        count=1,
        run_id=new.run_id,
        worker_id=new.worker_id,
        kind=new.kind,
        outcome=new.outcome,
        reason=new.reason,
        facts=new.facts,
        agent_id=new.agent_id,
        unit_id=new.unit_id,
        onboarding_id=new.onboarding_id,
    )


def decided_again(newest: Decision, decision: Decision) -> Decision | None:
    """The worker's newest decision, counted once more, when this one is the same; else None."""
    counted = attrs.evolve(newest, last_at=decision.last_at, count=newest.count + 1)
    same = attrs.evolve(decision, id=newest.id, at=newest.at, count=counted.count)
    return counted if same == counted else None


def led_to_nothing(decision: Decision) -> bool:
    """Whether the decision is about no agent: of those only the newest are kept."""
    return decision.agent_id is None and decision.onboarding_id is None


def decision_about(decision: NewDecision, agent: Agent) -> NewDecision:
    """The decision with the agent it led to."""
    return changed(decision, agent_id=agent.id, unit_id=agent.unit_id)
