"""Endpoints about workers, over all runs: who is known, and what one of them did."""

from starlette.requests import Request
from starlette.responses import Response

from ...protocol.names import WorkerId
from ...storage.contract import Storage
from ..track_record import track_record
from .answers import json_answer
from .questions import operator_of, page_asked_for
from .shapes.history import ChangeView
from .shapes.people import GrantView, WorkerDetailsView, WorkersView
from .shapes.work import WorksView, WorkView
from .views import RunLabels, history_view, record_view, worker_view
from .work_views import WorkViews
from .worker_words import worker_asked_for

HISTORY_MAX = 1000  # of one worker: blocks and grants, which people make


async def list_workers(request: Request) -> Response:
    """Workers in the order in which they came; `provider=` chooses, and `next` is the next page's `after`."""
    storage = operator_of(request).storage
    after, limit = page_asked_for(request)
    workers = await storage.workers(request.query_params.get("provider"), after, limit)
    views = [worker_view(worker) for worker in workers]
    found: WorkersView = {"workers": views, "next": workers[-1].id if len(workers) == limit else None}
    return json_answer(found)


async def show_worker(request: Request) -> Response:
    """One worker with grants, the history of blocks and grants, and how they did so far."""
    storage = operator_of(request).storage
    worker = await worker_asked_for(request)
    names = {each.id: each.name for each in await storage.qualifications()}
    grants: list[GrantView] = [
        {"qualification": names.get(grant.qualification_id), "value": grant.value, "at": grant.updated_at}
        for grant in await storage.grants(worker.id)
    ]
    history = await _history(storage, worker.id)
    record = await track_record(storage, worker.id)
    details: WorkerDetailsView = {
        **worker_view(worker),
        "record": record_view(record),
        "grants": grants,
        "history": history,
    }
    return json_answer(details)


async def _history(storage: Storage, worker_id: WorkerId) -> list[ChangeView]:
    entries = [
        *await storage.history("worker", worker_id, limit=HISTORY_MAX),
        *await storage.history("grant", worker_id, limit=HISTORY_MAX),
    ]
    return [history_view(entry) for entry in sorted(entries, key=lambda each: each.id)]


async def list_agents_of_worker(request: Request) -> Response:
    """Everything the worker worked on, in order; `next` is the `after` of the following page, or null."""
    storage = operator_of(request).storage
    worker = await worker_asked_for(request)
    after, limit = page_asked_for(request)
    agents = await storage.agents_of_worker(worker.id, after, limit)
    labels = RunLabels(storage)
    work = WorkViews(storage)
    views: list[WorkView] = [
        {**await work.agent(agent), "run": await labels.of(agent.run_id)} for agent in agents
    ]
    found: WorksView = {"agents": views, "next": agents[-1].id if len(agents) == limit else None}
    return json_answer(found)
