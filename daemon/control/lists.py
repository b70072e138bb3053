"""Endpoints that page through a run's units, agents and errors."""

from starlette.requests import Request
from starlette.responses import Response

from ...protocol.names import AgentStatus, UnitStatus
from .answers import json_answer
from .questions import operator_of, page_asked_for, run_asked_for, statuses_asked_for
from .shapes.late import LatesView
from .shapes.work import AgentsView, DebtsView, ErrorNotesView, UnitsView
from .views import WorkerNames, debt_view, error_view
from .work_views import WorkViews
from .worker_words import worker_asked_for


async def list_units(request: Request) -> Response:
    """Units in order; `next` is the `after` of the following page, or null."""
    storage, run = operator_of(request).storage, await run_asked_for(request)
    after, limit = page_asked_for(request)
    statuses = statuses_asked_for(request, UnitStatus)
    units = await storage.units(run.id, statuses, after=after, limit=limit)
    work = WorkViews(storage)
    views = [await work.unit(unit) for unit in units]
    found: UnitsView = {"units": views, "next": units[-1].id if len(units) == limit else None}
    return json_answer(found)


async def list_agents(request: Request) -> Response:
    """Agents in order; `worker=` chooses, and `next` is the `after` of the following page, or null."""
    storage, run = operator_of(request).storage, await run_asked_for(request)
    after, limit = page_asked_for(request)
    statuses = statuses_asked_for(request, AgentStatus)
    worker = await worker_asked_for(request) if "worker" in request.query_params else None
    worker_id = None if worker is None else worker.id
    agents = await storage.agents(run.id, statuses, worker_id, after=after, limit=limit)
    work = WorkViews(storage)
    views = [await work.agent(agent) for agent in agents]
    found: AgentsView = {"agents": views, "next": agents[-1].id if len(agents) == limit else None}
    return json_answer(found)


async def list_owed(request: Request) -> Response:
    """What is owed for waiting, oldest first; `next` is the `after` of the following page, or null."""
    storage, run = operator_of(request).storage, await run_asked_for(request)
    after, limit = page_asked_for(request)
    debts = await storage.owed(run.id, after, limit)
    names = WorkerNames(storage)
    views = [debt_view(debt, await names.of(await storage.agent(debt.agent_id))) for debt in debts]
    found: DebtsView = {"owed": views, "next": debts[-1].id if len(debts) == limit else None}
    return json_answer(found)


async def list_late(request: Request) -> Response:
    """What came too late to count, oldest first; `next` is the `after` of the following page, or null."""
    storage, run = operator_of(request).storage, await run_asked_for(request)
    after, limit = page_asked_for(request)
    late, work = await storage.late_answers(run.id, after, limit), WorkViews(storage)
    views = [await work.late(each) for each in late]
    found: LatesView = {"late": views, "next": late[-1].id if len(late) == limit else None}
    return json_answer(found)


async def list_errors(request: Request) -> Response:
    """What went wrong, oldest first; `next` is the `after` of the following page, or null."""
    storage, run = operator_of(request).storage, await run_asked_for(request)
    after, limit = page_asked_for(request)
    errors = await storage.errors(run.id, after, limit)
    views = [error_view(error) for error in errors]
    found: ErrorNotesView = {"errors": views, "next": errors[-1].id if len(errors) == limit else None}
    return json_answer(found)
