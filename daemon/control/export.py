"""Export of a run: one record per agent that submitted, as JSON lines or CSV, page by page at flat memory."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from functools import partial
from typing import Any

import attrs
import orjson
from starlette.requests import Request
from starlette.responses import Response

from ...protocol.names import RunId
from ...storage.contract import ExportRow, Storage
from ...storage.records import LiveUpdate, Metadata
from ..grouping.seats import is_simulated
from .answers import SendChunk, StreamedAnswer, json_bytes
from .errors import bad_request
from .export_csv import cells_of, csv_line, find_columns
from .questions import NUMBER_MAX, number_asked_for, operator_of, run_asked_for
from .shapes.work import RecordView, UpdateView
from .work_views import file_view, review_view, special_of

PAGE_ROWS = 200  # held in memory at once; a row may be megabytes
CHUNK_BYTES = 64 * 1024  # a send for each row costs more than the row
POST_TASK = "post_task"


@attrs.frozen
class Part:
    """Which records: those of agents after a number, at most so many."""

    after: int
    limit: int


async def export_run(request: Request) -> Response:
    """`format=jsonl` (default) or `csv`. The answer is cut, never shortened, when reading fails."""
    storage, run = operator_of(request).storage, await run_asked_for(request)
    part = _part_asked_for(request)
    match request.query_params.get("format", "jsonl"):
        case "jsonl":
            return StreamedAnswer(partial(_write_jsonl, storage, run.id, part), "application/x-ndjson")
        case "csv":
            async with aclosing(_records(storage, run.id, part)) as records:
                columns, last = await find_columns(records)
            return StreamedAnswer(
                partial(_write_csv, storage, run.id, part, columns, last), "text/csv; charset=utf-8"
            )
        case other:
            raise bad_request(f"format={other} is not known.", "Use jsonl or csv.")


def _part_asked_for(request: Request) -> Part:
    after = number_asked_for(request, "after", 0)
    limit = number_asked_for(request, "limit", NUMBER_MAX)
    if limit < 1:
        raise bad_request(f"limit={limit}: must be at least 1.")
    return Part(after, limit)


async def _write_jsonl(storage: Storage, run_id: RunId, part: Part, send: SendChunk) -> None:
    chunk = bytearray()
    async with aclosing(_rows(storage, run_id, part)) as rows:
        async for row in rows:
            chunk += json_bytes(export_record(row, orjson.Fragment(row.submission.data))) + b"\n"
            await _send_if_large(chunk, send)
    await send(bytes(chunk))


async def _write_csv(
    storage: Storage, run_id: RunId, part: Part, columns: list[str], last: int, send: SendChunk
) -> None:
    if not columns:
        return
    chunk = bytearray(csv_line(columns))
    async with aclosing(_records(storage, run_id, part)) as records:
        async for record in records:
            if record["agent_id"] > last:
                break  # came after the columns were found
            cells = cells_of(record)
            chunk += csv_line([cells.get(column, "") for column in columns])
            await _send_if_large(chunk, send)
    await send(bytes(chunk))


async def _send_if_large(chunk: bytearray, send: SendChunk) -> None:
    if len(chunk) >= CHUNK_BYTES:
        await send(bytes(chunk))
        chunk.clear()


async def _records(storage: Storage, run_id: RunId, part: Part) -> AsyncGenerator[RecordView]:
    async with aclosing(_rows(storage, run_id, part)) as rows:
        async for row in rows:
            yield export_record(row, orjson.loads(row.submission.data))


async def _rows(storage: Storage, run_id: RunId, part: Part) -> AsyncGenerator[ExportRow]:
    after, left = part.after, part.limit
    while left > 0 and (page := await storage.export(run_id, after, min(PAGE_ROWS, left))):
        for row in page:
            yield row
        after, left = page[-1].agent.id, left - len(page)


def export_record(row: ExportRow, outputs: Any) -> RecordView:
    """What is exported of one agent's work; `outputs` is the submission's data."""
    own = row.assignment.unit_data[row.unit.unit_index] if row.unit.unit_index >= 0 else {}
    return {
        "run": row.run.label,
        "assignment_id": row.assignment.id,
        "unit_id": row.unit.id,
        "unit_index": row.unit.unit_index,
        "special": special_of(row.unit),
        "agent_id": row.agent.id,
        "worker_id": row.worker.id,
        "worker_name": row.worker.name,
        "simulated": is_simulated(row.agent),
        "status": row.agent.status.value,
        "review": None if row.review is None else review_view(row.review),
        "late": row.submission.late,
        "task_start": row.agent.created_at.timestamp(),
        "task_end": row.submission.submitted_at.timestamp(),
        "data": {"inputs": {**row.assignment.shared, **own}, "outputs": outputs},
        "files": [file_view(note) for note in row.submission.files],
        "post_task": _post_task(row.metadata),
        "metadata": _metadata_by_kind(row.metadata),
        "updates": [_said(update) for update in row.updates],
    }


def _said(update: LiveUpdate) -> UpdateView:
    """One live update; how pages and routers call it is nobody's business here."""
    return {
        "at": update.created_at.timestamp(),
        "by": "task" if update.outgoing else "worker",
        "data": {key: value for key, value in update.update.items() if key != "update_id"},
    }


def _post_task(metadata: Sequence[Metadata]) -> Any:
    answers = [_content(entry) for entry in metadata if entry.kind == POST_TASK]
    return answers[-1] if answers else None


def _metadata_by_kind(metadata: Sequence[Metadata]) -> dict[str, list[Any]]:
    kinds: dict[str, list[Any]] = {}
    for entry in metadata:
        if entry.kind != POST_TASK:
            kinds.setdefault(entry.kind, []).append(_entry(entry))
    return kinds


def _entry(entry: Metadata) -> Any:
    files = [file_view(note) for note in entry.files]
    return {
        "at": entry.created_at.timestamp(),
        "data": _content(entry),
        **({"files": files} if files else {}),
    }


def _content(entry: Metadata) -> Any:
    """What was told: pages wrap it in its kind."""
    match entry.data:
        case {**told} if told.keys() == {entry.kind}:
            return told[entry.kind]
        case other:
            return other
