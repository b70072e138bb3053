"""The daemon's part of describe and guess: one coroutine for each game, and who plays for a missing partner.

The rules are in game.py; here they meet the two who play. After a restart of the daemon this code is run
again from its start, and is given again all that it was given before, so the game stands as it stood.
"""

import random
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from crowdd import Group, SimulatedPartner

from .game import Game, Told
from .head import Head

if TYPE_CHECKING:
    from crowdd.daemon.hooks import AssignmentView


async def run_assignment(assignment: "AssignmentView", group: Group) -> None:
    """One game, until both have submitted."""
    game = Game(assignment.data, group.random)
    await _tell(group, game.begin())
    async for agent, update in group.updates():
        await _tell(group, game.hear(agent.index, update))


async def _tell(group: Group, news: Iterable[Told]) -> None:
    seats = {agent.index: agent for agent in group}
    for seat, update in news:
        await seats[seat].send(update)


async def simulated_partner(partner: SimulatedPartner) -> dict[str, Any]:
    """Plays for a partner who did not come, or left."""
    row = partner.unit.data
    head = Head(row["rounds"], random.Random(row["id"]))  # noqa: S311  # the same player after a restart
    while head.result is None:
        for move in head.moves(await partner.receive()):
            await partner.send(move)
    return head.result
