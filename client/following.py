"""Streams that go on when the daemon restarts: how long it is waited for, and from where."""

import time
from collections.abc import Callable, Iterator
from typing import Any

from . import shapes
from .connection import Connection, lines
from .errors import ConnectionCut, DaemonUnreachable
from .reading import read

RETRY_S = 1.0
STREAM_SILENCE_S = 45.0  # the daemon says something every ten seconds

OnAway = Callable[[str], object]


class Patience:
    """How long a daemon that went away is waited for; one that was never there is not."""

    def __init__(self, away_s: float, on_away: OnAway) -> None:
        self._away_s = away_s
        self._on_away = on_away
        self._give_up_at = 0.0

    def renew(self) -> None:
        """It is there."""
        self._give_up_at = time.monotonic() + self._away_s

    def wait(self, away: DaemonUnreachable) -> None:
        """It is not there: return when it is time to ask again, or raise."""
        left_s = self._give_up_at - time.monotonic()
        if left_s < 0:
            raise away
        self._on_away(f"The daemon is away. Waiting for it for up to {left_s:.0f} s; what is saved is safe.")
        time.sleep(min(RETRY_S, left_s + 0.01))


def follow_events(
    connection: Connection, run: str | int | None, after: int | None, away_s: float, on_away: OnAway
) -> "Iterator[shapes.Event]":
    """The events after the position, each once, over restarts of the daemon."""
    patience, position, ended = Patience(away_s, on_away), after, False
    while not ended:
        try:
            for told in _lines(connection, run, position):
                patience.renew()
                if "position" in told:
                    position, ended = told["position"], told["ended"]
                else:
                    event = read(shapes.Event, told)
                    position = event.id
                    yield event
            if not ended:
                raise ConnectionCut("The daemon stopped telling events.", "See whether it runs.")
        except DaemonUnreachable as away:
            patience.wait(away)


def _lines(connection: Connection, run: str | int | None, position: int | None) -> Iterator[dict[str, Any]]:
    parameters: list[tuple[str, str | int]] = []
    if run is not None:
        parameters.append(("run", run))
    if position is not None:
        parameters.append(("after", position))
    with connection.open("GET", "/events", parameters, timeout_s=STREAM_SILENCE_S) as body:
        yield from lines(body)
