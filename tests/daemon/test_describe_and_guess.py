"""The game for two in a whole daemon: played by two, and by one whose partner never came, or left."""

import json
import random
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import trio
from trio.testing import MockClock

import crowdd.examples
from crowdd.daemon.task_folder import load_task_code
from crowdd.protocol.names import AgentStatus, UnitStatus
from crowdd.storage.records import TaskRun
from crowdd.testing.verdicts import Verdict

from .group_pages import Member, member, until_agents
from .virtual import Virtual, open_virtual

EXAMPLE = Path(crowdd.examples.__file__).parent / "describe-and-guess"
ROW = json.loads((EXAMPLE / "data.jsonl").read_text().splitlines()[0])
COMPLETED = AgentStatus.COMPLETED


async def a_game(virtual: Virtual) -> TaskRun:
    """The example as it is."""
    operator = await virtual.daemon.present()
    run = await operator.launch(EXAMPLE, {"architect.type": "mock"}, "a launch", "staff:ann")
    await virtual.until_live(run.id)
    return await virtual.storage.run(run.id)


class Player:
    """What plays at a page: its moves go to the daemon."""

    def __init__(self, code: Any, one: Member, seed: int) -> None:
        self.head = code.Head(ROW["rounds"], random.Random(seed))
        self._one = one
        self._heard = 0

    async def play_until(self, kind: str, count: int = 1) -> None:
        """Hear and move until this was told so many times."""
        while [update["kind"] for update in self._one.live.updates()[: self._heard]].count(kind) < count:
            [*updates] = await self._one.live.until(self._heard + 1)
            for update in updates[self._heard :]:
                self._heard += 1
                for move in self.head.moves(update):
                    await self._one.live.send(move)

    async def play(self) -> None:
        """Play to the end, and submit."""
        await self.play_until("over")
        assert (await self._one.page.submit(self.head.result)).verdict is Verdict.OK


async def at_the_table(virtual: Virtual, run: TaskRun, stack: AsyncExitStack, *names: str) -> list[Player]:
    """Workers who play with each other, or with a program."""
    code = load_task_code(EXAMPLE)
    members = [await stack.enter_async_context(member(virtual, run, name)) for name in names]
    for one in members:
        await one.becomes("in task")
    return [Player(code, one, seed) for seed, one in enumerate(members)]


async def answers(virtual: Virtual, run: TaskRun) -> list[tuple[bool, Any]]:
    """What was submitted, and whether a program did."""
    rows = await virtual.storage.export(run.id)
    return [(bool(row.agent.provider_data.get("simulated")), json.loads(row.submission.data)) for row in rows]


async def test_two_play_to_the_end(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with open_virtual(tmp_path) as virtual, AsyncExitStack() as stack:
        run = await a_game(virtual)
        players = await at_the_table(virtual, run, stack, "ann", "bob")
        async with trio.open_nursery() as nursery:
            for player in players:
                nursery.start_soon(player.play)
        (_, ann), (_, bob) = await answers(virtual, run)
        assert ann["score"] == bob["score"] > 3
        assert [one["role"] for one in ann["rounds"]] == ["describe", "guess"] * 3
        assert (await virtual.units(run))[:2] == [UnitStatus.COMPLETED] * 2


async def test_who_waited_in_vain_plays_with_a_program(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with open_virtual(tmp_path) as virtual, AsyncExitStack() as stack:
        run = await a_game(virtual)
        came_at = trio.current_time()
        [ann] = await at_the_table(virtual, run, stack, "ann")
        assert 299 < trio.current_time() - came_at < 310
        await ann.play()
        await until_agents(virtual, run, COMPLETED, COMPLETED)
        assert [simulated for simulated, _ in await answers(virtual, run)] == [False, True]


async def test_whose_partner_leaves_plays_on_with_a_program_that_knows_the_game(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual, AsyncExitStack() as stack:
        run = await a_game(virtual)
        async with AsyncExitStack() as bobs:
            [ann, bob] = await _pair(virtual, run, stack, bobs)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(ann.play_until, "picked", 2)
                nursery.start_soon(bob.play_until, "picked", 2)
        await trio.sleep(65)  # longer than Bob may be away
        await ann.play()
        await until_agents(virtual, run, COMPLETED, AgentStatus.DISCONNECT, COMPLETED)
        (_, ours), (simulated, theirs) = await answers(virtual, run)
        assert simulated
        assert [one["picked"] for one in theirs["rounds"]] == [one["picked"] for one in ours["rounds"]]


async def _pair(virtual: Virtual, run: TaskRun, stack: AsyncExitStack, bobs: AsyncExitStack) -> list[Player]:
    """Ann, who stays, and Bob, whose page is closed with `bobs`."""
    code = load_task_code(EXAMPLE)
    ann = await stack.enter_async_context(member(virtual, run, "ann"))
    bob = await bobs.enter_async_context(member(virtual, run, "bob"))
    for one in (ann, bob):
        await one.becomes("in task")
    return [Player(code, ann, 1), Player(code, bob, 2)]
