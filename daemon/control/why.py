"""Endpoints that tell why: recorded decisions with their facts, and history, by worker, unit or agent."""

from collections import deque
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from ...protocol.names import AgentId, RunId, UnitId
from ...storage.contract import Storage
from ...storage.errors import NotFound
from ...storage.paging import every
from ...storage.records import Decision, HistoryEntry, TaskRun
from ..admission.explain import explain
from ..late_pay import LATE_PAY, explain_late_pay
from ..review.decisions import REVIEW
from ..review.explain import explain_review
from .answers import json_answer
from .errors import ControlError
from .questions import NUMBER_DIGITS_MAX, find_run, operator_of
from .shapes.history import DecisionView, StoryView, WhyView
from .worker_words import worker_asked_for

DECISIONS_MAX = CHANGES_MAX = 1000  # the newest; a worker who asks again and again is counted, not listed


async def why_worker(request: Request) -> Response:
    """Why a worker got what they got, in one run or in all: decisions, blocks, grants, agents."""
    storage = operator_of(request).storage
    worker = await worker_asked_for(request)
    name = request.query_params.get("run")
    run = None if name is None else await find_run(storage, name)
    run_id = None if run is None else run.id
    decisions = await _decisions(storage, run_id=run_id, worker_id=worker.id)
    entries = [*await _history(storage, "worker", worker.id), *await _history(storage, "grant", worker.id)]
    agents = deque[AgentId](maxlen=CHANGES_MAX)
    async for agent in every(partial(storage.agents_of_worker, worker.id)):
        if run_id in (None, agent.run_id):
            agents.append(agent.id)
    for agent_id in agents:
        entries += await _history(storage, "agent", agent_id)
    return await _answer(storage, decisions, entries)


async def why_unit(request: Request) -> Response:
    """Why a unit is where it is: whom it was given to and why, and how it came back; oldest first."""
    storage = operator_of(request).storage
    try:
        unit = await storage.unit(UnitId(_number(request, "unit")))
    except NotFound:
        raise _nothing("unit", request, "`crowdctl units RUN` lists them.") from None
    decisions = await _decisions(storage, unit_id=unit.id)
    agents = {each.agent_id for each in decisions} | {unit.agent_id}
    entries = await _history(storage, "unit", unit.id)
    for agent_id in sorted(each for each in agents if each is not None):
        entries += await _history(storage, "agent", agent_id)
    return await _answer(storage, decisions, entries)


async def why_agent(request: Request) -> Response:
    """Why an agent got its unit, and how it ended and was judged; oldest first."""
    storage = operator_of(request).storage
    try:
        agent = await storage.agent(AgentId(_number(request, "agent")))
    except NotFound:
        raise _nothing("agent", request, "`crowdctl agents RUN` lists them.") from None
    decisions = await _decisions(storage, agent_id=agent.id)
    return await _answer(storage, decisions, await _history(storage, "agent", agent.id))


async def _decisions(storage: Storage, **about: Any) -> list[Decision]:
    newest = deque[Decision](maxlen=DECISIONS_MAX)
    async for decision in every(partial(storage.decisions, **about)):
        newest.append(decision)
    return [*newest]


async def _history(storage: Storage, kind: str, subject_id: int) -> list[HistoryEntry]:
    newest = deque[HistoryEntry](maxlen=CHANGES_MAX)
    async for entry in every(partial(storage.history, kind, subject_id)):
        newest.append(entry)
    return [*newest]


async def _answer(
    storage: Storage, decisions: Iterable[Decision], entries: Iterable[HistoryEntry]
) -> Response:
    runs = _Runs(storage)
    changes = sorted(entries, key=lambda each: each.id)[-CHANGES_MAX:]
    view: WhyView = {
        "decisions": [_decision_view(each, await runs.of(each.run_id)) for each in decisions],
        "history": [await _story_view(entry, runs) for entry in changes],
    }
    return json_answer(view)


def _decision_view(decision: Decision, run: TaskRun) -> DecisionView:
    return {
        "id": decision.id,
        "at": decision.at,
        "last_at": decision.last_at,
        "count": decision.count,
        "run": run.label,
        "worker_id": decision.worker_id,
        "agent_id": decision.agent_id,
        "unit_id": decision.unit_id,
        "kind": decision.kind,
        "outcome": decision.outcome,
        "reason": decision.reason,
        "sentences": sentences_of(decision, run),
        "facts": decision.facts,
    }


def sentences_of(decision: Decision, run: TaskRun) -> list[str]:
    """The decision in words, from the facts recorded with it."""
    if decision.kind == REVIEW:
        return explain_review(decision.outcome, decision.reason, decision.facts)
    if decision.kind == LATE_PAY:
        return explain_late_pay(decision.facts)
    texts: Mapping[str, str] = run.config.get("texts", {})
    return explain(decision.kind, decision.outcome, decision.reason, decision.facts, texts)


async def _story_view(entry: HistoryEntry, runs: "_Runs") -> StoryView:
    return {
        "at": entry.at,
        "who": entry.who,
        "kind": entry.kind,
        "subject_id": entry.subject_id,
        "run": None if entry.run_id is None else (await runs.of(entry.run_id)).label,
        "before": entry.before,
        "after": entry.after,
        "why": entry.why,
    }


class _Runs:
    """The runs that are spoken of, each asked for once."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._known: dict[RunId, TaskRun] = {}

    async def of(self, run_id: RunId) -> TaskRun:
        if run_id not in self._known:
            self._known[run_id] = await self._storage.run(run_id)
        return self._known[run_id]


def _number(request: Request, name: str) -> int:
    word: str = request.path_params[name]
    if not (word.isascii() and word.isdigit() and len(word) <= NUMBER_DIGITS_MAX):
        raise _nothing(name, request, "It is a number.")
    return int(word)


def _nothing(name: str, request: Request, hint: str) -> ControlError:
    word = request.path_params[name]
    return ControlError(404, f"no_such_{name}", f"There is no {name} {word!r}.", hint)
