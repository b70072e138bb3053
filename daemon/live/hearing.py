"""Which of the updates that arrive from an agent's page are new. Pure.

crowdd.js counts what it sends, per page load, and sends again what was not confirmed; other pages name each
update, and only the router repeats what was not confirmed to it.
"""

import hashlib
from collections.abc import Iterable

import attrs

from ...protocol.packets import MephistoBoundLiveUpdate
from ...storage.records import LiveUpdate

HEARD_MAX = 50_000  # updates of one agent: a day of one every two seconds; a page that says more runs wild
NAME_CHARACTERS_MAX = 100


@attrs.frozen
class New:
    """A new update: its number, and what it is stored under."""

    number: int
    name: str


class Hearing:
    """One per live agent. Remembers what was taken, which is stored or about to be."""

    def __init__(self, stored: Iterable[LiveUpdate] = ()) -> None:
        self._number = 0
        self._pages: dict[str, int] = {}
        self._names: set[str] = set()
        for update in stored:
            self.knows(update)

    @classmethod
    def after(cls, number: int, names: Iterable[str]) -> "Hearing":
        """One that took so many; of what it took it knows only these names."""
        hearing = cls()
        hearing._number = number
        for name in names:
            page, _, count = name.rpartition(":")
            hearing._remember(name, page, int(count) if page else 0)
        return hearing

    @property
    def number(self) -> int:
        """How many were taken."""
        return self._number

    def knows(self, update: LiveUpdate) -> None:
        """This was taken elsewhere, and is stored."""
        self._number = update.number
        self._remember(update.update_id, update.page, update.page_number)

    def take(self, packet: MephistoBoundLiveUpdate) -> New | None:
        """None: it is known, or comes before one that is missing, or there were far too many."""
        page, number = packet.page, packet.page_number
        name = _name(packet)
        if self._number >= HEARD_MAX or (page and number != self._pages.get(page, 0) + 1):
            return None
        if not page and name in self._names:
            return None
        self._number += 1
        self._remember(name, page, number)
        return New(self._number, name)

    def _remember(self, name: str, page: str, number: int) -> None:
        if page:
            self._pages[page] = max(number, self._pages.get(page, 0))
        else:
            self._names.add(name)


def names_around(packet: MephistoBoundLiveUpdate) -> list[str]:
    """The names by which one can tell whether it is new: its own, and that of the one before it."""
    counted = packet.page and packet.page_number > 1
    return [_name(packet), *([f"{packet.page}:{packet.page_number - 1}"] if counted else [])]


def _name(packet: MephistoBoundLiveUpdate) -> str:
    """Unique among all that the agent's pages ever send; a page's own count does not depend on its names."""
    if packet.page:
        return f"{packet.page}:{packet.page_number}"
    given = packet.update.get("update_id")
    if not isinstance(given, str) or not given:
        return f"{packet.epoch}.{packet.sequence}"
    if len(given) <= NAME_CHARACTERS_MAX and ":" not in given:  # a colon is for what pages count
        return given
    return hashlib.sha256(given.encode("utf-8", "backslashreplace")).hexdigest()
