"""What becomes of groups that form: a table of cases, and whole waiting rooms made up by chance."""

from collections.abc import Sequence

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdd.daemon.groups import (
    Ask,
    Close,
    Fallback,
    Fill,
    Forming,
    GroupRules,
    Leave,
    SendAway,
    Start,
    Step,
    Wait,
    Waiter,
    WaitingRules,
    form,
)
from crowdd.protocol.names import AgentId, UnitId

LIMIT_S, ASK_AFTER_S, ASK_S = 600.0, 30.0, 20.0
PAIR = GroupRules()
UP_TO_FOUR = GroupRules(size_min=2, size_max=4)
ANN, BOB, CAT, DAN = (AgentId(number) for number in range(1, 5))


def here(agent: AgentId, came: float = 0.0) -> Waiter:
    return Waiter(agent, came + LIMIT_S, present=True, heard=came)


def away(agent: AgentId, came: float = 0.0) -> Waiter:
    return Waiter(agent, came + LIMIT_S, present=False, heard=came)


def simulated(agent: AgentId) -> Waiter:
    return Waiter(agent, float("inf"), present=True, heard=float("inf"), simulated=True)


def a_group(*waiters: Waiter, free: int = 0, size: int = 0) -> Forming:
    units = [UnitId(number) for number in range(1, free + 1)]
    return Forming(waiters, units, size or len(waiters) + free)


def step(group: Forming, rules: GroupRules = PAIR, now: float = 0.0, partner: bool = False) -> Step:
    return form(group, rules, now, partner)


def only(*fallbacks: Fallback, rules: GroupRules = PAIR) -> GroupRules:
    return attrs.evolve(rules, waiting=attrs.evolve(rules.waiting, fallbacks=fallbacks))


def test_an_empty_group_waits_for_anybody() -> None:
    assert step(a_group(free=2)) == Wait(None)


def test_who_is_alone_waits_until_their_limit() -> None:
    assert step(a_group(here(ANN, 5), free=1), now=7) == Wait(605)


def test_a_full_group_of_people_who_just_came_starts_at_once() -> None:
    assert step(a_group(here(ANN, 0), here(BOB, 20)), now=20) == Start([ANN, BOB], [], [])


def test_who_waited_for_long_is_asked_before_the_group_starts() -> None:
    assert step(a_group(here(ANN, 0), here(BOB, 60)), now=60) == Ask([ANN], 80)


def test_also_asked_is_who_would_be_silent_for_too_long_by_the_end_of_the_roll_call() -> None:
    assert step(a_group(here(ANN, 0), here(BOB, 40)), now=60) == Ask([ANN, BOB], 80)


def test_while_somebody_is_asked_the_others_wait_for_the_answer() -> None:
    asked = attrs.evolve(here(ANN), asked=60.0)
    assert step(a_group(asked, here(BOB, 60)), now=70) == Wait(80)


def test_who_does_not_answer_loses_the_seat() -> None:
    asked = attrs.evolve(here(ANN), asked=60.0)
    assert step(a_group(asked, here(BOB, 60)), now=80) == Leave([ANN])


def test_who_answered_starts() -> None:
    answered = attrs.evolve(here(ANN), heard=65.0)
    assert step(a_group(answered, here(BOB, 60)), now=65) == Start([ANN, BOB], [], [])


def test_nobody_starts_with_a_partner_whose_page_is_closed() -> None:
    assert step(a_group(here(ANN, 0), away(BOB, 10)), now=11) == Wait(600)


def test_at_the_limit_a_group_that_is_large_enough_starts_smaller() -> None:
    group = a_group(here(ANN, 0), attrs.evolve(here(BOB), heard=590.0), free=2)
    assert step(group, UP_TO_FOUR, now=600) == Ask([ANN], 620)
    answered = a_group(*(attrs.evolve(waiter, heard=601.0) for waiter in group.waiters), free=2)
    assert step(answered, UP_TO_FOUR, now=601) == Start([ANN, BOB], [], [UnitId(1), UnitId(2)])


def test_who_is_away_when_a_smaller_group_starts_stays_behind() -> None:
    heard = [attrs.evolve(here(agent), heard=600.0) for agent in (ANN, BOB)]
    group = a_group(*heard, away(CAT, 500), free=1)
    assert step(group, UP_TO_FOUR, now=600) == Start([ANN, BOB], [CAT], [UnitId(1)])


def test_at_the_limit_a_lone_worker_is_sent_away() -> None:
    assert step(a_group(here(ANN), free=1), now=600) == SendAway([ANN])


def test_only_those_are_sent_away_whose_limit_is_over() -> None:
    rules = only(Fallback.SEND_AWAY, rules=UP_TO_FOUR)
    assert step(a_group(here(ANN), here(BOB, 100), free=2), rules, now=600) == SendAway([ANN])


def test_where_no_fallback_is_possible_people_are_sent_away_too() -> None:
    assert step(a_group(here(ANN), free=1), only(Fallback.SIMULATED), now=600) == SendAway([ANN])


def test_at_the_limit_a_simulated_partner_takes_the_seat() -> None:
    group = a_group(attrs.evolve(here(ANN), heard=600.0), free=1)
    assert step(group, now=600, partner=True) == Fill([UnitId(1)])
    filled = a_group(*group.waiters, simulated(BOB))
    assert step(filled, now=600, partner=True) == Start([ANN, BOB], [], [])


def test_a_worker_is_asked_before_a_simulated_partner_is_made() -> None:
    assert step(a_group(here(ANN), free=1), now=600, partner=True) == Ask([ANN], 620)


def test_simulated_partners_fill_up_to_the_least_where_smaller_groups_may_start() -> None:
    rules = GroupRules(size_min=3, size_max=5)
    group = a_group(attrs.evolve(here(ANN), heard=600.0), free=4)
    assert step(group, rules, now=600, partner=True) == Fill([UnitId(1), UnitId(2)])


def test_simulated_partners_fill_every_seat_where_groups_must_be_full() -> None:
    rules = only(Fallback.SIMULATED, rules=GroupRules(size_min=3, size_max=5))
    group = a_group(attrs.evolve(here(ANN), heard=600.0), free=4)
    assert step(group, rules, now=600, partner=True) == Fill([UnitId(n) for n in (1, 2, 3, 4)])


def test_a_simulated_partner_takes_the_seat_of_who_is_away() -> None:
    group = a_group(attrs.evolve(here(ANN), heard=600.0), away(BOB, 300))
    assert step(group, now=600, partner=True) == Leave([BOB])


def test_simulated_partners_do_not_wait_for_each_other() -> None:
    assert step(a_group(simulated(BOB), free=1)) == Leave([BOB])


def test_nobody_waits_for_seats_that_are_gone() -> None:
    assert step(a_group(here(ANN), size=2), now=10) == SendAway([ANN])


def test_nobody_is_to_come_to_a_group_that_can_never_be_large_enough() -> None:
    assert step(a_group(free=1, size=2)) == Close([UnitId(1)])


def test_a_group_that_cannot_grow_starts_as_it_is_when_it_is_large_enough() -> None:
    assert step(a_group(here(ANN), here(BOB), size=4), UP_TO_FOUR, now=10) == Start([ANN, BOB], [], [])


def test_a_group_of_one_starts_alone_at_the_limit_where_that_is_allowed() -> None:
    rules = GroupRules(size_min=1, size_max=2)
    group = a_group(attrs.evolve(here(ANN), heard=600.0), free=1)
    assert step(group, rules, now=600) == Start([ANN], [], [UnitId(1)])


def test_who_is_away_at_their_limit_has_left() -> None:
    assert step(a_group(away(ANN), free=1), now=600) == Leave([ANN])


def test_an_answer_that_comes_after_the_others_limit_and_ask_s_is_too_late() -> None:
    back = attrs.evolve(here(BOB, 300), asked=610.0)
    assert step(a_group(attrs.evolve(here(ANN), heard=605.0), back), now=620) == Leave([BOB])


# --- whole rooms


@attrs.define
class Life:
    """One worker of a made-up room: what they do, and what became of them."""

    agent: AgentId
    came: float
    answers: bool
    away: Sequence[tuple[float, float]]
    left: float
    heard: float = 0.0
    asked: float | None = None
    ended: float | None = None
    end: str = ""

    def is_present(self, now: float) -> bool:
        return now < self.left and not any(begin <= now < end for begin, end in self.away)


lives = st.builds(
    Life,
    agent=st.just(ANN),
    came=st.floats(0, 2 * LIMIT_S),
    answers=st.booleans(),
    away=st.lists(st.tuples(st.floats(0, 1500), st.floats(1, 200)).map(lambda t: (t[0], sum(t))), max_size=3),
    left=st.floats(0, 4 * LIMIT_S),
)


@st.composite
def all_rules(draw: st.DrawFn) -> GroupRules:
    least = draw(st.integers(1, 4))
    waiting = WaitingRules(
        limit_s=draw(st.sampled_from([60.0, LIMIT_S])),
        fallbacks=tuple(draw(st.permutations(list(Fallback)))[: draw(st.integers(0, 3))]),
        ask_after_s=draw(st.sampled_from([1.0, ASK_AFTER_S, 2 * LIMIT_S])),
        ask_s=draw(st.sampled_from([1.0, ASK_S, 90.0])),
    )
    return GroupRules(least, draw(st.integers(max(least, 2), 5)), waiting)


@attrs.define
class Room:
    """One assignment: who comes takes a free seat, what `form` says is carried out."""

    rules: GroupRules
    partner: bool
    waiting: list[Life] = attrs.Factory(list[Life])
    simulated: int = 0
    starts: list[tuple[Start, float]] = attrs.Factory(list[tuple[Start, float]])
    refused: list[Life] = attrs.Factory(list[Life])

    @property
    def free(self) -> int:
        return self.rules.size_max - len(self.waiting) - self.simulated

    def group(self, now: float) -> Forming:
        until = self.rules.waiting.limit_s
        seats = [Waiter(x.agent, x.came + until, x.is_present(now), x.heard, x.asked) for x in self.waiting]
        seats += [simulated(AgentId(1000 + number)) for number in range(self.simulated)]
        return a_group(*seats, free=self.free)

    def settle(self, now: float) -> float | None:
        """Carry steps out until there is nothing but to wait; returns until when."""
        for _ in range(50):
            match form(self.group(now), self.rules, now, self.partner):
                case Wait(until):
                    assert until is None or until > now
                    return until
                case done:
                    self._carry_out(done, now)
        raise AssertionError("it never comes to rest")

    def _carry_out(self, step: Step, now: float) -> None:
        match step:
            case Ask(agents, until):
                assert now < until <= now + self.rules.waiting.ask_s
                for life in self._named(agents):
                    assert life.asked is None
                    life.asked = now
            case Leave(agents):
                self.simulated -= sum(agent >= 1000 for agent in agents)
                self._end(agents, now, "left")
            case SendAway(agents):
                self._end(agents, now, "sent away")
            case Fill(units):
                assert self.partner
                self.simulated += len(units)
            case Start():
                assert len(step.free) == self.free
                self.starts.append((step, now))
                self.simulated = 0
                self._end(step.behind, now, "left")
                self._end(step.agents, now, "started")
            case Wait() | Close():
                raise AssertionError("unreachable")

    def _named(self, agents: Sequence[AgentId]) -> list[Life]:
        return [life for life in self.waiting if life.agent in agents]

    def _end(self, agents: Sequence[AgentId], now: float, end: str) -> None:
        for life in self._named(agents):
            life.ended, life.end = now, end
        self.waiting = [life for life in self.waiting if life.ended is None]

    def play(self, lives: list[Life]) -> None:
        """Let them come and go; whoever was asked and answers does so after half of the time."""
        changes: set[float] = {moment for life in lives for pair in life.away for moment in pair}
        changes |= {life.came for life in lives} | {life.left for life in lives}
        coming = sorted(lives, key=lambda life: life.came)
        now = 0.0
        while changes:
            now = min(changes)
            changes.discard(now)
            while coming and coming[0].came <= now:
                self._admit(coming.pop(0), now)
            for life in self.waiting:
                half = self.rules.waiting.ask_s / 2
                if life.asked is not None and life.answers and now >= life.asked + half:
                    life.heard, life.asked = now, None
            until = self.settle(now)
            if until is not None:
                changes.add(until)
            changes |= {
                life.asked + self.rules.waiting.ask_s / 2
                for life in self.waiting
                if life.asked is not None and life.answers
            } - {now}
            changes = {moment for moment in changes if moment > now}

    def _admit(self, life: Life, now: float) -> None:
        if not self.free:
            self.refused.append(life)
            return
        life.heard = now
        self.waiting.append(life)


@pytest.mark.parametrize("partner", [False, True])
@settings(max_examples=300, deadline=None)
@given(rules=all_rules(), people=st.lists(lives, min_size=1, max_size=8))
def test_everybody_who_waits_has_a_definite_end_and_only_sound_groups_start(
    partner: bool, rules: GroupRules, people: list[Life]
) -> None:
    people = [attrs.evolve(life, agent=AgentId(number)) for number, life in enumerate(people, 1)]
    room = Room(rules, partner)
    room.play(people)
    latest_s = rules.waiting.limit_s + rules.waiting.ask_s
    for life in people:
        if life in room.refused:
            continue
        assert life.ended is not None, "left hanging"
        assert life.ended <= life.came + latest_s + 1e-6
        if life.end == "sent away":
            assert life.ended >= life.came + rules.waiting.limit_s - 1e-6
            assert life.is_present(life.ended)
    for start, at in room.starts:
        assert len(start.agents) <= rules.size_max
        assert len(start.agents) >= rules.size_min
        started = [life for life in people if life.agent in start.agents]
        assert started, "simulated partners among themselves"
        lately_s = max(rules.waiting.ask_after_s, rules.waiting.ask_s)
        assert all(life.is_present(at) and life.heard + lately_s >= at for life in started)
        assert set(start.agents).isdisjoint(start.behind)


@settings(max_examples=200, deadline=None)
@given(rules=all_rules(), count=st.integers(1, 30), gap_s=st.sampled_from([0.0, 1.0, 20.0]))
def test_nobody_who_stays_is_turned_away_while_others_come(
    rules: GroupRules, count: int, gap_s: float
) -> None:
    """A room after the other, the oldest that forms first, as admission gives seats."""
    count -= count % rules.size_max
    if gap_s * rules.size_max >= rules.waiting.limit_s:
        return
    people = [Life(AgentId(n + 1), gap_s * n, True, (), 1e9) for n in range(count)]
    for first in range(0, count, rules.size_max):
        room = Room(rules, partner=False)
        room.play(people[first : first + rules.size_max])
        assert not room.refused
    assert {life.end for life in people} <= {"started"}
