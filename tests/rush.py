"""Many workers who come at the same instant for fewer units: what must come of it, whatever is between."""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

import attrs
import trio
import trio.testing

from crowdd.protocol.names import SENTENCES, Reason

WORKERS, UNITS = 64, 32


@attrs.frozen
class Answer:
    """What one worker was told: an agent, or why not."""

    agent: str | None
    reason: str | None = None
    sentence: str | None = None


async def rush(ask: Sequence[Callable[[], Awaitable[Answer]]]) -> list[Answer]:
    """Ask for all workers at the same instant."""
    start = trio.Event()
    answers: list[Answer] = []

    async def come(ask_one: Callable[[], Awaitable[Answer]]) -> None:
        await start.wait()
        answers.append(await ask_one())

    async with trio.open_nursery() as nursery:
        for ask_one in ask:
            nursery.start_soon(come, ask_one)
        await trio.testing.wait_all_tasks_blocked()
        start.set()
    return answers


def check(answers: Sequence[Answer]) -> None:
    """Each unit went to one worker, and all others were told the same, in the same words."""
    admitted = [answer.agent for answer in answers if answer.agent]
    refused = Counter((answer.reason, answer.sentence) for answer in answers if not answer.agent)
    none_left = (Reason.NO_AVAILABLE_UNITS.value, SENTENCES[Reason.NO_AVAILABLE_UNITS])
    assert len(set(admitted)) == len(admitted) == UNITS
    assert refused == {none_left: WORKERS - UNITS}
