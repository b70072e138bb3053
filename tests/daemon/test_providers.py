"""Every crowd provider keeps the promises of its contract (S34, adapted); and what only the mock can do."""

from collections.abc import AsyncIterator
from typing import Any, cast

import attrs
import pytest
import trio
import trio.testing

from crowdd.daemon.clock import simulated_wall
from crowdd.daemon.providers.bookkeeping import BookkeepingProvider
from crowdd.daemon.providers.contract import IdentityUnverified, ProviderFailed, ProviderSays
from crowdd.daemon.providers.mock import MockOptions, MockProvider
from crowdd.daemon.registry import installed_plug_ins
from crowdd.protocol.names import AgentStatus, Reason, UnitId
from crowdd.storage.records import Worker
from crowdd.testing.plug_ins import PROVIDER_PROMISES, ProviderBench, open_bench
from crowdd.testing.plug_ins.bench import URL
from crowdd.testing.plug_ins.provider import Promise


@pytest.fixture(params=["inhouse", "mock"])
async def bench(
    request: pytest.FixtureRequest, autojump_clock: trio.testing.MockClock
) -> AsyncIterator[ProviderBench]:
    async with open_bench(installed_plug_ins().provider(request.param), wall=simulated_wall) as bench:
        yield bench


@pytest.mark.parametrize("promise", PROVIDER_PROMISES, ids=lambda promise: promise.__name__)
async def test_s34_a_provider_keeps_its_promises(
    promise: Promise, bench: ProviderBench, autojump_clock: trio.testing.MockClock
) -> None:
    await promise(bench)


async def test_the_same_payment_is_entered_once(bench: ProviderBench) -> None:
    ann = await bench.worker()
    for provider, payment in ((bench.provider, "p1"), (bench.reopened(), "p1"), (bench.provider, "p2")):
        await provider.bonus(ann, 30, "good", payment)
    after = bench.reopened()
    assert isinstance(after, BookkeepingProvider)
    assert set(await after.payments()) == {"p1", "p2"}


async def test_of_newcomers_who_keeps_books_alone_need_not_be_asked(bench: ProviderBench) -> None:
    assert bench.provider.welcomes_newcomers()


# --- what only the mock can do -----------------------------------------------------------------------------


@pytest.fixture
async def mocked() -> AsyncIterator[ProviderBench]:
    async with open_bench(MockProvider) as bench:
        yield bench


def mock(bench: ProviderBench, **options: Any) -> MockProvider:
    bench.options = MockOptions(**options)
    bench.provider = bench.reopened()
    return cast(MockProvider, bench.provider)


async def test_the_mock_refuses_whom_it_is_told_to(mocked: ProviderBench) -> None:
    provider = mock(mocked, unverified=("eve",), refused={"bob": Reason.NOT_QUALIFIED})
    with pytest.raises(IdentityUnverified):
        await provider.verify(await mocked.said("eve"))
    assert await provider.admits(await mocked.worker("bob")) is Reason.NOT_QUALIFIED
    assert await provider.admits(await mocked.worker("ann")) is None


@pytest.mark.parametrize("told", [{"refused": {"bob": Reason.BLOCKED}}, {"failing": ("admits",)}])
async def test_the_mock_is_asked_of_newcomers_where_it_may_refuse_them(
    mocked: ProviderBench, told: dict[str, Any]
) -> None:
    assert not mock(mocked, **told).welcomes_newcomers()


class Strict(MockProvider):
    async def admits(self, worker: Worker) -> Reason | None:
        return Reason.NOT_QUALIFIED


async def test_who_asks_more_of_workers_than_the_books_asks_it_of_newcomers_too() -> None:
    async with open_bench(Strict) as bench:
        assert not bench.provider.welcomes_newcomers()


async def test_what_bars_a_worker_is_said_where_the_books_alone_decide(bench: ProviderBench) -> None:
    ann = await bench.worker()
    bar = bench.provider.bar(ann.name)
    assert bar is not None
    await bench.provider.block(ann, "spam")
    assert await bench.storage.fact(*bar) == {"reason": "spam"}


class Lenient(Strict):
    def welcomes_newcomers(self) -> bool:
        return True


@pytest.mark.parametrize("provider", [Strict, Lenient])
async def test_who_asks_more_of_workers_than_the_books_asks_it_of_all_who_go_on(
    provider: type[MockProvider],
) -> None:
    async with open_bench(provider) as bench:
        assert bench.provider.bar("ann") is None


@pytest.mark.parametrize("told", [{"refused": {"bob": Reason.BLOCKED}}, {"failing": ("admits",)}])
async def test_the_mock_is_asked_of_who_goes_on_where_it_may_refuse_them(
    mocked: ProviderBench, told: dict[str, Any]
) -> None:
    assert mock(mocked, **told).bar("ann") is None


async def test_the_mock_fails_as_often_as_it_is_told_to(mocked: ProviderBench) -> None:
    provider = mock(mocked)
    provider.fail_next["set_up"] = 2
    for _ in range(2):
        with pytest.raises(ProviderFailed):
            await provider.set_up()
    await provider.set_up()


async def test_the_mock_told_to_always_fail_does_nothing(mocked: ProviderBench) -> None:
    provider = mock(mocked, failing=("bonus", "block"))
    ann = await mocked.worker()
    for attempt in (provider.bonus(ann, 1, "r", "p1"), provider.block(ann, "r")):
        with pytest.raises(ProviderFailed):
            await attempt
    assert (await provider.payments(), await provider.admits(ann)) == ({}, None)


async def test_the_mock_remembers_what_it_was_told(mocked: ProviderBench) -> None:
    provider = mock(mocked)
    agent, unit = await mocked.at_work()
    await provider.publish([unit], URL)
    await provider.approve(agent, "good")
    await provider.bonus(await mocked.worker(), 30, "good", "p1")
    assert provider.told("publish") == [([unit.id], URL)]
    assert provider.told("approve") == [(agent.id, "good")]
    assert provider.told("bonus") == [("ann_sandbox", 30, "good", "p1")]


async def test_the_mock_forgets_what_it_was_told_long_ago(
    mocked: ProviderBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crowdd.daemon.providers.mock.LEDGER_MAX", 2)
    provider = mock(mocked)
    agent, _ = await mocked.at_work()
    for note in ("first", "second", "third"):
        await provider.approve(agent, note)
    assert provider.told("approve") == [(agent.id, "second"), (agent.id, "third")]


async def test_the_mock_tells_its_news_in_order(mocked: ProviderBench) -> None:
    provider = mock(mocked)
    news = [ProviderSays(UnitId(n), AgentStatus.RETURNED) for n in range(3)]
    provider.say(news[0])
    heard: list[ProviderSays] = []
    async with trio.open_nursery() as nursery:

        async def listen() -> None:
            async for said in provider.news():
                heard.append(said)

        nursery.start_soon(listen)
        await trio.testing.wait_all_tasks_blocked()
        provider.say(news[1])
        provider.say(news[2])
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    assert heard == news


async def test_the_secret_is_not_in_what_is_shown_of_a_place(mocked: ProviderBench) -> None:
    place = attrs.evolve(mock(mocked).place, secret=b"hush-hush-secret")
    assert "hush" not in repr(place)
