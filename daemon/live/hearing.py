"""Which of the updates that arrive from an agent's page are new. Pure.

crowdd.js counts what it sends, per page load, and sends again what was not confirmed; other pages name each
update, and only the router repeats what was not confirmed to it.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from ...protocol.packets import MephistoBoundLiveUpdate
from ...protocol.values import frozen
from ...storage.records import LiveUpdate

HEARD_MAX = 50_000  # updates of one agent: a day of one every two seconds; a page that says more runs wild
HEARD_BYTES_MAX = 128 * 1024 * 1024
"""And about what they take in memory, for user code may ask for none of them, and after a start they are read
all at once: a minute of all that a socket takes, two hours of where the mouse is, 60 times a second."""
THING_BYTES = 64  # a list, an object or what is in one, besides its text
NAME_CHARACTERS_MAX = 100


class TooMuch(Exception):
    """The agent's pages have said as much as is taken of one. From this update on none may be confirmed."""


@frozen
class New:
    """A new update: its number, and what it is stored under."""

    number: int
    name: str


class Hearing:
    """One per live agent. Remembers what was taken, which is stored or about to be."""

    def __init__(self, stored: Iterable[LiveUpdate] = ()) -> None:
        self._number = 0
        self._weight = 0
        self._pages: dict[str, int] = {}
        self._names: set[str] = set()
        for update in stored:
            self.knows(update)

    @classmethod
    def after(cls, number: int, names: Iterable[str], weighs: int) -> "Hearing":
        """One that took so many, and `weighs` so much of them; it knows only these names of what it took."""
        hearing = cls()
        hearing._number, hearing._weight = number, weighs
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
        self._weight += weight(update.update)
        self._remember(update.update_id, update.page, update.page_number)

    def take(self, packet: MephistoBoundLiveUpdate) -> New | None:
        """None: it is known, or comes before one that is missing. TooMuch: it is new, and one too many."""
        page, number = packet.page, packet.page_number
        name = _name(packet)
        if page and number != self._pages.get(page, 0) + 1:
            return None
        if not page and name in self._names:
            return None
        if self._number >= HEARD_MAX or self._weight >= HEARD_BYTES_MAX:
            raise TooMuch
        self._number += 1
        self._weight += weight(packet.update)
        self._remember(name, page, number)
        return New(self._number, name)

    def _remember(self, name: str, page: str, number: int) -> None:
        if page:
            self._pages[page] = max(number, self._pages.get(page, 0))
        else:
            self._names.add(name)


def weight(update: Mapping[str, Any]) -> int:
    """About how many bytes an update takes as an object: its text, and how many things are in it."""
    text = orjson.dumps(update)  # a third of a microsecond for what people say; the codec takes twenty
    return len(text) + THING_BYTES * (len(text) - len(text.translate(None, b"[{,")))


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
