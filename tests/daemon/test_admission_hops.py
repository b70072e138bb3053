"""How often admission goes to storage: each call is a thread's turn, each write may wait for the disk."""

from crowdd.daemon.house import House
from crowdd.daemon.providers.mock import MockOptions
from crowdd.protocol.names import Outcome, Reason
from crowdd.protocol.packets import FileNote

from ..storage.counting import counted
from .desk import a_desk, a_desk_of

NEWCOMER = ["arrive"]
NEXT_UNIT = ["last_of_link", "reserve"]
ANSWER = ["commit_for"]
ANSWER_WITH_FILES = ["agent_with_unit", "commit"]
RELOAD = ["last_of_link"]


async def test_a_newcomers_unit_takes_one_write(house: House) -> None:
    desk = await a_desk(house)
    calls = counted(house.storage)
    await desk.agent("ann")
    assert sorted(calls.elements()) == NEWCOMER


async def test_the_next_unit_of_a_worker_takes_one_write(house: House) -> None:
    desk = await a_desk(house)
    first = await desk.agent("ann")
    await desk.submit(first, {})
    calls = counted(house.storage)
    assert (await desk.register("ann", after=first.agent_id)).outcome is Outcome.OK
    assert sorted(calls.elements()) == NEXT_UNIT


async def test_a_reload_writes_nothing(house: House) -> None:
    desk = await a_desk(house)
    await desk.agent("ann")
    calls = counted(house.storage)
    await desk.agent("ann")
    assert sorted(calls.elements()) == RELOAD


async def test_a_reload_after_a_restart_takes_one_call_more_which_writes_nothing(house: House) -> None:
    desk = await a_desk(house)
    await desk.agent("ann")
    again = await a_desk_of(house, desk.run, desk.config)
    calls = counted(house.storage)
    await again.agent("ann")
    assert sorted(calls.elements()) == sorted(["arrive", *RELOAD])


async def test_a_known_worker_who_comes_by_a_new_link_is_registered_once(house: House) -> None:
    desk = await a_desk(house)
    await desk.register("ann", link="first")
    again = await a_desk_of(house, desk.run, desk.config)
    calls = counted(house.storage)
    await again.register("ann", link="second")
    assert calls["arrive"] == 1


async def test_an_answer_takes_one_write(house: House) -> None:
    desk = await a_desk(house)
    ann = await desk.agent("ann")
    calls = counted(house.storage)
    await desk.submit(ann, {})
    assert sorted(calls.elements()) == ANSWER


async def test_an_answer_whose_files_are_fetched_takes_one_read_and_one_write(house: House) -> None:
    desk = await a_desk(house)
    ann = await desk.agent("ann")
    calls = counted(house.storage)
    await desk.submit(ann, {}, [FileNote("0" * 64, 1, "f", "a.txt", "text/plain")])
    assert sorted(calls.elements()) == ANSWER_WITH_FILES


async def test_a_newcomer_of_whom_the_provider_asks_more_takes_two_writes(house: House) -> None:
    desk = await a_desk(house)
    desk.provider.options = MockOptions(refused={"bob": Reason.BLOCKED})
    calls = counted(house.storage)
    await desk.agent("ann")
    assert sorted(calls.elements()) == ["arrive", "fact", "reserve"]


async def test_a_link_that_another_worker_had_before_does_not_make_them_that_worker(house: House) -> None:
    """Providers that believe pages let two workers claim one registration id, one after another."""
    desk = await a_desk(house)
    ann = await desk.register("ann", link="shared")
    await desk.submit(ann, {})
    refused = await desk.register("bob", link="shared")
    assert (refused.reason, refused.agent_id) == (Reason.IDENTITY_UNVERIFIED, None)
    bob = await desk.register("bob", after=ann.agent_id, link="shared")
    assert bob.outcome is Outcome.OK
    assert bob.worker_id != ann.worker_id
