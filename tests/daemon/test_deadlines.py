"""Deadlines of agents who come and go: nothing stays of those that were forgotten. Under 1 s."""

import tracemalloc

import trio
from trio.testing import MockClock

from crowdd.daemon.deadlines import STALE_MAX, Deadlines
from crowdd.protocol.names import AgentId

DAY_S = 24 * 3600.0
GONE = 20 * STALE_MAX
BYTES_EACH = 50  # of those gone; an entry of the heap alone has 120


def test_agents_whose_time_was_far_off_leave_nothing_behind_when_they_are_forgotten() -> None:
    deadlines: Deadlines[AgentId] = Deadlines()
    tracemalloc.start()
    try:
        for number in range(GONE):
            deadlines.set(AgentId(number), DAY_S + number)
            deadlines.forget(AgentId(number))
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < GONE * BYTES_EACH


async def test_who_stays_while_many_go_falls_due_at_their_time(autojump_clock: MockClock) -> None:
    deadlines: Deadlines[AgentId] = Deadlines()
    passed: list[tuple[AgentId, float]] = []
    began = trio.current_time()

    async def note(agent_id: AgentId) -> None:
        await trio.lowlevel.checkpoint()
        passed.append((agent_id, trio.current_time() - began))

    deadlines.set(AgentId(1), began + 2.0)
    deadlines.set(AgentId(2), began + 1.0)
    for number in range(10, 10 + GONE):
        deadlines.set(AgentId(number), began + DAY_S)
        deadlines.forget(AgentId(number))
    with trio.move_on_after(3.0):
        await deadlines.watch(note)
    assert passed == [(2, 1.0), (1, 2.0)]
