"""What a page of live work is to the shell that gives it a socket: a pure machine, whichever client it plays.

`live_page` plays crowdd.js, `unchanged_page` a page made with mephisto-task. Both are given `now`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, cast

import attrs

_OUTGOING_ID = re.compile(r"o?\d+\.(\d+)")
_INHERITED_ID = re.compile(r"p\d+\.\d+")


@attrs.frozen
class Handed:
    """The page's script is given an update of user code, for the first time in this page load."""

    number: int
    update: Mapping[str, Any]


@attrs.frozen
class Kept:
    """The page is told that what it sent on this stream, up to this number, is stored."""

    page: str
    number: int


@attrs.frozen
class StatusTold:
    """The page is told its agent's status, and perhaps a reason and words."""

    data: Mapping[str, Any]


@attrs.frozen
class RollCalled:
    """ "Still there?": who does not say so within so long does not take part."""

    within_s: float


PageEvent = Handed | Kept | StatusTold | RollCalled


@attrs.frozen
class Said:
    """One update as the page's script said it, under the number and id that it travels with."""

    page: str
    number: int
    update: Mapping[str, Any]

    @property
    def update_id(self) -> str:
        return str(self.update["update_id"])


class Page(Protocol):
    """One load of a worker's page, for one agent."""

    agent: str
    load: str
    """Names this load of the page, in histories and (crowdd.js) on the wire."""
    unchanged: bool
    """A page of mephisto-task: it never resends, and nobody tells it what is stored."""

    def restored(self, told: Mapping[str, Any]) -> list[Handed]:
        """The answer to a registration; what it holds that this load has not seen goes to the script."""
        ...

    def say(self, update: Mapping[str, Any]) -> Said | None:
        """The script says something; None: it gets its number when it is sent."""
        ...

    def opened(self, now: float) -> None:
        """A socket is there."""
        ...

    def lost(self, now: float) -> None:
        """It is gone."""
        ...

    def back_at(self, now: float) -> float:
        """When to ask for the next socket; infinite: never again."""
        ...

    def take(self, now: float) -> Mapping[str, Any] | None:
        """The next packet to send now, if any."""
        ...

    def untake(self, packet: Mapping[str, Any]) -> None:
        """The socket was lost while this was being sent."""
        ...

    def due(self, now: float) -> float:
        """When `take` may have something, or `stuck` change, without anything new."""
        ...

    def stuck(self, now: float) -> bool:
        """Whether the page closes its socket by itself now."""
        ...

    def hear(self, packet: Mapping[str, Any], now: float) -> list[PageEvent]:
        """The router says this."""
        ...

    def here(self) -> None:
        """The worker says "I am still there"."""
        ...

    def waits_with(self) -> int:
        """How many updates are neither stored (crowdd.js) nor sent (others)."""
        ...


def past_updates(told: Mapping[str, Any]) -> Iterator[Handed]:
    """Of a registration's answer the past that user code sent to this agent.

    What the page said itself is left out, and so is what was sent to one who sat here before: theirs comes
    before all of ours, under ids that begin with another agent's number.
    """
    sent = [update for update in _listed(told, "past_live_updates") if number_of(update)]
    mine = _whose(sent[-1]) if sent and told.get("seen") != 0 else ""
    for update in sent:
        if _whose(update) == mine:
            yield Handed(number_of(update), update)


def inherited_updates(told: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Of a registration's answer what those were sent who sat in the agent's seat before."""
    for update in _listed(told, "past_live_updates"):
        if _INHERITED_ID.fullmatch(str(update.get("update_id"))):
            yield update


def past_answers(told: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Of a registration's answer the calls that were answered before, as the updates that answered them."""
    for line in _listed(told, "previous_requests"):
        if line.get("response_json") is not None:
            answer = {"handles": line.get("target"), "response": line["response_json"]}
            yield {**answer, "error": line["error"]} if line.get("error") else answer


def _listed(told: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    data = told.get("init_task_data")
    given = cast(Mapping[str, Any], data).get(name) if isinstance(data, dict) else None
    return cast(Sequence[Mapping[str, Any]], given) if isinstance(given, list) else ()


def number_of(update: Mapping[str, Any]) -> int:
    """The number that an update of user code has by its id; 0 for ids of another form."""
    found = _OUTGOING_ID.fullmatch(str(update.get("update_id")))
    return int(found[1]) if found else 0


def _whose(update: Mapping[str, Any]) -> str:
    return str(update["update_id"]).partition(".")[0]


def data_of(packet: Mapping[str, Any]) -> Mapping[str, Any]:
    """The `data` of a packet, empty where there is none."""
    return cast(Mapping[str, Any], packet.get("data") or {})
