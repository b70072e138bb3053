"""What providers are owed: told once a decision is stored, again until they take it, over restarts."""

import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
import trio
from trio.testing import MockClock

from crowdd.daemon.clock import wall_clock
from crowdd.daemon.errands import Call, Errand, Errands
from crowdd.daemon.errands.errand import SCOPE, errand_from
from crowdd.daemon.errands.runner import CALL_S, LOOK_S, RETRY_S, RETRY_S_MAX
from crowdd.daemon.house import House
from crowdd.daemon.providers.contract import Place
from crowdd.daemon.providers.mock import MockProvider
from crowdd.protocol.names import RunId, RunState
from crowdd.storage.errors import StorageFull
from crowdd.storage.records import TaskRun, Worker
from crowdd.storage.writes import MoveRun, SetBlocked

from .conftest import a_run

HOUR_S = 3600.0


class Town:
    """One run with its provider, and what is owed there."""

    def __init__(self, house: House, run: TaskRun, worker: Worker) -> None:
        self.house = house
        self.worker = worker
        self.run = run
        place = Place(run, house.storage, house.wall, house.rng, b"s" * 32)
        self.provider: MockProvider = MockProvider(MockProvider.Options(), place)
        self.errands = self.anew()

    def anew(self) -> Errands:
        """As after a restart: nothing but storage is the same."""
        return Errands(self.house.storage, self.house.wall, random.Random(1), self.of)

    async def of(self, run_id: RunId) -> MockProvider:
        assert run_id == self.run.id
        return self.provider

    async def owe(self, call: Call, after_s: float = 0) -> Errand:
        """Save an errand as whoever decides does."""
        since = self.house.wall() + timedelta(seconds=after_s)
        errand = Errand(call, self.worker.id, self.run.id, "spam", since)
        blocks = call is Call.BLOCK
        await self.house.storage.commit(
            [SetBlocked(self.worker.id, blocks, "staff", "spam"), errand.save()], since
        )
        return errand

    def told(self) -> list[str]:
        return [entry.method for entry in self.provider.ledger]

    async def kept(self) -> list[Errand]:
        return [errand_from(fact) for fact in (await self.house.storage.facts(SCOPE)).values()]


@pytest.fixture
async def town(house: House) -> Town:
    run = await a_run(house)
    return Town(house, run, await house.storage.register_worker("mock", "ann_sandbox", {}, house.wall()))


@asynccontextmanager
async def serving(errands: Errands) -> AsyncGenerator[None, None]:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(errands.serve)
        yield
        nursery.cancel_scope.cancel()


async def test_what_was_owed_at_a_start_is_told_and_forgotten(autojump_clock: MockClock, town: Town) -> None:
    errand = await town.owe(Call.BLOCK)
    async with serving(town.errands):
        await trio.sleep(1)
    assert town.provider.told("block") == [("ann_sandbox", "spam")]
    assert (await town.kept(), town.errands.owed()) == ([], [])
    await town.errands.first_try([errand], 5)  # told already: nothing to wait for


async def test_what_was_saved_without_a_word_is_found_by_looking(
    autojump_clock: MockClock, town: Town
) -> None:
    async with serving(town.errands):
        await trio.sleep(1)
        await town.owe(Call.BLOCK)
        await trio.sleep(LOOK_S + 1)
    assert town.told() == ["block"]


async def test_flt25_a_provider_that_fails_is_asked_less_and_less_often_until_it_answers(
    autojump_clock: MockClock, town: Town
) -> None:
    town.provider.fail_next["block"] = 6
    errand = await town.owe(Call.BLOCK)
    began = trio.current_time()
    async with serving(town.errands):
        town.errands.begin([errand])
        await town.errands.first_try([errand], 5)
        (owed,) = town.errands.owed(town.run.id)
        assert (owed.tries, owed.error) == (1, "block is told to fail")
        while town.errands.owed():
            await town.errands.first_try(town.errands.owed(), 1)
            await trio.sleep(1)
    waits = sum(RETRY_S * 2**tries for tries in range(1, 7))
    assert 0.8 * waits <= trio.current_time() - began <= 1.2 * waits + 120
    assert town.told() == ["block"]
    errors = await town.house.storage.errors(town.run.id)
    assert [error.source for error in errors] == ["plug-in"]  # once, however often it failed


async def test_it_waits_no_longer_than_an_hour(autojump_clock: MockClock, town: Town) -> None:
    town.provider.fail_next["block"] = 40
    await town.owe(Call.BLOCK)
    async with serving(town.errands):
        await trio.sleep(12 * HOUR_S)
        (before,) = town.errands.owed()
        await trio.sleep(1.3 * RETRY_S_MAX)
        (after,) = town.errands.owed()
    assert after.tries > before.tries


async def test_a_restart_keeps_what_is_owed_and_tries_at_once(autojump_clock: MockClock, town: Town) -> None:
    town.provider.fail_next["block"] = 3
    await town.owe(Call.BLOCK)
    async with serving(town.errands):
        await trio.sleep(45)
    (kept,) = await town.kept()
    assert (kept.tries, kept.error) == (2, "block is told to fail")
    again = town.anew()
    async with serving(again):
        await trio.sleep(1)
        assert again.owed()[0].tries == 3
        await trio.sleep(HOUR_S)
    assert town.told() == ["block"]


async def test_only_how_it_ended_is_told(autojump_clock: MockClock, town: Town) -> None:
    await town.owe(Call.BLOCK)
    await town.owe(Call.UNBLOCK, after_s=1)
    async with serving(town.errands):
        await trio.sleep(LOOK_S)
    assert (town.told(), await town.kept()) == (["unblock"], [])


async def test_how_it_ended_is_told_by_a_clock_that_was_set_back_too(
    autojump_clock: MockClock, town: Town
) -> None:
    await town.owe(Call.BLOCK)
    await town.owe(Call.UNBLOCK, after_s=-HOUR_S)
    async with serving(town.errands):
        await trio.sleep(LOOK_S)
    assert (town.told(), await town.kept()) == (["unblock"], [])


async def test_a_newer_one_waits_for_the_older_that_is_being_told(
    autojump_clock: MockClock, town: Town
) -> None:
    told: list[str] = []

    class Slow(MockProvider):
        async def block(self, worker: Worker, reason: str) -> None:
            await trio.sleep(10)
            told.append("block")

        async def unblock(self, worker: Worker) -> None:
            told.append("unblock")

    town.provider = Slow(town.provider.options, town.provider.place)
    await town.owe(Call.BLOCK)
    async with serving(town.errands):
        await trio.sleep(1)
        town.errands.begin([await town.owe(Call.UNBLOCK, after_s=1)])
        await trio.sleep(LOOK_S)
    assert (told, await town.kept()) == (["block", "unblock"], [])


async def test_flt25_a_provider_that_says_nothing_has_failed(autojump_clock: MockClock, town: Town) -> None:
    class Silent(MockProvider):
        async def block(self, worker: Worker, reason: str) -> None:
            await trio.sleep_forever()

    town.provider = Silent(town.provider.options, town.provider.place)
    await town.owe(Call.BLOCK)
    async with serving(town.errands):
        await trio.sleep(CALL_S + 1)
        assert town.errands.owed()[0].error == "no answer within 60 s"


async def test_flt25_whatever_a_plug_in_raises_is_owed_on(autojump_clock: MockClock, town: Town) -> None:
    class Broken(MockProvider):
        async def block(self, worker: Worker, reason: str) -> None:
            raise KeyError("token")

    town.provider = Broken(town.provider.options, town.provider.place)
    await town.owe(Call.BLOCK)
    async with serving(town.errands):
        await trio.sleep(1)
        assert town.errands.owed()[0].error == "'token'"


async def test_what_is_owed_about_nobody_is_forgotten(autojump_clock: MockClock, town: Town) -> None:
    missing = Errand(Call.APPROVE, 99, town.run.id, None, town.house.wall())
    await town.house.storage.commit([missing.save()], town.house.wall())
    async with serving(town.errands):
        await trio.sleep(1)
    assert (await town.kept(), town.errands.owed()) == ([], [])


async def test_on_a_full_disk_what_is_owed_about_nobody_is_forgotten_once_there_is_space(
    autojump_clock: MockClock, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = Errand(Call.APPROVE, 99, town.run.id, None, town.house.wall())
    await town.house.storage.commit([missing.save()], town.house.wall())

    async def commit(*_: object) -> None:
        raise StorageFull("no space left")

    async with serving(town.errands):
        with monkeypatch.context() as full:
            full.setattr(town.house.storage, "commit", commit)
            await trio.sleep(1)
        await trio.sleep(HOUR_S)
    assert await town.kept() == []


async def test_a_provider_that_fails_while_its_run_is_deleted_ends_nothing(
    autojump_clock: MockClock, town: Town
) -> None:
    class Broken(MockProvider):
        async def block(self, worker: Worker, reason: str) -> None:
            storage, now = self.place.storage, self.place.wall()
            await storage.commit([MoveRun(town.run.id, RunState.RUNNING, RunState.STOPPED, "staff", "")], now)
            await storage.begin_deletion(town.run.id, now, "staff")
            await storage.finish_deletion(town.run.id, now, "staff")
            raise KeyError("token")

    town.provider = Broken(town.provider.options, town.provider.place)
    await town.owe(Call.BLOCK)
    async with serving(town.errands):
        await trio.sleep(1)
        assert town.errands.owed()[0].error == "'token'"


async def test_many_are_told_a_few_at_a_time(autojump_clock: MockClock, town: Town) -> None:
    at_once: list[int] = [0]
    present = 0

    class Counting(MockProvider):
        async def block(self, worker: Worker, reason: str) -> None:
            nonlocal present
            present += 1
            at_once.append(present)
            await trio.sleep(1)
            present -= 1

    town.provider = Counting(town.provider.options, town.provider.place)
    for number in range(30):
        town.worker = await town.house.storage.register_worker("mock", f"w{number}", {}, town.house.wall())
        await town.owe(Call.BLOCK)
    async with serving(town.errands):
        await trio.sleep(10)
    assert (max(at_once), len(at_once) - 1, await town.kept()) == (8, 30, [])


def test_an_errand_is_kept_whole() -> None:
    errand = Errand(Call.REJECT, 5, RunId(2), "empty", wall_clock(), 3, "away")
    assert errand_from(errand.save().value) == errand
    assert errand.agent_id == 5
