"""A page of live work with crowdd.js: outbox, acknowledgements, heartbeats, roll calls. Pure.

What it says is resent until the router says that it is stored: all of it from the first that is not, on
every new socket and when nothing came for a while. An older page load's stream comes to its end before the
next one begins, so that a worker's words stay in their order over a reload.
"""

import math
import random
from collections.abc import Mapping
from typing import Any

import attrs

from .outbox import Outbox
from .pages import Handed, Kept, PageEvent, RollCalled, Said, StatusTold, data_of, past_updates

HEARTBEAT_S = 6.0
HEARTBEATS_MISSED_MAX = 5
IN_FLIGHT_MAX = 128  # below what the link carries of one agent
PER_S_MAX = 40.0  # a router takes 50
BURST_MAX = 100
STORED_WITHIN_S = 5.0  # no word for so long: it was lost on the way
SEEN_SAID_S = 0.5  # what was received may stay unsaid for so long
AHEAD_MAX = 64  # updates held while an earlier one is missing
HOLE_S = 5.0  # and for how long; then the page says on a new socket what it has
PAUSE_S_MAX = 30.0
DOUBLINGS_MAX = 5


class LivePage:
    """One load of the page, for one agent. Its `outbox` is the browser's, and outlives it."""

    unchanged = False

    def __init__(self, agent: str, load: str, outbox: Outbox, rng: random.Random, haste: float = 1.0) -> None:
        """`haste`: how many times sooner than crowdd.js it connects again."""
        self.agent = agent
        self.load = load
        self.outbox = outbox
        self.seen = 0
        self._rng = rng
        self._haste = haste
        self._ahead: dict[int, Mapping[str, Any]] = {}
        self._is_here = False
        self._tries = 0
        self._pace = _Pace()
        self._socket: _Socket | None = None

    def restored(self, told: Mapping[str, Any]) -> list[Handed]:
        new = [one for one in past_updates(told) if one.number > self.seen]
        self.seen = max(self.seen, int(told.get("seen") or 0), *(one.number for one in new))
        self._ahead = {number: update for number, update in self._ahead.items() if number > self.seen}
        return new

    def say(self, update: Mapping[str, Any]) -> Said:
        return self.outbox.add(self.load, {**update, "update_id": self._new_id()})

    def here(self) -> None:
        self._is_here = True
        if self._socket is not None:
            self._socket.alive = True

    def waits_with(self) -> int:
        return len(self.outbox)

    # the socket

    def opened(self, now: float) -> None:
        self._socket = _Socket(beat_at=now + HEARTBEAT_S)

    def lost(self, now: float) -> None:
        self._socket = None

    def back_at(self, now: float) -> float:
        self._tries += 1
        pause_s = min(PAUSE_S_MAX, 2.0 ** min(self._tries - 1, DOUBLINGS_MAX))
        return now + pause_s * self._rng.uniform(0.75, 1.25) / self._haste

    def stuck(self, now: float) -> bool:
        socket = self._socket
        return socket is not None and (socket.missed >= HEARTBEATS_MISSED_MAX or now >= socket.hole_at)

    def due(self, now: float) -> float:
        socket = self._socket
        if socket is None:
            return math.inf
        if socket.alive:
            return now
        update_at = math.inf if self._next(socket) is None else self._pace.free_at
        return min(socket.beat_at, socket.resend_at, socket.seen_at, socket.hole_at, update_at)

    def take(self, now: float) -> Mapping[str, Any] | None:
        if (socket := self._socket) is None:
            return None
        if socket.alive:
            return self._alive(socket)
        if now >= socket.beat_at:
            socket.beat_at, socket.missed = now + HEARTBEAT_S, socket.missed + 1
            return self._packet("heartbeat")
        if now >= socket.seen_at:
            socket.seen_at = math.inf
            return self._packet("ack", {"seen": self.seen})
        if now >= socket.resend_at:
            socket.sent, socket.resend_at = {}, math.inf
        return self._update(socket, now)

    def untake(self, packet: Mapping[str, Any]) -> None:
        """Nothing is lost: the outbox still has it."""

    def hear(self, packet: Mapping[str, Any], now: float) -> list[PageEvent]:
        socket, data = self._socket, data_of(packet)
        if socket is None or packet.get("subject_id") not in (self.agent, ""):
            return []
        match packet.get("packet_type"):
            case "client_bound_live_update":
                return [*self._hand(int(packet.get("number") or 0), data, socket, now)]
            case "ack":
                return [self._keep(str(data.get("page")), int(data.get("number") or 0), socket, now)]
            case "update_status":
                return [StatusTold(data)]
            case "roll_call":
                return [RollCalled(float(data.get("within_s") or 0))]
            case "heartbeat":
                socket.missed = self._tries = 0
            case _:
                pass
        return []

    # its parts

    def _alive(self, socket: "_Socket") -> Mapping[str, Any]:
        here = {"here": True} if self._is_here else {}
        socket.alive = self._is_here = False
        socket.seen_at = math.inf
        return self._packet("alive", {"update_id": self._new_id(), "crowdd": 1, "seen": self.seen, **here})

    def _update(self, socket: "_Socket", now: float) -> Mapping[str, Any] | None:
        said = self._next(socket)
        if said is None or not self._pace.take(now):
            return None
        socket.sent[said.page] = said.number
        socket.resend_at = min(socket.resend_at, now + STORED_WITHIN_S)
        packet = self._packet("mephisto_bound_live_update", said.update)
        return {**packet, "page": said.page, "number": said.number}

    def _next(self, socket: "_Socket") -> Said | None:
        """What goes out next: of the oldest stream only, and not too far ahead of what is stored."""
        stream = self.outbox.oldest()
        if not stream:
            return None
        sent = max(0, socket.sent.get(stream[0].page, 0) - stream[0].number + 1)
        return stream[sent] if sent < min(len(stream), IN_FLIGHT_MAX) else None

    def _keep(self, page: str, number: int, socket: "_Socket", now: float) -> Kept:
        self.outbox.stored(page, number)
        stream = self.outbox.oldest()
        in_flight = stream and socket.sent.get(stream[0].page, 0) >= stream[0].number
        socket.resend_at = now + STORED_WITHIN_S if in_flight else math.inf
        return Kept(page, number)

    def _hand(self, number: int, update: Mapping[str, Any], socket: "_Socket", now: float) -> list[Handed]:
        handed: list[Handed] = []
        if self.seen < number <= self.seen + AHEAD_MAX:
            self._ahead[number] = update
        while (following := self._ahead.pop(self.seen + 1, None)) is not None:
            self.seen += 1
            handed.append(Handed(self.seen, following))
        socket.hole_at = (
            (now + HOLE_S if handed else min(socket.hole_at, now + HOLE_S)) if self._ahead else math.inf
        )
        # What came twice is said again as well: the router does not know yet that it is here.
        socket.seen_at = min(socket.seen_at, now + SEEN_SAID_S)
        return handed

    def _packet(self, kind: str, data: Mapping[str, Any] | None = None) -> dict[str, Any]:
        packet: dict[str, Any] = {"packet_type": kind, "subject_id": self.agent}
        return packet if data is None else {**packet, "data": dict(data)}

    def _new_id(self) -> str:
        return f"{self._rng.getrandbits(64):016x}"


@attrs.define(eq=False)
class _Socket:
    """What dies with a connection."""

    beat_at: float
    alive: bool = True
    missed: int = 0
    sent: dict[str, int] = attrs.Factory(dict[str, int])
    resend_at: float = math.inf
    seen_at: float = math.inf
    hole_at: float = math.inf
    """When a missing update has been missing for too long."""


@attrs.define(eq=False)
class _Pace:
    """PER_S_MAX packets a second pass, and BURST_MAX at once after a quiet time."""

    _level_at: float = -math.inf

    @property
    def free_at(self) -> float:
        """When the next may pass."""
        return self._level_at - (BURST_MAX - 1) / PER_S_MAX

    def take(self, now: float) -> bool:
        """Whether one may pass now."""
        if now < self.free_at:
            return False
        self._level_at = max(self._level_at, now) + 1 / PER_S_MAX
        return True
