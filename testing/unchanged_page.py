"""A page of live work made with mephisto-task 2.0.4, odd habits and all. Pure.

It sends the newest first, one packet in 0.1 s, and never again; some loads say `alive` without their id; a
lost socket is noticed at the next heartbeat; and when the daemon seems silent for 20 s the page gives up for
good. Seen in its source and in recordings of real pages.
"""

import math
import random
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from .pages import Handed, PageEvent, Said, StatusTold, data_of, number_of, past_updates

SEND_EVERY_S = 0.1
HEARTBEAT_S = 6.0
FIRST_HEARTBEAT_S = 0.5
MISSED_TO_RESTART, MISSED_TO_DIE = 5, 10
RESTART_PAUSE_S = 4.0
PING_OLD_S = 20.0
ANONYMOUS = 0.02  # one load in fifty


class UnchangedPage:
    """One load of the page. `wall` is the browser's clock, in seconds since 1970."""

    unchanged = True

    def __init__(self, agent: str, load: str, rng: random.Random, wall: Callable[[], float]) -> None:
        self.agent = agent
        self.load = load
        self._rng = rng
        self._wall = wall
        self._anonymous = rng.random() < ANONYMOUS
        self._queue: list[dict[str, Any]] = []
        self._had: set[str] = set()
        self._ping_s: float | None = None
        self._missed = 0
        self._began_at: float | None = None
        self._restarted_at = -math.inf
        self._socket: _Socket | None = None
        self.gave_up = False

    def restored(self, told: Mapping[str, Any]) -> list[Handed]:
        return [one for one in past_updates(told) if self._is_new(one.update)]

    def say(self, update: Mapping[str, Any]) -> None:
        self._enqueue("mephisto_bound_live_update", {**update, "update_id": self._new_id()})

    def here(self) -> None:
        """Such a page cannot answer; being connected is all that it can do."""

    def waits_with(self) -> int:
        return len(self._queue)

    # the socket

    def opened(self, now: float) -> None:
        self._began_at = now if self._began_at is None else self._began_at
        self._restarted_at = now
        self._socket = _Socket(now, now + FIRST_HEARTBEAT_S)
        self._enqueue("alive", {"update_id": self._new_id()})
        if self._anonymous:
            del self._queue[-1]["subject_id"]

    def lost(self, now: float) -> None:
        self._socket = None

    def back_at(self, now: float) -> float:
        if self.gave_up:
            return math.inf
        return self._next_beat(max(now, self._restarted_at + RESTART_PAUSE_S))

    def stuck(self, now: float) -> bool:
        if self._ping_s is not None and self._wall() - self._ping_s > PING_OLD_S:
            self.gave_up = True
        self.gave_up = self.gave_up or self._missed >= MISSED_TO_DIE
        restart = self._missed >= MISSED_TO_RESTART and now >= self._restarted_at + RESTART_PAUSE_S
        return self.gave_up or restart

    def due(self, now: float) -> float:
        socket = self._socket
        if socket is None:
            return math.inf
        return min(socket.beat_at, max(now, socket.free_at) if self._queue else math.inf)

    def take(self, now: float) -> Mapping[str, Any] | None:
        if (socket := self._socket) is None:
            return None
        if now >= socket.beat_at:
            socket.beat_at = self._next_beat(now)
            self._missed += 1
            packet = {"packet_type": "heartbeat", "subject_id": self.agent}
            return {**packet, "client_timestamp": self._wall()}
        if self._queue and now >= socket.free_at:
            socket.free_at = now + SEND_EVERY_S
            return self._queue.pop()
        return None

    def untake(self, packet: Mapping[str, Any]) -> None:
        if packet["packet_type"] != "heartbeat":
            self._queue.append(dict(packet))

    def hear(self, packet: Mapping[str, Any], now: float) -> list[PageEvent]:
        data = data_of(packet)
        match packet.get("packet_type"):
            case "client_bound_live_update" if self._is_new(data):
                return [Handed(number_of(data), data)]
            case "update_status":
                return [StatusTold(data)]
            case "heartbeat":
                self._missed = 0
                self._ping_s = float(data["last_mephisto_ping"]) / 1000
            case _:
                pass
        return []

    # its parts

    def _is_new(self, update: Mapping[str, Any]) -> bool:
        known = update.get("update_id") in self._had
        self._had.add(str(update.get("update_id")))
        return not known

    def _next_beat(self, now: float) -> float:
        """Its heart beats on from the first socket's beginning, whatever becomes of sockets."""
        began = now if self._began_at is None else self._began_at
        return began + HEARTBEAT_S * (math.floor((now - began) / HEARTBEAT_S + 1e-9) + 1)

    def _enqueue(self, kind: str, data: dict[str, Any]) -> None:
        packet = {"packet_type": kind, "subject_id": self.agent, "data": data}
        self._queue.append({**packet, "client_timestamp": self._wall()})

    def _new_id(self) -> str:
        return f"{self._rng.getrandbits(128):032x}"


def said_in(packet: Mapping[str, Any], number: int) -> Said:
    """What an unchanged page says by this packet, as the so manieth of this load."""
    return Said("", number, packet["data"])


@attrs.define(eq=False)
class _Socket:
    """What dies with a connection."""

    free_at: float
    beat_at: float
