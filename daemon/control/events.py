"""The history as a stream of JSON lines: every change after a position, as it is written."""

from functools import partial

import trio
from starlette.requests import Request
from starlette.responses import Response

from ...protocol.names import UNFINISHED_RUN, RunId
from ...storage.contract import Storage
from ...storage.errors import NotFound
from ...storage.records import HistoryEntry
from .answers import SendChunk, StreamedAnswer, json_bytes
from .questions import find_run, number_asked_for, operator_of
from .shapes.history import EventView, PositionView
from .views import RunLabels, history_view

LOOK_GAP_S = 0.25  # an event is told so long after it was written, at most; a look costs one indexed query
SILENCE_MAX_S = 10.0  # a line at least this often: the client knows that the daemon lives
PAGE_EVENTS = 500


async def tell_events(request: Request) -> Response:
    """Each change of state after the position `after`, and those to come; without it, from now on.

    With `run`, those of one run until it has ended; else of everything, until the client leaves. A line is an
    event, whose `id` is a position, or the position so far: the first one, the last one (`ended`), and now
    and then. Whoever asks again after the last position that they saw misses nothing and gets nothing twice.
    """
    storage = operator_of(request).storage
    name = request.query_params.get("run")
    run_id = None if name is None else (await find_run(storage, name)).id
    after = None
    if "after" in request.query_params:
        after = number_asked_for(request, "after", 0)
    return StreamedAnswer(partial(write_events, storage, run_id, after), "application/x-ndjson")


async def write_events(storage: Storage, run_id: RunId | None, after: int | None, send: SendChunk) -> None:
    """Send the events until the run, if it is one, has ended and all of it was told."""
    position = await storage.history_end() if after is None else after
    await _send_position(send, position, ended=False)
    labels, silent_since = RunLabels(storage), trio.current_time()
    while True:
        over = await _is_over(storage, run_id)  # looked at before the page: what it wrote is in the page
        page = await storage.history(run_id=run_id, after=position, limit=PAGE_EVENTS)
        if page:
            lines = [json_bytes(await _event_view(entry, labels)) + b"\n" for entry in page]
            await send(b"".join(lines))
            position, silent_since = page[-1].id, trio.current_time()
        elif over:
            await _send_position(send, position, ended=True)
            return
        else:
            if trio.current_time() - silent_since >= SILENCE_MAX_S:
                await _send_position(send, position, ended=False)
                silent_since = trio.current_time()
            await trio.sleep(LOOK_GAP_S)


async def _is_over(storage: Storage, run_id: RunId | None) -> bool:
    try:
        return run_id is not None and (await storage.run(run_id)).state not in UNFINISHED_RUN
    except NotFound:
        return True  # it was deleted meanwhile


async def _event_view(entry: HistoryEntry, labels: RunLabels) -> EventView:
    return {
        "id": entry.id,
        "subject_id": entry.subject_id,
        "run": await _label(entry, labels),
        **history_view(entry),
    }


async def _label(entry: HistoryEntry, labels: RunLabels) -> str | None:
    try:
        return None if entry.run_id is None else await labels.of(entry.run_id)
    except NotFound:
        return None  # the run was deleted


async def _send_position(send: SendChunk, position: int, ended: bool) -> None:
    line: PositionView = {"position": position, "ended": ended}
    await send(json_bytes(line) + b"\n")
