"""How far the numbered updates of each load of a page have come: passed on to the daemon, stored by it. Pure.

A page sends again what it does not know to be stored. What was passed on before need not go again: the link
keeps it until the daemon has it. After a gap nothing is passed on: the link would confirm what the daemon
does not take.
"""

import enum

import attrs

from ..protocol.names import WireId
from .limits import PAGES_PER_AGENT_MAX


class Turn(enum.Enum):
    """What is to be done with an update."""

    NEXT = "pass it on"
    KNOWN = "it was passed on before"
    EARLY = "updates are missing before it: it must come again"


@attrs.define(eq=False)
class _Page:
    passed_on: int
    stored: int = 0


class PageStreams:
    """By agent and page. Only of those whose pages count what they send."""

    def __init__(self) -> None:
        self._pages: dict[WireId, dict[str, _Page]] = {}

    def turn(self, agent: WireId, page: str, number: int) -> Turn:
        """Whether it is this update's turn. The first that ever comes of a page is taken as it is."""
        known = self._pages.get(agent, {}).get(page)
        if known is None or number == known.passed_on + 1:
            return Turn.NEXT
        return Turn.KNOWN if number <= known.passed_on else Turn.EARLY

    def passed_on(self, agent: WireId, page: str, number: int) -> None:
        """This update is on its way; the page unheard of for longest is forgotten when there are too many."""
        pages = self._pages.setdefault(agent, {})
        known = pages.pop(page, None)
        if known is None:
            known = _Page(number)
        known.passed_on = number
        pages[page] = known
        if len(pages) > PAGES_PER_AGENT_MAX:
            del pages[next(iter(pages))]

    def stored(self, agent: WireId, page: str, number: int) -> None:
        """The daemon has everything of this page up to here."""
        known = self._pages.get(agent, {}).get(page)
        if known is not None:
            known.stored = max(known.stored, number)

    def stored_up_to(self, agent: WireId, page: str) -> int:
        """Up to where the daemon has said to have everything; 0: it said nothing."""
        known = self._pages.get(agent, {}).get(page)
        return 0 if known is None else known.stored

    def forget(self, agent: WireId) -> None:
        """The agent is over."""
        self._pages.pop(agent, None)
