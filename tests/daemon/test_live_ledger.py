"""The ledger of a piece, and its replay. What is given once is recorded; what is recorded is given again."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crowdd.daemon.live.errors import ReplayDiverged
from crowdd.daemon.live.ledger import TURN_ROWS_MAX, Ledger, PieceKey, Turn
from crowdd.daemon.live.replay import Replay
from crowdd.daemon.live.waits import (
    AllOver,
    Ended,
    Execute,
    Got,
    How,
    Left,
    Nothing,
    Outcome,
    Seat,
    Sent,
    Value,
    Wait,
    What,
)
from crowdd.protocol.names import AgentId, PieceKind
from crowdd.storage.records import JournalEntry, LiveUpdate

ANNA, BERT, CARL = AgentId(11), AgentId(12), AgentId(13)
NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)


class Clerk:
    """A ledger, and all that it ever had stored."""

    def __init__(self, *agents: AgentId) -> None:
        self.ledger = Ledger(PieceKey(PieceKind.ASSIGNMENT, 7), lambda: NOW)
        self.ledger.begin(agents)
        self.agents = agents
        self.entries: list[JournalEntry] = []
        self.updates: list[LiveUpdate] = []
        self._heard: dict[AgentId, int] = {}

    def hear(self, agent: AgentId, **data: Any) -> None:
        number = self._heard[agent] = self._heard.get(agent, 0) + 1
        at = NOW + timedelta(seconds=len(self.updates))
        update = LiveUpdate(False, agent, False, number, f"u{agent}.{number}", "", 0, data, at)
        self.ledger.heard(update, True, lambda: None)

    def wait(self, what: What, seat: Seat | None = None, **more: Any) -> Wait:
        wait = Wait(what, lambda: None, seat, **more)
        self.ledger.add(wait)
        return wait

    def turn(self, now: float = 0.0) -> Turn:
        while self.ledger.next(now) is not None:
            pass
        return self.store()

    def store(self) -> Turn:
        turn = self.ledger.hand_over()
        self.entries += turn.entries
        self.updates += turn.updates
        self.ledger.is_stored(turn)
        return turn

    def given(self, what: What, seat: Seat | None = None, now: float = 0.0, **more: Any) -> Outcome | None:
        wait = self.wait(what, seat, **more)
        self.turn(now)
        return wait.outcome

    def again(self) -> "tuple[Clerk, Replay]":
        """The same piece after a restart."""
        clerk = Clerk(*self.agents)
        for update in self.updates:
            if not update.outgoing:
                clerk.ledger.deliver(update)
        sent = [update for update in self.updates if update.outgoing]
        for update in sent:
            clerk.ledger.sent_before(update.agent_id, update.number)
        clerk.ledger.position = clerk.ledger.stored = len(self.entries)
        return clerk, Replay(clerk.ledger, self.entries, sent)


def seats(clerk: Clerk) -> Sequence[Seat]:
    return clerk.ledger.seats


def test_an_update_is_given_to_who_waits_for_its_agent_and_stored_in_the_same_turn() -> None:
    clerk = Clerk(ANNA, BERT)
    anna, bert = (clerk.wait(What.RECEIVE, seat) for seat in seats(clerk))
    clerk.hear(BERT, text="hi")
    turn = clerk.turn()
    assert isinstance(bert.outcome, Got)
    assert bert.outcome.update.update == {"text": "hi"}
    assert anna.outcome is None
    assert [update.update for update in turn.updates] == [{"text": "hi"}]
    assert [(entry.what, entry.agent_id, entry.result) for entry in turn.entries] == [
        ("receive", BERT, {"number": 1})
    ]


def test_who_waits_for_anybody_gets_updates_in_the_order_in_which_they_came() -> None:
    clerk = Clerk(ANNA, BERT)
    clerk.hear(BERT, n=1)
    clerk.hear(ANNA, n=2)
    clerk.hear(BERT, n=3)
    got = [clerk.given(What.RECEIVE_ANY) for _ in range(3)]
    assert [outcome.update.update["n"] for outcome in got if isinstance(outcome, Got)] == [1, 2, 3]


def test_what_an_agent_said_before_it_left_is_given_before_its_end() -> None:
    clerk = Clerk(ANNA)
    clerk.hear(ANNA, text="bye")
    clerk.ledger.left(ANNA, How.RETURNED)
    (seat,) = seats(clerk)
    assert isinstance(clerk.given(What.RECEIVE, seat), Got)
    assert clerk.given(What.RECEIVE, seat) == Left(How.RETURNED)
    assert clerk.given(What.SEND, seat, update={}) == Left(How.RETURNED)
    assert clerk.given(What.RECEIVE_ANY) == AllOver()


def test_a_wait_ends_with_nothing_at_its_deadline_and_not_before() -> None:
    clerk = Clerk(ANNA)
    wait = clerk.wait(What.RECEIVE, seats(clerk)[0], deadline=5.0)
    clerk.turn(now=4.9)
    assert wait.outcome is None
    assert clerk.ledger.next_deadline == 5.0
    clerk.turn(now=5.0)
    assert wait.outcome == Nothing()


def test_the_first_of_several_deadlines_is_the_next_in_whatever_order_they_came() -> None:
    clerk = Clerk(ANNA)
    for deadline in (9.0, 5.0, 7.0):
        clerk.wait(What.SLEEP, deadline=deadline)
    assert clerk.ledger.next_deadline == 5.0


def test_a_deadline_goes_with_the_wait_that_is_given_something() -> None:
    clerk = Clerk(ANNA)
    clerk.wait(What.SLEEP, deadline=9.0)
    clerk.wait(What.RECEIVE, seats(clerk)[0], deadline=5.0)
    clerk.hear(ANNA, n=1)
    clerk.turn()
    assert clerk.ledger.next_deadline == 9.0


def test_a_deadline_that_two_waits_share_stays_when_one_is_withdrawn() -> None:
    clerk = Clerk(ANNA)
    first, _ = [clerk.wait(What.SLEEP, deadline=5.0) for _ in range(2)]
    clerk.ledger.withdraw(first)
    assert clerk.ledger.next_deadline == 5.0


def test_without_a_wait_that_has_an_end_there_is_no_deadline() -> None:
    clerk = Clerk(ANNA)
    clerk.wait(What.RECEIVE, seats(clerk)[0])
    clerk.ledger.withdraw(clerk.wait(What.SLEEP, deadline=5.0))
    assert clerk.ledger.next_deadline == math.inf


def test_a_wait_that_is_withdrawn_takes_nothing() -> None:
    clerk = Clerk(ANNA)
    wait = clerk.wait(What.RECEIVE, seats(clerk)[0])
    clerk.ledger.withdraw(wait)
    clerk.hear(ANNA, n=1)
    clerk.turn()
    assert wait.outcome is None
    assert isinstance(clerk.given(What.RECEIVE, seats(clerk)[0]), Got)


def test_sends_are_numbered_per_agent_and_stored_with_the_position_they_follow() -> None:
    clerk = Clerk(ANNA, BERT)
    anna, bert = seats(clerk)
    assert clerk.given(What.SEND, anna, update={"n": 1}) == Sent(1)
    assert clerk.given(What.SEND, bert, update={"n": 2}) == Sent(1)
    assert clerk.given(What.SEND, anna, update={"n": 3}) == Sent(2)
    assert [entry.position for entry in clerk.entries] == [1, 2, 3]
    assert [update.update_id for update in clerk.updates] == ["11.1", "12.1", "11.2"]


def test_what_user_code_sends_is_in_one_turn_with_what_it_was_given() -> None:
    clerk = Clerk(ANNA)
    (seat,) = seats(clerk)
    clerk.hear(ANNA, n=1)
    for what, more in ((What.RECEIVE, {}), (What.SEND, {"update": {"n": 2}})):
        wait = clerk.wait(what, seat, **more)
        assert clerk.ledger.next(0.0) is wait
    turn = clerk.store()
    assert [update.update for update in turn.updates] == [{"n": 1}, {"n": 2}]
    assert [entry.what for entry in turn.entries] == ["receive", "send"]


def test_a_function_is_called_once_all_that_user_code_was_given_before_is_stored() -> None:
    clerk = Clerk(ANNA)
    clerk.wait(What.NOW)
    clerk.ledger.next(0.0)
    call = clerk.wait(What.RUN)
    assert clerk.ledger.next(0.0) is None
    clerk.store()
    assert clerk.ledger.next(0.0) is call
    assert call.outcome == Execute()


def test_nothing_more_is_given_while_as_much_as_a_turn_holds_is_to_be_stored() -> None:
    clerk = Clerk(ANNA)
    for _ in range(TURN_ROWS_MAX):
        clerk.wait(What.NOW)
        clerk.ledger.next(0.0)
    clerk.wait(What.NOW)
    assert clerk.ledger.next(0.0) is None
    assert clerk.store().rows == TURN_ROWS_MAX
    assert clerk.ledger.next(0.0) is not None


def test_what_could_not_be_stored_comes_first_in_what_is_handed_over_next() -> None:
    clerk = Clerk(ANNA)
    clerk.hear(ANNA, n=1)
    turn = clerk.ledger.hand_over()
    clerk.hear(ANNA, n=2)
    clerk.ledger.take_back(turn)
    assert [update.update["n"] for update in clerk.store().updates] == [1, 2]


def test_an_answer_of_a_named_function_is_sent_without_an_entry() -> None:
    clerk = Clerk(ANNA)
    clerk.ledger.answer(ANNA, {"handles": "r"})
    turn = clerk.turn()
    assert turn.entries == []
    assert [update.number for update in turn.updates] == [1]
    assert clerk.given(What.SEND, seats(clerk)[0], update={}) == Sent(2)


def test_who_joins_takes_the_seat_after_what_its_last_one_said() -> None:
    clerk = Clerk(ANNA, BERT)
    clerk.hear(BERT, text="last words")
    clerk.ledger.note(What.JOINED, CARL, {"seat": 1})
    clerk.turn()
    bert = seats(clerk)[1]
    assert bert.agent_id == CARL
    clerk.hear(CARL, text="hello")
    words = [clerk.given(What.RECEIVE, bert) for _ in range(2)]
    assert [w.update.update["text"] for w in words if isinstance(w, Got)] == ["last words", "hello"]


def test_a_group_that_ended_says_so_once_nothing_is_left_to_hear() -> None:
    clerk = Clerk(ANNA, BERT)
    clerk.hear(ANNA, n=1)
    clerk.ledger.note(What.ENDED, BERT, {})
    clerk.turn()
    assert isinstance(clerk.given(What.RECEIVE_ANY), Got)
    assert clerk.given(What.RECEIVE_ANY) == Ended(BERT)
    assert clerk.given(What.SEND, seats(clerk)[0], update={}) == Sent(1)


def test_a_replay_gives_every_recorded_result_again_and_executes_nothing() -> None:
    clerk = Clerk(ANNA)
    (seat,) = seats(clerk)
    clerk.hear(ANNA, n=1)
    first = [
        clerk.given(What.RECEIVE, seat),
        clerk.given(What.NOW),
        clerk.given(What.RUN, value=Value({"result": 3})),
        clerk.given(What.SEND, seat, update={"n": 2}),
        clerk.given(What.SLEEP, deadline=1.0, now=2.0),
    ]
    after, replay = clerk.again()
    asked: list[tuple[What, Seat | None, dict[str, Any]]] = [
        (What.RECEIVE, after.ledger.seats[0], {}),
        (What.NOW, None, {}),
        (What.RUN, None, {}),
        (What.SEND, after.ledger.seats[0], {"update": {"n": 2}}),
        (What.SLEEP, None, {"deadline": 99.0}),
    ]
    second: list[Outcome | None] = []
    for what, where, more in asked:
        wait = after.wait(what, where, **more)
        assert replay.step() is wait
        second.append(wait.outcome)
    assert second == first
    assert replay.over
    assert after.given(What.RUN) == Execute()


def test_after_a_replay_numbers_and_positions_go_on() -> None:
    clerk = Clerk(ANNA)
    clerk.given(What.SEND, seats(clerk)[0], update={})
    after, replay = clerk.again()
    after.wait(What.SEND, after.ledger.seats[0], update={})
    replay.step()
    assert after.given(What.SEND, after.ledger.seats[0], update={}) == Sent(2)
    assert [entry.position for entry in after.entries] == [2]


def test_what_came_and_was_never_asked_for_is_given_after_the_replay() -> None:
    clerk = Clerk(ANNA)
    clerk.hear(ANNA, n=1)
    clerk.hear(ANNA, n=2)
    clerk.given(What.RECEIVE, seats(clerk)[0])
    after, replay = clerk.again()
    after.wait(What.RECEIVE, after.ledger.seats[0])
    replay.step()
    outcome = after.given(What.RECEIVE, after.ledger.seats[0])
    assert isinstance(outcome, Got)
    assert outcome.update.update == {"n": 2}


def test_results_are_given_in_their_order_to_waits_that_stand_side_by_side() -> None:
    clerk = Clerk(ANNA, BERT)
    waits = [clerk.wait(What.RECEIVE, seat) for seat in seats(clerk)]
    clerk.hear(BERT, n=1)
    clerk.turn()
    clerk.hear(ANNA, n=2)
    clerk.turn()
    assert all(isinstance(wait.outcome, Got) for wait in waits)
    after, replay = clerk.again()
    anna, bert = (after.wait(What.RECEIVE, seat) for seat in after.ledger.seats)
    assert replay.step() is bert
    assert replay.step() is anna


def test_another_text_than_was_sent_is_a_divergence_that_shows_both() -> None:
    clerk = Clerk(ANNA)
    clerk.given(What.SEND, seats(clerk)[0], update={"text": "old"})
    after, replay = clerk.again()
    after.wait(What.SEND, after.ledger.seats[0], update={"text": "new"})
    with pytest.raises(ReplayDiverged, match=r'position 1 .*"old".*"new"'):
        replay.step()


def test_a_wait_that_was_never_recorded_is_named_with_what_was_expected() -> None:
    clerk = Clerk(ANNA)
    clerk.given(What.NOW)
    after, replay = clerk.again()
    after.wait(What.RECEIVE, after.ledger.seats[0])
    assert replay.step() is None
    assert "did now before, now it waits for receive for agent 11" in str(replay.waits_instead())
