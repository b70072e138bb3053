"""The progress of a run as a stream of JSON lines: one at once, one on every change, until it has ended."""

from collections import deque
from functools import partial

import trio
from starlette.requests import Request
from starlette.responses import Response

from ...protocol.names import UNFINISHED_RUN, RunId, RunState
from .answers import SendChunk, StreamedAnswer, json_bytes
from .needs import Operator
from .questions import operator_of, run_asked_for
from .shapes.runs import SnapshotView, WatchedView
from .views import live_view, progress_view

SNAPSHOT_GAP_S = 0.2  # a person sees no more, and a busy run changes hundreds of times a second
SILENCE_MAX_S = 10.0  # a line at least this often: the client knows that the daemon lives
NOT_LIVE_GAP_S = 1.0  # how often a run that nobody carries out is looked at
RATE_WINDOW_S = 60.0


async def watch_run(request: Request) -> Response:
    """Progress snapshots; the last one has the run's final state."""
    operator, run = operator_of(request), await run_asked_for(request)
    return StreamedAnswer(partial(write_progress, operator, run.id), "application/x-ndjson")


class Pace:
    """How many units a minute were done within the last minute, as far as it was watched."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def per_minute(self, done: int, now: float) -> float | None:
        """The rate with `done` units done by `now`; None before two looks."""
        self._seen.append((now, done))
        while len(self._seen) > 2 and self._seen[1][0] <= now - RATE_WINDOW_S:
            self._seen.popleft()
        began, before = self._seen[0]
        return round((done - before) * 60 / (now - began), 2) if now > began else None


class Changes:
    """Whether something has changed since the last look."""

    def __init__(self) -> None:
        self._changed = trio.Event()

    def note(self) -> None:
        """Something has changed."""
        self._changed.set()

    async def wait(self) -> None:
        """Return at once or when something changes; forgets what it returned for."""
        await self._changed.wait()
        self._changed = trio.Event()


async def write_progress(operator: Operator, run_id: RunId, send: SendChunk) -> None:
    """Send a line for each change, and one now and then, until the run has ended."""
    changes, pace = Changes(), Pace()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_note_changes, operator, run_id, changes)
        shown: WatchedView | None = None
        while shown is None or RunState(shown["state"]) in UNFINISHED_RUN:
            deadline = trio.current_time() + SILENCE_MAX_S
            while (snapshot := await _snapshot(operator, run_id)) == shown and trio.current_time() < deadline:
                with trio.move_on_at(deadline):
                    await changes.wait()
            rate = pace.per_minute(snapshot["units_done"], trio.current_time())
            line: SnapshotView = {**snapshot, "per_minute": rate}
            await send(json_bytes(line) + b"\n")
            shown = snapshot
            await trio.sleep(SNAPSHOT_GAP_S)
        nursery.cancel_scope.cancel()


async def _note_changes(operator: Operator, run_id: RunId, changes: Changes) -> None:
    while True:
        live = operator.live(run_id)
        if live is not None:
            async for _ in live.watch():
                changes.note()
        changes.note()
        await trio.sleep(NOT_LIVE_GAP_S)


async def _snapshot(operator: Operator, run_id: RunId) -> WatchedView:
    run = await operator.storage.run(run_id)
    return {
        "run": run.label,
        "id": run.id,
        "state": run.state.value,
        "trouble": run.trouble,
        "paused": run.paused,
        "deleting": run.deleting,
        "rows_made": run.rows_made,
        "rows_done": run.rows_done,
        **progress_view(await operator.storage.counts(run_id)),
        **live_view(operator.live(run_id)),
    }
