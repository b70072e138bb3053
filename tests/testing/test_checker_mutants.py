"""Daemons with one planted bug each, run through a day of work: the checker must name every bug."""

from collections.abc import Awaitable, Callable
from typing import ParamSpec

import attrs
import pytest
import trio
from trio.testing import MockClock

from crowdd.protocol.names import LIVE_AGENT, AgentStatus, Reason, UnitStatus, WorkerId
from crowdd.storage.records import Agent, Unit
from crowdd.testing.checker import Rule, Violation, check_history
from crowdd.testing.model import Denied, Given, Model, ModelHouse, ModelStore, Reply
from crowdd.testing.tables import DAEMON_TABLES

WORKERS = 4
RETRIES = 20
GRACE_S = 60.0


async def _work(house: ModelHouse, worker: int) -> None:
    """One worker: units one after another until there are no more, each request repeated until answered."""
    name, after = f"worker-{worker}", ""
    while True:
        given = await _until_answered(house.register, name, worker, name, after)
        if not isinstance(given, Given):
            return
        if worker == 1 and not after:
            await _until_answered(house.give_back, name, given.wire_id)
        else:
            data = f'"{name} on {given.wire_id}"'.encode()
            await trio.sleep(1 + worker / 10)
            await _until_answered(house.submit, name, given.wire_id, data)
            await _until_answered(house.submit, name, given.wire_id, data)
        after = given.wire_id


_Args = ParamSpec("_Args")


async def _until_answered(
    ask: Callable[_Args, Awaitable[Reply | None]], *args: _Args.args, **kwargs: _Args.kwargs
) -> Reply | None:
    for _ in range(RETRIES):
        if (reply := await ask(*args, **kwargs)) is not None:
            return reply
        await trio.sleep(1)
    return None


async def _day(make: Callable[[ModelStore], Model] = Model, restarts: int = 0) -> ModelHouse:
    house = ModelHouse(ModelStore(assignments=6, units_per_assignment=2), make)
    async with trio.open_nursery() as nursery:
        for worker in range(1, WORKERS + 1):
            nursery.start_soon(_work, house, worker)
        for _ in range(restarts):
            await trio.sleep(1.25)
            house.restart()
    await trio.sleep(GRACE_S)
    return house


def _check(house: ModelHouse) -> list[Violation]:
    return check_history(house.history.entries, house.store.facts(), DAEMON_TABLES)


async def _broken(make: Callable[[ModelStore], Model], restarts: int = 0) -> set[Rule]:
    return {violation.rule for violation in _check(await _day(make, restarts))}


@pytest.mark.parametrize("restarts", [0, 1, 5])
async def test_a_right_daemon_is_found_right(restarts: int, autojump_clock: MockClock) -> None:
    house = await _day(restarts=restarts)
    assert _check(house) == []
    assert len(house.store.submissions) == 12


class AcknowledgesBeforeCommit(Model):
    """Says yes, and commits when two answers have come together."""

    def __init__(self, store: ModelStore) -> None:
        super().__init__(store)
        self.pending: list[tuple[str, bytes]] = []

    async def submit(self, wire_id: str, data: bytes) -> Reply:
        self.pending.append((wire_id, data))
        if len(self.pending) == 2:
            for one in self.pending:
                await super().submit(*one)
        return Given()


@pytest.mark.parametrize("workers", [1, 2])
async def test_an_acknowledgement_before_the_commit_is_caught_by_a_crash(workers: int) -> None:
    house = ModelHouse(ModelStore(assignments=2), AcknowledgesBeforeCommit)
    for worker in range(workers):
        given = await house.register(f"worker-{worker}", worker, f"link-{worker}")
        assert isinstance(given, Given)
        await house.submit(f"worker-{worker}", given.wire_id, b'"done"')
    house.restart()
    assert [violation.rule for violation in _check(house)] == ([Rule.SUBMISSION] if workers == 1 else [])


class StoresTwice(Model):
    """Repeats are not recognised."""

    async def submit(self, wire_id: str, data: bytes) -> Reply:
        reply = await super().submit(wire_id, data)
        if len(self.store.submissions) == 3:
            self.store.add_submission(self.find(wire_id), data)
        return reply


async def test_an_answer_stored_twice_is_caught(autojump_clock: MockClock) -> None:
    assert Rule.SUBMISSION in await _broken(StoresTwice)


class ChangesAnswers(Model):
    """One answer loses its last bytes on the way to the store."""

    async def submit(self, wire_id: str, data: bytes) -> Reply:
        reply = await super().submit(wire_id, data)
        if len(self.store.submissions) == 3:
            self.store.submissions[2] = attrs.evolve(self.store.submissions[2], data=data[:-1])
        return reply


async def test_an_answer_that_was_changed_is_caught(autojump_clock: MockClock) -> None:
    assert await _broken(ChangesAnswers) >= {Rule.SUBMISSION}


class RemembersInMemoryOnly(Model):
    """Knows repeats only as long as it lives; after a restart the same answer is refused as another one."""

    def __init__(self, store: ModelStore) -> None:
        super().__init__(store)
        self.seen: set[tuple[str, bytes]] = set()

    async def submit(self, wire_id: str, data: bytes) -> Reply:
        if (wire_id, data) in self.seen:
            return Given()
        agent = self.find(wire_id)
        if agent.status not in LIVE_AGENT:
            return Denied(Reason.ALREADY_SUBMITTED)
        await super().submit(wire_id, data)
        self.seen.add((wire_id, data))
        await trio.sleep(0.5)  # the answer is still on its way when the crash comes
        return Given()


async def test_repeats_known_in_memory_only_are_caught_after_a_restart(autojump_clock: MockClock) -> None:
    assert Rule.ANSWER in await _broken(RemembersInMemoryOnly, restarts=3)
    assert await _broken(RemembersInMemoryOnly, restarts=0) == set()


class ReservesInTwoTransactions(Model):
    """Looks for a unit in one transaction and takes it in the next."""

    async def register(self, worker_id: WorkerId, link: str, after: str) -> Reply:
        unit = self.store.free_unit(worker_id)
        await trio.sleep(0.01)
        if unit is not None and self._is_new(link, after):
            return Given(self.store.add_agent(unit, worker_id, link, after).wire_id)
        return await super().register(worker_id, link, after)

    def _is_new(self, link: str, after: str) -> bool:
        return all((agent.link, agent.after) != (link, after) for agent in self.store.agents.values())


async def test_a_reservation_in_two_transactions_is_caught(autojump_clock: MockClock) -> None:
    assert Rule.UNIT in await _broken(ReservesInTwoTransactions)


async def test_a_unit_given_twice_is_seen_by_the_browsers_alone(autojump_clock: MockClock) -> None:
    house = await _day(ReservesInTwoTransactions)
    forgetful = attrs.evolve(house.store.facts(), history=[])
    violations = check_history(house.history.entries, forgetful, DAEMON_TABLES)
    assert any(one.rule is Rule.UNIT and "pages of agents" in one.text for one in violations)


class ReservesHalf(Model):
    """The agent is written, a crash falls, the unit is still free."""

    async def register(self, worker_id: WorkerId, link: str, after: str) -> Reply:
        free = self.store.free_unit(worker_id)
        reply = await super().register(worker_id, link, after)
        if free is not None and len(self.store.agents) == 2:
            self.store.units[free.id] = free
        return reply


async def test_half_a_reservation_is_caught(autojump_clock: MockClock) -> None:
    assert await _broken(ReservesHalf) >= {Rule.UNIT}


class LeavesTheTable(Model):
    """A unit that was given back is completed first."""

    async def give_back(self, wire_id: str) -> Reply:
        agent = self.find(wire_id)
        self.store.move_agent(agent, AgentStatus.COMPLETED)
        self.store.move_agent(self.find(wire_id), AgentStatus.RETURNED)
        self.store.move_unit(self.store.units[agent.unit_id], UnitStatus.LAUNCHED)
        return Given()


async def test_a_status_off_the_table_is_caught(autojump_clock: MockClock) -> None:
    assert await _broken(LeavesTheTable) == {Rule.PATH}


class LosesUnits(Model):
    """A unit that was given back stays with an agent that is gone."""

    async def give_back(self, wire_id: str) -> Reply:
        self.store.move_agent(self.find(wire_id), AgentStatus.RETURNED)
        return Given()


async def test_a_unit_that_nobody_can_have_any_more_is_caught(autojump_clock: MockClock) -> None:
    assert await _broken(LosesUnits) == {Rule.LIVENESS}


class DropsUnits(Model):
    """A unit that was given back is not there any more."""

    async def give_back(self, wire_id: str) -> Reply:
        reply = await super().give_back(wire_id)
        del self.store.units[self.find(wire_id).unit_id]
        return reply


async def test_a_unit_that_is_not_there_any_more_is_caught(autojump_clock: MockClock) -> None:
    assert await _broken(DropsUnits) == {Rule.LIVENESS}


class GivesBothUnits(Model):
    """One worker gets both units of an assignment."""

    def __init__(self, store: ModelStore) -> None:
        super().__init__(store)
        store.free_unit = self._free_unit  # type: ignore[method-assign]  # the planted bug

    def _free_unit(self, worker_id: WorkerId) -> Unit | None:
        free = (unit for unit in self.store.units.values() if unit.status is UnitStatus.LAUNCHED)
        return next(free, None)


async def test_two_units_of_one_assignment_for_one_worker_are_caught(autojump_clock: MockClock) -> None:
    assert await _broken(GivesBothUnits) == {Rule.UNIT}


class SaysGivenBack(Model):
    """Tells the worker that the unit is free, and forgets to do it."""

    async def give_back(self, wire_id: str) -> Reply:
        return Given()


async def test_an_answer_that_lies_is_caught(autojump_clock: MockClock) -> None:
    assert Rule.ANSWER in await _broken(SaysGivenBack)


class RefusesWhatItStored(Model):
    """Stores the answer and says no."""

    async def submit(self, wire_id: str, data: bytes) -> Reply:
        await super().submit(wire_id, data)
        return Denied(Reason.TIME_OVER)


async def test_a_no_to_what_was_done_is_caught(autojump_clock: MockClock) -> None:
    assert await _broken(RefusesWhatItStored) == {Rule.ANSWER}


class MakesTwoAgents(Model):
    """The same registration again makes another agent."""

    async def register(self, worker_id: WorkerId, link: str, after: str) -> Reply:
        unit = self.store.free_unit(worker_id)
        if unit is None:
            return Denied(Reason.NO_AVAILABLE_UNITS)
        agent = self.store.add_agent(unit, worker_id, link, after)
        await trio.sleep(1.0)  # the answer is still on its way when the crash comes
        return Given(agent.wire_id)


async def test_two_agents_for_one_registration_are_caught(autojump_clock: MockClock) -> None:
    assert Rule.ANSWER in await _broken(MakesTwoAgents, restarts=2)


class MixesUpLinks(Model):
    """Gives one link the agent of another."""

    def _registered(self, agent: Agent) -> Reply:
        return Given(self.store.agents[min(self.store.agents)].wire_id)


async def test_an_agent_given_to_another_link_is_caught(autojump_clock: MockClock) -> None:
    house = ModelHouse(ModelStore(assignments=6), MixesUpLinks)
    for worker in (1, 2):
        await house.register(f"worker-{worker}", worker, f"worker-{worker}")
    assert Rule.ANSWER in {violation.rule for violation in _check(house)}


class Hangs(Model):
    """Answers everybody but one worker."""

    async def register(self, worker_id: WorkerId, link: str, after: str) -> Reply:
        if worker_id == 2:
            await trio.sleep_forever()
        return await super().register(worker_id, link, after)


async def test_a_worker_who_is_never_answered_is_caught(autojump_clock: MockClock) -> None:
    assert await _broken(Hangs) == {Rule.LIVENESS}
