"""Whether somebody is at each agent's page, and what the daemon was told of it. Pure."""

from collections.abc import Callable, Iterable

import attrs

from ..protocol.limits import PAGE_SILENT_S
from ..protocol.names import WireId
from .deadlines import Deadlines
from .limits import PAGE_LOST_S

PRESENT, AWAY = "present", "away"


@attrs.define(eq=False)
class _Page:
    presence: str
    reported: str | None = None


class Presence:
    """Of every agent whose page was ever there. What it costs depends on what changes, not on how many."""

    def __init__(self) -> None:
        self._pages: dict[WireId, _Page] = {}
        self._changed: dict[WireId, None] = {}
        self._away: dict[WireId, None] = {}
        self._silent: Deadlines[WireId] = Deadlines()
        """When an agent's page is away, if nothing more is heard; those without a socket are not in it."""

    def __len__(self) -> int:
        return len(self._pages)

    def heard(self, agent: WireId, now: float) -> None:
        """The agent's page sent something over its socket."""
        self._be(agent, PRESENT)
        self._silent.set(agent, now + PAGE_SILENT_S)

    def came(self, agent: WireId, now: float) -> None:
        """The agent's page asked something over HTTP; it may be loaded anew, and its socket come later."""
        self._be(agent, PRESENT)
        if agent in self._silent:
            self._silent.set(agent, now + PAGE_SILENT_S)

    def lost(self, agent: WireId, now: float) -> None:
        """The last socket of the agent's page closed: it is away, unless it comes back at once."""
        if agent in self._silent:
            self._silent.set(agent, now + PAGE_LOST_S)

    def left(self, agent: WireId) -> None:
        """The agent's page said that it goes."""
        self._be(agent, AWAY)
        self._silent.drop(agent)

    def changes(self, now: float, lives: Callable[[WireId], bool]) -> dict[str, str]:
        """Whose presence changed since it was told last, of those who live; it counts as told now."""
        self._pass(now)
        return self._report(self._changed, lives, again=False)

    def report(self, now: float, lives: Callable[[WireId], bool]) -> dict[str, str]:
        """The same, and who is away."""
        self._pass(now)
        return self._report(self._changed | self._away, lives, again=True)

    def report_anew(self) -> None:
        """The daemon may have forgotten, or moved on meanwhile: say again whose page is there."""
        for agent, page in self._pages.items():
            page.reported = None
            self._changed[agent] = None

    def forget(self, agent: WireId) -> None:
        """Nothing depends on where this agent is any more."""
        self._pages.pop(agent, None)
        self._changed.pop(agent, None)
        self._away.pop(agent, None)
        self._silent.drop(agent)

    def _be(self, agent: WireId, presence: str) -> None:
        page = self._pages.get(agent)
        if page is None:
            page = self._pages[agent] = _Page(presence)
        elif page.presence == presence:
            return
        page.presence = presence
        self._changed[agent] = None
        if presence == AWAY:
            self._away[agent] = None
        else:
            self._away.pop(agent, None)

    def _pass(self, now: float) -> None:
        for agent in self._silent.take_passed(now):
            self._be(agent, AWAY)

    def _report(
        self, agents: Iterable[WireId], lives: Callable[[WireId], bool], again: bool
    ) -> dict[str, str]:
        told: dict[str, str] = {}
        for agent in list(agents):
            if not lives(agent):
                self.forget(agent)
                continue
            page = self._pages[agent]
            if page.presence != page.reported or (again and page.presence == AWAY):
                told[agent] = page.reported = page.presence
        self._changed.clear()
        return told
