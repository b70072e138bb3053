"""One suite over every crowd provider (S34, adapted): the same promises, whoever keeps them."""

import random
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import attrs
import pytest
import trio
import trio.testing

from crowdd.daemon.clock import wall_clock
from crowdd.daemon.house import House
from crowdd.daemon.providers.contract import (
    CrowdProvider,
    IdentityUnverified,
    Place,
    ProviderFailed,
    ProviderSays,
)
from crowdd.daemon.providers.inhouse import InhouseProvider
from crowdd.daemon.providers.mock import MockOptions, MockProvider
from crowdd.daemon.registry import installed_plug_ins
from crowdd.protocol.names import AgentStatus, Reason, UnitId, WireId
from crowdd.storage.contract import Registration, Reserved
from crowdd.storage.records import Agent, TaskRun, Unit, Worker

from .conftest import a_run, launched_units

URL = "http://127.0.0.1:8000/"
Made = Callable[..., CrowdProvider]
AFTERS: list[tuple[dict[str, Any], str | None]] = [
    ({}, None),
    ({"after": ""}, ""),
    ({"after": None}, ""),
    ({"after": "w1"}, "w1"),
]


@pytest.fixture
async def run(house: House) -> TaskRun:
    run = await a_run(house)
    await launched_units(house, run, 2)
    return run


@pytest.fixture(params=["inhouse", "mock"])
def make(request: pytest.FixtureRequest, house: House, run: TaskRun) -> Made:
    """Opens the provider, each time as after a restart: nothing but storage is the same."""
    provider = installed_plug_ins().provider(request.param)

    def make(**options: Any) -> CrowdProvider:
        place = Place(run, house.storage, wall_clock, random.Random(), b"s" * 32)
        return provider(provider.Options(**options), place)

    return make


async def registration(provider: CrowdProvider, name: str = "ann", **more: Any) -> dict[str, Any]:
    """What the provider's page script would send for the worker's personal address."""
    [(_, url)] = await provider.links([name], URL)
    query = {key: values[0] for key, values in parse_qs(urlsplit(url).query).items()}
    assignment = query.get("assignment_id", "link")
    return {
        "worker_name": name,
        "assignment_id": assignment,
        "agent_registration_id": f"{assignment}-{name}",
        "provider_type": provider.name,
        **({"link": query["link"]} if "link" in query else {}),
        **more,
    }


async def worker_of(house: House, provider: CrowdProvider, name: str = "ann") -> Worker:
    identity = await provider.verify(await registration(provider, name))
    return await house.storage.register_worker(
        provider.name, identity.worker_name, dict(identity.worker_data), house.wall()
    )


async def agent_of(house: House, run: TaskRun, provider: CrowdProvider) -> tuple[Agent, Unit]:
    identity = await provider.verify(await registration(provider, after=""))
    worker = await worker_of(house, provider)
    path = (AgentStatus.ACCEPTED, AgentStatus.IN_TASK)
    new = Registration(
        run.id, worker.id, WireId("w1"), identity.link, "", path, None, dict(identity.agent_data)
    )
    reserved = await house.storage.reserve(new, house.wall())
    assert isinstance(reserved, Reserved)
    return reserved.agent, reserved.unit


async def test_setting_up_twice_is_setting_up(make: Made) -> None:
    provider = make()
    await provider.set_up()
    await provider.set_up()
    await make().set_up()


async def test_s34_who_comes_by_their_link_is_known_by_name(make: Made) -> None:
    provider = make()
    identity = await provider.verify(await registration(provider, "ann"))
    assert identity.worker_name.removesuffix("_sandbox") == "ann"


async def test_workers_that_cannot_be_paid_are_kept_apart(make: Made) -> None:
    provider = make()
    identity = await provider.verify(await registration(provider, "ann"))
    assert identity.worker_name.endswith("_sandbox") == provider.sandbox


async def test_a_link_leads_to_the_same_place_after_a_restart(make: Made) -> None:
    before, after = make(), make()
    first = await before.verify(await registration(before))
    assert (await after.verify(await registration(after))).link == first.link


async def test_two_workers_come_by_two_links(make: Made) -> None:
    provider = make()
    links = {(await provider.verify(await registration(provider, name))).link for name in ("ann", "bob")}
    assert len(links) == 2


@pytest.mark.parametrize(("sent", "after"), AFTERS)
async def test_after_is_what_the_page_has_finished_or_not_said(
    make: Made, sent: dict[str, Any], after: str | None
) -> None:
    provider = make()
    assert (await provider.verify(await registration(provider, **sent))).after == after


@pytest.mark.parametrize("data", [{}, {"worker_name": 5}, {"worker_name": ""}, {"worker_name": "x" * 1000}])
async def test_a_page_that_says_nothing_usable_is_not_believed(make: Made, data: dict[str, Any]) -> None:
    with pytest.raises(IdentityUnverified):
        await make().verify(data)


async def test_nothing_that_is_kept_is_secret(make: Made) -> None:
    provider = make()
    said = await registration(provider)
    identity = await provider.verify(said)
    assert said.get("link", "nothing") not in repr(identity)


async def test_a_worker_nobody_blocked_is_welcome(make: Made, house: House) -> None:
    provider = make()
    assert await provider.admits(await worker_of(house, provider)) is None


async def test_s34_a_blocked_worker_is_not_welcome_until_unblocked(make: Made, house: House) -> None:
    provider = make()
    ann, bob = await worker_of(house, provider, "ann"), await worker_of(house, provider, "bob")
    await provider.block(ann, "answers at random")
    await provider.block(ann, "answers at random")
    assert await make().admits(ann) is Reason.BLOCKED
    assert await make().admits(bob) is None
    await provider.unblock(ann)
    assert await make().admits(ann) is None


async def test_unblocking_somebody_who_is_not_blocked_does_nothing(make: Made, house: House) -> None:
    provider = make()
    ann = await worker_of(house, provider)
    await provider.unblock(ann)
    assert await provider.admits(ann) is None


async def test_the_same_payment_is_entered_once(make: Made, house: House) -> None:
    before = make()
    ann = await worker_of(house, before)
    await before.bonus(ann, 30, "good", "p1")
    after = make()
    await after.bonus(ann, 30, "good", "p1")
    await after.bonus(ann, 30, "good", "p2")
    assert isinstance(after, InhouseProvider | MockProvider)
    assert set(await after.payments()) == {"p1", "p2"}


async def test_a_payment_id_stands_for_one_payment_only(make: Made, house: House) -> None:
    provider = make()
    ann = await worker_of(house, provider)
    await provider.bonus(ann, 30, "good", "p1")
    with pytest.raises(ProviderFailed, match="entered before with other contents"):
        await provider.bonus(ann, 31, "good", "p1")


async def test_the_life_of_a_unit_at_the_provider(make: Made, house: House, run: TaskRun) -> None:
    provider = make()
    agent, unit = await agent_of(house, run, provider)
    await provider.publish([unit], URL)
    await provider.mark_done(agent)
    for decide in (provider.approve, provider.soft_reject, provider.reject):
        await decide(agent, None)
        await decide(agent, "thank you")
    await provider.expire([unit])
    assert (await house.storage.agent(agent.id)).status is AgentStatus.IN_TASK


async def test_news_wait_until_cancelled(make: Made, autojump_clock: trio.testing.MockClock) -> None:
    heard: list[ProviderSays] = []
    with trio.move_on_after(3600) as scope:
        async for said in make().news():
            heard.append(said)
    assert (heard, scope.cancelled_caught) == ([], True)


@pytest.mark.parametrize(
    "name",
    [
        "getWorkerName",
        "getAssignmentId",
        "getAgentRegistration",
        "handleSubmitToProvider",
        "getProviderURLParams",
    ],
)
async def test_the_page_script_has_what_pages_look_for(make: Made, name: str) -> None:
    assert re.search(rf"^function {name}\(", make().page_script(), re.MULTILINE)


# --- what only the mock can do -----------------------------------------------------------------------------


def mock(house: House, run: TaskRun, **options: Any) -> MockProvider:
    return MockProvider(
        MockOptions(**options), Place(run, house.storage, wall_clock, random.Random(), b"s" * 32)
    )


async def test_the_mock_refuses_whom_it_is_told_to(house: House, run: TaskRun) -> None:
    provider = mock(house, run, unverified=("eve",), refused={"bob": Reason.NOT_QUALIFIED})
    with pytest.raises(IdentityUnverified):
        await provider.verify(await registration(provider, "eve"))
    assert await provider.admits(await worker_of(house, provider, "bob")) is Reason.NOT_QUALIFIED
    assert await provider.admits(await worker_of(house, provider, "ann")) is None


async def test_the_mock_fails_as_often_as_it_is_told_to(house: House, run: TaskRun) -> None:
    provider = mock(house, run)
    provider.fail_next["set_up"] = 2
    for _ in range(2):
        with pytest.raises(ProviderFailed):
            await provider.set_up()
    await provider.set_up()


async def test_the_mock_told_to_always_fail_does_nothing(house: House, run: TaskRun) -> None:
    provider = mock(house, run, failing=("bonus", "block"))
    ann = await worker_of(house, provider)
    for attempt in (provider.bonus(ann, 1, "r", "p1"), provider.block(ann, "r")):
        with pytest.raises(ProviderFailed):
            await attempt
    assert (await provider.payments(), await provider.admits(ann)) == ({}, None)


async def test_the_mock_remembers_all_it_was_told(house: House, run: TaskRun) -> None:
    provider = mock(house, run)
    agent, unit = await agent_of(house, run, provider)
    await provider.publish([unit], URL)
    await provider.approve(agent, "good")
    await provider.bonus(await worker_of(house, provider), 30, "good", "p1")
    assert provider.told("publish") == [([unit.id], URL)]
    assert provider.told("approve") == [(agent.id, "good")]
    assert provider.told("bonus") == [("ann_sandbox", 30, "good", "p1")]


async def test_the_mock_tells_its_news_in_order(house: House, run: TaskRun) -> None:
    provider = mock(house, run)
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


async def test_the_secret_is_not_in_what_is_shown_of_a_place(house: House, run: TaskRun) -> None:
    place = attrs.evolve(mock(house, run).place, secret=b"hush-hush-secret")
    assert "hush" not in repr(place)
