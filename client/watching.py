"""Runs as they go on: progress, events, and waiting for the end; over restarts of the daemon."""

import time
from collections.abc import Callable, Iterator

from . import shapes
from .asking import Asking, RunName, path_of
from .connection import lines
from .errors import ConnectionCut, DaemonUnreachable, NotEnded
from .following import STREAM_SILENCE_S, Patience, follow_events
from .reading import read

ENDED = frozenset({"completed", "stopped", "failed"})
"""The states that no run leaves."""


class Watching(Asking):
    """What `Client` is told as it happens."""

    def watch(self, run: RunName, silence_s: float = STREAM_SILENCE_S) -> "Iterator[shapes.Snapshot]":
        """Progress now and at every change; ends when the run has ended."""
        with self._connection.open("GET", path_of(run, "watch"), timeout_s=silence_s) as body:
            for line in lines(body):
                yield read(shapes.Snapshot, line)

    def follow(
        self, run: RunName, away_s: float = 60.0, on_away: Callable[[str], object] = lambda why: None
    ) -> "Iterator[shapes.Snapshot]":
        """`watch` that goes on when the daemon restarts, if it is back within `away_s`.

        `on_away` is told in words each time that it is not there; the next snapshot says that it is back.
        """
        patience = Patience(away_s, on_away)
        while True:
            try:
                for snapshot in self.watch(run):
                    patience.renew()
                    yield snapshot
                    if snapshot.state in ENDED:
                        return
                raise ConnectionCut("The daemon stopped telling.", "See whether it runs: `crowdctl status`.")
            except DaemonUnreachable as away:
                patience.wait(away)

    def until_open(self, run: RunName, timeout_s: float = 60.0) -> "shapes.Snapshot | None":
        """Return when workers can come, or it is known that they cannot; None when time is over."""
        give_up_at = time.monotonic() + timeout_s
        for snapshot in self.follow(run):
            if snapshot.is_open or snapshot.trouble or snapshot.state in ENDED:
                return snapshot
            if time.monotonic() > give_up_at:
                break
        return None

    def wait(self, *runs: RunName, timeout_s: float | None = None) -> "list[shapes.Snapshot]":
        """Return when all the runs have ended, with how they ended; over restarts of the daemon.

        NotEnded when the time is over.
        """
        give_up_at = None if timeout_s is None else time.monotonic() + timeout_s
        ends = [self._end_of(run, give_up_at) for run in runs]
        late = [end.run for end in ends if end.state not in ENDED]
        if late:
            words = f"Not ended within {timeout_s:g} s: {', '.join(late)}."
            raise NotEnded(words, "They go on; wait again.", late, ends)
        return ends

    def _end_of(self, run: RunName, give_up_at: float | None) -> "shapes.Snapshot":
        """The last snapshot of the run: ended, or as it is when the time is over."""
        for snapshot in self.follow(run):
            if snapshot.state in ENDED or (give_up_at is not None and time.monotonic() >= give_up_at):
                return snapshot
        raise AssertionError("follow ends only after a snapshot of an ended run")

    def events(
        self,
        run: RunName | None = None,
        after: int | None = 0,
        away_s: float = 60.0,
        on_away: Callable[[str], object] = lambda why: None,
    ) -> "Iterator[shapes.Event]":
        """What is written to the history, as it happens: of one run until it has ended, or of all, for ever.

        Begins behind the position `after` (an event's `id`), so that nothing is missed by whoever keeps the
        last one they saw: 0 is the very beginning, None is now. Goes on when the daemon restarts, if it is
        back within `away_s`; else DaemonUnreachable.
        """
        return follow_events(self._connection, run, after, away_s, on_away)
