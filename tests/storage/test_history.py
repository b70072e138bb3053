"""The history, on every body: every change of state, in its own transaction, with who and why."""

from crowdd.protocol.names import AgentStatus, RunState, UnitStatus
from crowdd.storage.records import Agent, HistoryEntry
from crowdd.storage.writes import MoveUnit

from .world import LATER, NOW, World, moves


async def test_an_agents_way_is_told_from_its_beginning(world: World) -> None:
    agent = await world.at_work()
    await world.finish(agent)
    assert await world.story("agent", agent.id) == [
        (None, "accepted"),
        ("accepted", "in task"),
        ("in task", "completed"),
    ]
    assert agent.version == 2


async def test_a_units_way_is_told_through_all_its_hands(world: World) -> None:
    run = await world.run()
    await world.give_back((await world.take(run, await world.worker("ann"))).agent)
    await world.finish((await world.take(run, await world.worker("bob"))).agent)
    assert [after for _, after in await world.story("unit", 1)] == [
        "created",
        "launched",
        "assigned",
        "launched",
        "assigned",
        "completed",
    ]


async def test_a_runs_way_is_told(world: World) -> None:
    run = await world.run()
    await world.move_run(run, RunState.DRAINING)
    assert await world.story("run", run.id) == [
        (None, "launching"),
        ("launching", "running"),
        ("running", "draining"),
    ]


async def test_an_entry_says_who_when_and_why(world: World) -> None:
    agent = await world.at_work()
    await world.commit(moves(agent, AgentStatus.TIMEOUT, who="daemon", why="time over"), _expired(agent))
    entry, unit_entry = (await world.storage.history(after=0))[-2:]
    assert entry == HistoryEntry(
        entry.id, LATER, "daemon", "agent", agent.id, agent.run_id, "in task", "timeout", "time over"
    )
    assert (unit_entry.kind, unit_entry.who, unit_entry.why) == ("unit", "staff:ada", "not needed")
    first = (await world.storage.history(limit=1))[0]
    assert (first.who, first.at, first.kind, first.after) == ("staff:ada", NOW, "run", "launching")


def _expired(agent: Agent) -> MoveUnit:
    before, after = UnitStatus.ASSIGNED, UnitStatus.EXPIRED
    return MoveUnit(agent.unit_id, before, after, "staff:ada", "not needed", agent.id, release=True)


async def test_history_is_read_by_kind_subject_run_and_page(world: World) -> None:
    agent = await world.at_work("a", "ann")
    other = await world.at_work("b", "bob")
    of_agent = await world.storage.history("agent", agent.id)
    assert [entry.subject_id for entry in of_agent] == [agent.id, agent.id]
    of_run = await world.storage.history(run_id=other.run_id)
    assert {entry.run_id for entry in of_run} == {other.run_id}
    ids = [entry.id for entry in await world.storage.history()]
    assert ids == sorted(ids)
    assert [entry.id for entry in await world.storage.history(after=ids[2], limit=2)] == ids[3:5]


async def test_what_fails_leaves_no_trace(world: World) -> None:
    run = await world.run()
    await world.take(run, await world.worker("ann"))
    before = await world.storage.history()
    await world.refused(run, await world.worker("bob"))
    assert await world.storage.history() == before


async def test_the_end_of_history_is_where_later_entries_begin(world: World) -> None:
    assert await world.storage.history_end() == 0
    run = await world.run()
    end = await world.storage.history_end()
    assert await world.storage.history(after=end) == []
    await world.move_run(run, RunState.DRAINING)
    assert [entry.after for entry in await world.storage.history(after=end)] == ["draining"]
