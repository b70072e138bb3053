"""What every blueprint promises whose code runs while workers work: each on a bench of its own."""

from collections.abc import Awaitable, Callable, Sequence

import trio

from ...daemon.blueprints import Blueprint
from ...daemon.blueprints.live_contract import Resume
from ...daemon.live.piece import REPLAY_PATIENCE_S
from ...protocol.names import COMPLETE_AGENT, AgentStatus
from ...storage.records import Agent
from ..patient_clock import patient_clock
from ..players import Player
from .live_bench import LiveBench, open_live_bench
from .promise import PromiseBroken, must

BACK_AFTER_S = 2.0
LivePromise = Callable[[LiveBench], Awaitable[None]]


def hold_to(promise: LivePromise, blueprint: Blueprint, player: Player | None) -> None:
    """Let the workers of one assignment come, and see whether the promise is kept. PromiseBroken."""
    trio.run(_held_to, promise, blueprint, player, clock=patient_clock())


async def _held_to(promise: LivePromise, blueprint: Blueprint, player: Player | None) -> None:
    broken: PromiseBroken | None = None
    async with open_live_bench(blueprint, player) as bench:
        try:
            await promise(bench)
        except PromiseBroken as exc:  # raised out there, or the bench's nursery makes a group of it
            broken = exc
    if broken is not None:
        raise broken


async def workers_who_submit_complete_it(bench: LiveBench) -> None:
    await _completed(bench)
    await bench.all_over()


async def a_worker_who_leaves_ends_their_part_and_no_other_is_left_hanging(bench: LiveBench) -> None:
    leaver = await bench.close_a_page()
    agents = await bench.until(_all_over, "a worker left, and somebody's part never ended")
    status = next(agent.status for agent in agents if agent.id == leaver)
    must(
        status is not AgentStatus.COMPLETED,
        "the part of a worker who left before submitting is completed",
    )
    await bench.all_over()


async def its_code_goes_on_where_it_was_after_a_restart(bench: LiveBench) -> None:
    await bench.all_at_work()
    bench.daemon.kill(down_s=BACK_AFTER_S)
    await trio.sleep(BACK_AFTER_S + REPLAY_PATIENCE_S)  # by then a replay that differs is known to
    await _completed(bench)
    await bench.all_over()


LIVE_PROMISES: Sequence[LivePromise] = (
    workers_who_submit_complete_it,
    a_worker_who_leaves_ends_their_part_and_no_other_is_left_hanging,
    its_code_goes_on_where_it_was_after_a_restart,
)


def promises_of(blueprint: Blueprint) -> Sequence[LivePromise]:
    """What is promised by a blueprint with these rules."""
    if blueprint.live is None:
        return ()
    replays = blueprint.live.resume is Resume.REPLAY
    return LIVE_PROMISES if replays else LIVE_PROMISES[:-1]


async def _completed(bench: LiveBench) -> None:
    await bench.until(
        lambda agents: (
            len(agents) == len(bench.scopes)
            and all(agent.status is AgentStatus.COMPLETED for agent in agents)
        ),
        "all workers submitted, and not every part is completed",
    )


def _all_over(agents: Sequence[Agent]) -> bool:
    return all(agent.status in COMPLETE_AGENT for agent in agents)
