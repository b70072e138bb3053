"""A run whose workers go on while daemon and router die: who they are, and which promises were broken.

On a busy machine a start takes half a minute. What a page may expect is counted from the end of the trouble,
and no worker goes home for it.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import attrs

from crowdd.testing.bots import BotPlan
from crowdd.testing.checker import check_history
from crowdd.testing.facts import StoreFacts, read_facts
from crowdd.testing.history import History
from crowdd.testing.tables import DAEMON_TABLES

from .processes import Daemon

Trouble = Callable[[], Awaitable[None]]
Moment = Callable[[], Awaitable[Any]]


def patient(plan: BotPlan) -> BotPlan:
    """The same workers: they stay to the end of the run, and their pages are back soon after any outage."""
    return attrs.evolve(plan, no_work_tries_max=10**6, unreachable_s_max=1e9, haste=8.0)


async def go_through(
    daemon: Daemon, label: str, history: History, troubles: Sequence[tuple[Moment, Trouble]]
) -> float:
    """Have each trouble in its moment; when, by the history's clock, all of it was over."""
    for moment, trouble in troubles:
        await moment()
        await trouble()
    await daemon.until(label, _is_served)
    return history.clock()


def _is_served(shown: Any) -> bool:
    return shown.state == "completed" or bool(shown.routers and shown.routers[0].up)


async def facts_of(daemon: Daemon) -> StoreFacts:
    """What the store of a stopped daemon says of its only run."""
    async with daemon.store() as storage:
        (run,) = await storage.runs()
        return await read_facts(storage, run.id)


def broken_promises(history: History, facts: StoreFacts, healed_at: float) -> list[str]:
    """What the checker finds."""
    found = check_history(history.entries, facts, DAEMON_TABLES, healed_at=healed_at)
    return [str(violation) for violation in found]
