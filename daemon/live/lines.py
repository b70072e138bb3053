"""The lines of a stage: one for each agent whose page is talked with, until the last word has gone to it."""

from functools import partial

import trio

from ...protocol.names import AgentId, WireId
from ...storage.records import LiveUpdate
from .cast import Player
from .hold import Hold
from .line import Line
from .outbound import Outbound
from .stage_tools import StageTools
from .wishes import Wishes

LAST_WORDS_S = 30.0  # how long what was sent before the code ended an agent's part is tried to be delivered


class Lines:
    """One per stage. Knows lines by what pages and by what pieces call their agent."""

    def __init__(self, tools: StageTools, wishes: Wishes, hold: Hold) -> None:
        self._house = tools.house
        self._onboarding = tools.cast.onboarding
        self._wishes = wishes
        self._hold = hold
        self.by_wire_id: dict[WireId, Line] = {}
        """What pages call them. Written here alone, as the next; read as they are, once a message."""
        self.by_number: dict[AgentId, Line] = {}
        self._to_pump: set[Line] = set()
        """Of which a wish to pump waits to be begun: one does for all that came meanwhile."""

    def open(self, player: Player) -> Line:
        """A line to an agent that has none."""
        read = partial(self._house.storage.live_updates, self._onboarding, player.id, True)
        outbound = Outbound(player.id, player.wire_id, read)
        line = Line(player.id, player.wire_id, self._onboarding, outbound, self._house.wall, self._hold)
        self.by_wire_id[player.wire_id] = self.by_number[player.id] = line
        return line

    def forget(self, line: Line) -> None:
        """The agent is not talked with for now; what its router keeps stays there."""
        if self.by_wire_id.get(line.wire_id) is line:
            del self.by_wire_id[line.wire_id], self.by_number[line.agent_id]
            line.forget()

    def hang_up(self, line: Line, say_last_words: bool) -> None:
        """The agent's part is over. `say_last_words`: its page is there, and gets what was sent before."""
        line.end()
        if say_last_words:
            self._wishes.add(partial(self._last_words, line))
        else:
            self._close(line)

    def sent(self, update: LiveUpdate) -> None:
        """An update is stored: off it goes."""
        line = self.by_number.get(update.agent_id)
        if line is not None and not line.outbound.stored(update):
            self.pump(line)

    def pump(self, line: Line) -> None:
        """Soon, all that is stored goes to the line's page, as there is room."""
        if line not in self._to_pump:
            self._to_pump.add(line)
            self._wishes.add(partial(self._pump, line))

    async def _pump(self, line: Line) -> None:
        self._to_pump.discard(line)
        await line.outbound.pump()

    async def _last_words(self, line: Line) -> None:
        with trio.move_on_after(LAST_WORDS_S):
            await line.outbound.delivered()
        self._close(line)

    def _close(self, line: Line) -> None:
        self.forget(line)
        line.outbound.close()
