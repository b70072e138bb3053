"""Records as the control API shows them. Never shows wire ids, keys or secrets."""

from collections.abc import Iterable
from typing import Any

from ...protocol.names import COMPLETED_UNIT, LIVE_AGENT, RunId, RunState
from ...storage.contract import RunCounts, Storage
from ...storage.records import Agent, HistoryEntry, Owed, PageError, TaskRun, Unit, Worker
from ..errands import Errand
from ..grouping import Room
from ..slices import by_slices
from ..track_record import TrackRecord
from .answers import json_bytes
from .needs import LiveRun, Operator, RouterState
from .shapes.history import ChangeView
from .shapes.people import TrackRecordView, WorkerView
from .shapes.runs import CountsView, LiveView, OwedView, RoomView, RouterView, RunView
from .shapes.work import DebtView, ErrorNoteView

RUNS_A_TURN = 500  # shown, of some 10 us each


def progress_view(counts: RunCounts) -> CountsView:
    """How far a run is, from its counts."""
    return {
        "units": {status.value: n for status, n in counts.units.items() if n},
        "agents": {status.value: n for status, n in counts.agents.items() if n},
        "units_total": sum(counts.units.values()),
        "units_done": sum(counts.units.get(status, 0) for status in COMPLETED_UNIT),
        "agents_live": sum(counts.agents.get(status, 0) for status in LIVE_AGENT),
    }


def routers_view(routers: Iterable[RouterState]) -> list[RouterView]:
    """The routers of a live run, and since when they are up or away."""
    return [
        {
            "name": r.name,
            "url": r.url,
            "up": r.up,
            "since": r.since,
            "addition": r.addition,
            "outbox": dict(r.outbox),
        }
        for r in routers
    ]


def live_view(live: LiveRun | None) -> LiveView:
    """What only a run that is being carried out has."""
    if live is None:
        return {"live": False, "address": None, "routers": []}
    return {"live": True, "address": live.address, "routers": routers_view(live.routers())}


async def run_view(operator: Operator, run: TaskRun) -> RunView:
    """A run with its progress."""
    task = await operator.storage.task(run.task_id)
    return _run_view(operator, run, task.name, await operator.storage.counts(run.id))


async def run_views(operator: Operator, states: frozenset[RunState] | None) -> list[RunView]:
    """All runs with their progress, or those in these states; it takes two reads, however many they are."""
    counted = await operator.storage.counted_runs(states)
    tasks = {task.id: task.name for task in await operator.storage.tasks()}
    views: list[RunView] = []

    def view(run_and_counts: tuple[TaskRun, RunCounts]) -> None:
        run, counts = run_and_counts
        views.append(_run_view(operator, run, tasks[run.task_id], counts))

    await by_slices(counted, RUNS_A_TURN, view)
    return views


def _run_view(operator: Operator, run: TaskRun, task: str, counts: RunCounts) -> RunView:
    return {
        "id": run.id,
        "label": run.label,
        "task": task,
        "state": run.state.value,
        "trouble": run.trouble,
        "paused": run.paused,
        "deleting": run.deleting,
        "blueprint": run.blueprint,
        "provider": run.provider,
        "architect": run.architect,
        "sandbox": run.sandbox,
        "rows_made": run.rows_made,
        "rows_done": run.rows_done,
        "created_at": run.created_at,
        "ended_at": run.ended_at,
        **progress_view(counts),
        **live_view(operator.live(run.id)),
    }


class WorkerNames:
    """The names of workers, each asked for once."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._known: dict[int, str] = {}

    async def of(self, record: Unit | Agent) -> str | None:
        """The name of the record's worker, if it has one."""
        if record.worker_id is None:
            return None
        if record.worker_id not in self._known:
            self._known[record.worker_id] = (await self._storage.worker(record.worker_id)).name
        return self._known[record.worker_id]


class RunLabels:
    """The labels of runs, each asked for once."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._known: dict[RunId, str] = {}

    async def of(self, run_id: RunId) -> str:
        """The label of this run."""
        if run_id not in self._known:
            self._known[run_id] = (await self._storage.run(run_id)).label
        return self._known[run_id]


def owed_view(errand: Errand) -> OwedView:
    """What a provider is still to be told."""
    return {
        "call": errand.call.value,
        "agent_id": errand.agent_id,
        "worker_id": None if errand.agent_id is not None else errand.subject_id,
        "since": errand.since,
        "tries": errand.tries,
        "error": errand.error,
    }


def debt_view(debt: Owed, worker_name: str | None) -> DebtView:
    """What a worker has coming beside the pay for units."""
    return {
        "id": debt.id,
        "at": debt.created_at,
        "agent_id": debt.agent_id,
        "worker_id": debt.worker_id,
        "worker_name": worker_name or "",
        "what": debt.what,
        "seconds": debt.seconds,
        "cents": debt.cents,
        "why": debt.why,
    }


def room_view(room: Room) -> RoomView:
    """A group that forms."""
    return {
        "assignment_id": room.assignment_id,
        "here": room.here,
        "away": room.away,
        "simulated": room.simulated,
        "size": room.size,
        "waited_s": room.waited_s,
        "left_s": room.left_s,
    }


def worker_view(worker: Worker) -> WorkerView:
    """A worker. What the provider keeps with them is the provider's own."""
    return {
        "id": worker.id,
        "provider": worker.provider,
        "name": worker.name,
        "blocked": worker.blocked,
        "created_at": worker.created_at,
    }


def record_view(record: TrackRecord) -> TrackRecordView:
    """How a worker did so far."""
    return {
        "submitted": record.submitted,
        "approved": record.approved,
        "soft_rejected": record.soft_rejected,
        "rejected": record.rejected,
        "time_spent_s": record.time_spent_s,
        "truth_known": record.truth_known,
        "truth_agreed": record.truth_agreed,
    }


def history_view(entry: HistoryEntry) -> ChangeView:
    """Who changed what, and why."""
    return {
        "at": entry.at,
        "who": entry.who,
        "kind": entry.kind,
        "before": entry.before,
        "after": entry.after,
        "why": entry.why,
    }


def error_view(error: PageError) -> ErrorNoteView:
    """An error in words, with its traceback where it has one; `data` is all that was told."""
    match error.data:
        case {**members}:
            told: dict[Any, Any] = members
        case _:
            told = {}
    text = next((told[key] for key in _TEXT_KEYS if _is_text(told.get(key))), None)
    stack = told.get("stack")
    return {
        "id": error.id,
        "at": error.created_at,
        "source": error.source,
        "agent_id": error.agent_id,
        "text": text or (error.data if _is_text(error.data) else json_bytes(error.data).decode()),
        "traceback": stack if _is_text(stack) else None,
        "data": error.data,
    }


_TEXT_KEYS = ("message", "text", "error", "errorMsg")
"""Where pages of all kinds put what went wrong."""


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())
