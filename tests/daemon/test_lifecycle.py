"""The tables of the life cycles: every pair of state and event is either in the table or refused."""

import itertools
from datetime import UTC, datetime
from typing import Any, get_args

import attrs
import pytest

from crowdd.daemon import lifecycle
from crowdd.daemon.lifecycle import (
    AGENT_NEXT,
    RUN_NEXT,
    UNIT_NEXT,
    AgentEvent,
    GaveBack,
    IllegalEvent,
    MarkDone,
    Refill,
    Save,
    ShutDown,
    Submitted,
    SubmittedLate,
    TaskFailed,
    Tell,
    TimeOver,
    WentAway,
    assignment_status,
    may_rejoin,
    next_status,
    refusal_of_ended,
    release,
    step,
)
from crowdd.protocol.names import (
    COMPLETE_AGENT,
    LIVE_AGENT,
    AgentId,
    AgentStatus,
    AssignmentId,
    AssignmentStatus,
    Reason,
    RunId,
    RunState,
    UnitId,
    UnitStatus,
    WireId,
    WorkerId,
)
from crowdd.storage.records import GOLD_UNIT_INDEX, SCREENING_UNIT_INDEX, Agent, Unit
from crowdd.storage.writes import AddSubmission, MoveAgent, MoveUnit

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ANSWER = AddSubmission(AgentId(1), b"{}", [], "digest")
EVENT_CLASSES: tuple[type[AgentEvent], ...] = get_args(AgentEvent)


def an_event(cls: type[AgentEvent]) -> AgentEvent:
    arguments: dict[str, Any] = {"answer": ANSWER, "who": "staff:ann", "rejoin_until": NOW}
    names = [field.name for field in attrs.fields(cls)]
    return cls(**{name: arguments[name] for name in names if name in arguments})


def an_agent(status: AgentStatus, reason: str | None = None) -> Agent:
    return Agent(
        id=AgentId(1),
        wire_id=WireId("w"),
        run_id=RunId(1),
        unit_id=UnitId(1),
        assignment_id=AssignmentId(1),
        worker_id=WorkerId(1),
        status=status,
        version=1,
        reason=reason,
        link="link",
        after="",
        due_at=NOW,
        provider_data={},
        created_at=NOW,
        ended_at=None,
    )


def a_unit(status: UnitStatus, agent_id: int | None = 1) -> Unit:
    holder = None if agent_id is None else AgentId(agent_id)
    return Unit(UnitId(1), RunId(1), AssignmentId(1), 0, status, 1, holder, WorkerId(1), 5)


HELD = a_unit(UnitStatus.ASSIGNED)
FREE = attrs.evolve(a_unit(UnitStatus.LAUNCHED), agent_id=None, worker_id=None)
REVIEWED = {lifecycle.Approved, lifecycle.SoftRejected, lifecycle.Rejected}


@pytest.mark.parametrize("status", AgentStatus)
@pytest.mark.parametrize("cls", EVENT_CLASSES)
def test_an_agent_moves_only_along_the_table(status: AgentStatus, cls: type[AgentEvent]) -> None:
    event = an_event(cls)
    if cls in AGENT_NEXT[status]:
        assert next_status(status, event) is AGENT_NEXT[status][cls]
    else:
        with pytest.raises(IllegalEvent):
            next_status(status, event)


@pytest.mark.parametrize(
    ("status", "cls"), [(s, c) for s, row in AGENT_NEXT.items() for c in row if c not in REVIEWED]
)
def test_every_step_of_a_holding_agent_saves_first_and_tells_then(
    status: AgentStatus, cls: type[AgentEvent]
) -> None:
    commands = step(an_agent(status), HELD, an_event(cls), run_goes_on=True)
    assert isinstance(commands[0], Save)
    assert isinstance(commands[1], Tell)
    assert commands[1].status is AGENT_NEXT[status][cls]


def test_the_agent_table_knows_every_status() -> None:
    assert set(AGENT_NEXT) == set(AgentStatus)


def test_the_unit_table_knows_every_status() -> None:
    assert set(UNIT_NEXT) == set(UnitStatus)


def test_the_run_table_knows_every_state() -> None:
    assert set(RUN_NEXT) == set(RunState)


def test_every_agent_status_can_be_reached() -> None:
    reached = {AgentStatus.NONE, AgentStatus.ONBOARDING}
    reached |= {after for row in AGENT_NEXT.values() for after in row.values()}
    assert reached == set(AgentStatus)


def test_from_every_live_status_a_shutdown_disconnects() -> None:
    with_a_unit = LIVE_AGENT - {AgentStatus.ONBOARDING}
    assert {AGENT_NEXT[status][ShutDown] for status in with_a_unit} == {AgentStatus.DISCONNECT}


def test_a_final_status_changes_only_by_review_or_a_late_answer_or_a_rejoin() -> None:
    leaving = {cls for status in COMPLETE_AGENT for cls in AGENT_NEXT[status]}
    assert leaving == {*REVIEWED, SubmittedLate, lifecycle.Accepted}


def test_live_and_complete_and_partner_disconnect_are_all_statuses() -> None:
    assert LIVE_AGENT | COMPLETE_AGENT | {AgentStatus.PARTNER_DISCONNECT} == set(AgentStatus)


def test_a_submission_stores_the_answer_before_anything_moves() -> None:
    commands = step(an_agent(AgentStatus.IN_TASK), HELD, Submitted(ANSWER), run_goes_on=True)
    save = commands[0]
    assert isinstance(save, Save)
    assert [type(write) for write in save.writes] == [AddSubmission, MoveAgent, MoveUnit]


def test_a_submission_completes_the_unit_and_is_told_to_the_provider() -> None:
    commands = step(an_agent(AgentStatus.IN_TASK), HELD, Submitted(ANSWER), run_goes_on=True)
    assert [type(command) for command in commands] == [Save, Tell, Refill, MarkDone]


def test_an_agent_whose_time_is_over_gives_its_unit_back_to_the_pool() -> None:
    move = _unit_move(TimeOver(), run_goes_on=True)
    assert (move.after, move.release) == (UnitStatus.LAUNCHED, True)


def test_a_unit_given_back_while_the_run_drains_expires() -> None:
    assert _unit_move(lifecycle.GaveBack(), run_goes_on=False).after is UnitStatus.EXPIRED


def test_a_shutdown_keeps_the_unit() -> None:
    save = step(an_agent(AgentStatus.IN_TASK), HELD, ShutDown(NOW), run_goes_on=True)[0]
    assert isinstance(save, Save)
    assert [type(write) for write in save.writes] == [MoveAgent]


def _unit_move(event: AgentEvent, run_goes_on: bool) -> MoveUnit:
    save = step(an_agent(AgentStatus.IN_TASK), HELD, event, run_goes_on)[0]
    assert isinstance(save, Save)
    move = save.writes[-1]
    assert isinstance(move, MoveUnit)
    return move


@pytest.mark.parametrize("cls", [lifecycle.SentAway, WentAway, GaveBack, TimeOver])
def test_a_seat_whose_worker_ends_while_waiting_is_free_for_the_next(cls: type[AgentEvent]) -> None:
    save = step(an_agent(AgentStatus.WAITING), HELD, an_event(cls), run_goes_on=True)[0]
    assert isinstance(save, Save)
    move = save.writes[-1]
    assert isinstance(move, MoveUnit)
    assert (move.after, move.release) == (UnitStatus.LAUNCHED, True)


def test_who_waited_in_vain_is_told_so() -> None:
    told = step(an_agent(AgentStatus.WAITING), HELD, lifecycle.SentAway(), run_goes_on=True)[1]
    assert told == Tell(AgentId(1), AgentStatus.EXPIRED, Reason.NO_PARTNER)


@pytest.mark.parametrize("due_at", [NOW, None])
def test_who_joins_a_group_has_the_time_for_the_work_and_not_what_was_left_of_waiting(
    due_at: datetime | None,
) -> None:
    waiting = attrs.evolve(an_agent(AgentStatus.WAITING), due_at=datetime(2025, 1, 1, tzinfo=UTC))
    save = step(waiting, HELD, lifecycle.Joined(due_at), run_goes_on=True)[0]
    assert isinstance(save, Save)
    (move,) = save.writes
    assert isinstance(move, MoveAgent)
    assert (move.after, move.due_at) == (AgentStatus.IN_TASK, due_at)


def test_a_seat_that_a_group_does_without_expires_as_not_needed() -> None:
    save, refill = lifecycle.not_needed(FREE)
    assert isinstance(save, Save)
    (move,) = save.writes
    assert isinstance(move, MoveUnit)
    assert (move.after, move.why, refill) == (UnitStatus.EXPIRED, "not needed", Refill())


@pytest.mark.parametrize("unit", [HELD, a_unit(UnitStatus.EXPIRED, None)])
def test_a_seat_that_is_taken_or_gone_is_not_given_up(unit: Unit) -> None:
    with pytest.raises(IllegalEvent):
        lifecycle.not_needed(unit)


def test_whose_partner_left_may_still_submit() -> None:
    left = an_agent(AgentStatus.PARTNER_DISCONNECT)
    assert next_status(left.status, Submitted(ANSWER)) is AgentStatus.COMPLETED


def test_a_late_answer_to_a_unit_of_somebody_else_is_refused() -> None:
    theirs = a_unit(UnitStatus.ASSIGNED, agent_id=2)
    with pytest.raises(IllegalEvent):
        step(an_agent(AgentStatus.DISCONNECT), theirs, SubmittedLate(ANSWER), run_goes_on=True)


def test_only_a_shutdown_lets_a_disconnected_agent_rejoin() -> None:
    assert may_rejoin(an_agent(AgentStatus.DISCONNECT, "shutdown"), HELD)
    assert not may_rejoin(an_agent(AgentStatus.DISCONNECT, "task_missing"), HELD)
    assert not may_rejoin(an_agent(AgentStatus.DISCONNECT, "shutdown"), a_unit(UnitStatus.LAUNCHED, None))


def test_a_unit_that_nobody_came_back_for_is_freed_without_touching_the_agent() -> None:
    save = release(an_agent(AgentStatus.DISCONNECT, "shutdown"), HELD, run_goes_on=True)[0]
    assert isinstance(save, Save)
    assert [type(write) for write in save.writes] == [MoveUnit]


@pytest.mark.parametrize("status", [status for status in AgentStatus if status in COMPLETE_AGENT])
def test_every_ended_agent_has_a_reason_for_its_page(status: AgentStatus) -> None:
    assert refusal_of_ended(an_agent(status), FREE) in Reason


def test_the_stored_reason_of_an_ended_agent_wins() -> None:
    assert refusal_of_ended(an_agent(AgentStatus.DISCONNECT, "task_error"), FREE) is Reason.TASK_ERROR


def test_after_a_shutdown_a_page_is_told_to_come_back_only_while_its_unit_is_kept() -> None:
    agent = an_agent(AgentStatus.DISCONNECT, "shutdown")
    assert refusal_of_ended(agent, HELD) is Reason.SHUTDOWN
    assert refusal_of_ended(agent, FREE) is Reason.TASK_MISSING


@pytest.mark.parametrize("size", [1, 2, 3])
def test_every_mix_of_units_gives_an_assignment_status(size: int) -> None:
    for units in itertools.product(UnitStatus, repeat=size):
        assert assignment_status(units) in AssignmentStatus


def test_an_assignment_of_accepted_and_rejected_units_is_mixed() -> None:
    assert assignment_status([UnitStatus.ACCEPTED, UnitStatus.REJECTED]) is AssignmentStatus.MIXED


def test_an_assignment_with_one_unit_at_work_is_assigned() -> None:
    assert assignment_status([UnitStatus.COMPLETED, UnitStatus.ASSIGNED]) is AssignmentStatus.ASSIGNED


@pytest.mark.parametrize("index", [SCREENING_UNIT_INDEX, GOLD_UNIT_INDEX])
@pytest.mark.parametrize("cls", [TimeOver, GaveBack, WentAway, TaskFailed])
def test_s11_a_special_unit_that_is_given_up_expires_and_never_returns_to_the_pool(
    cls: type[AgentEvent], index: int
) -> None:
    unit = attrs.evolve(HELD, unit_index=index)
    (save, *_) = step(an_agent(AgentStatus.IN_TASK), unit, an_event(cls), run_goes_on=True)
    assert isinstance(save, Save)
    moved = next(write for write in save.writes if isinstance(write, MoveUnit))
    assert (moved.after, moved.release) == (UnitStatus.EXPIRED, True)


def test_a_special_unit_kept_over_a_shutdown_expires_when_nobody_comes_back() -> None:
    unit = attrs.evolve(HELD, unit_index=GOLD_UNIT_INDEX)
    (save, _) = release(an_agent(AgentStatus.DISCONNECT, Reason.SHUTDOWN.value), unit, run_goes_on=True)
    assert isinstance(save, Save)
    assert [write.after for write in save.writes if isinstance(write, MoveUnit)] == [UnitStatus.EXPIRED]
