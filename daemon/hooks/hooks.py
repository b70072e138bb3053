"""Asks the hooks of one run: each call is bounded in time, its errors noted, its effects handed back.

Stores nothing: what a hook granted is returned with its answer, for the transaction of who asked.
"""

import functools
import inspect
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar, cast

import attrs
import orjson

from ...protocol.names import AgentId
from ...storage.admission import Candidate
from ...storage.records import Agent, Submission, Worker
from ..causes import words_of
from ..metrics.families import RunMetrics, timed
from ..user_code import UserCode, UserCodeFailed
from .effects import Effect, GrantsOver
from .errors import HookFailed
from .items import ItemSource
from .judging import Judged, Judging
from .names import HOOKS, HookName, metric_name
from .views import AgentView, AssignmentView, RunView, UnitView, worker_view

log = logging.getLogger(__name__)

T = TypeVar("T")
DATA_BYTES_MAX = 1024 * 1024  # what a hook hands to a page; more belongs into the page's files
Note = Callable[[str, Exception, AgentId | None], Awaitable[None]]
"""Keep an error for the author: what was being done, the error, whose it was."""


@attrs.frozen
class Known:
    """A worker with their grants as storage has them."""

    worker: Worker
    grants: Mapping[str, int]


@attrs.frozen
class Reply(Generic[T]):
    """What a hook answered, and what it granted."""

    answer: T
    effects: tuple[Effect, ...] = ()
    judged: Judged | None = None
    """What it said of the agent's work."""


class Hooks:
    """One per LiveRun. Ask only those that `has` names. Every method raises HookFailed."""

    def __init__(
        self,
        functions: Mapping[HookName, Callable[..., Any]],
        run: RunView,
        user_code: UserCode,
        metrics: RunMetrics,
        note: Note,
        limit_s: float | None = None,
    ) -> None:
        """`limit_s` is for all hooks, instead of each one's own."""
        self._functions = functions
        self._run = run
        self._user_code = user_code
        self._metrics = metrics
        self._note = note
        self._limit_s = limit_s
        screening = functions.get(HookName.SCREENING_UNITS)
        self._screening = None if screening is None else ItemSource(screening, user_code)

    def has(self, hook: HookName) -> bool:
        """Whether the run defines it."""
        return hook in self._functions

    @property
    def names(self) -> frozenset[HookName]:
        """All that the run defines."""
        return frozenset(self._functions)

    # --- onboarding and pages

    async def onboarding_data(self, known: Known) -> Reply[dict[str, Any]]:
        """What the worker's onboarding page is filled with."""
        return await self._ask_about(HookName.ONBOARDING_DATA, known, _table)

    async def validate_onboarding(self, known: Known, data: Any) -> Reply[bool]:
        """Whether what the worker submitted passes."""
        return await self._ask_about(HookName.VALIDATE_ONBOARDING, known, _yes_or_no, data)

    async def init_data(self, known: Known, agent: Agent, candidate: Candidate) -> Any:
        """What the worker's page is given for its unit, instead of the row."""
        return (await self._ask_of(HookName.INIT_DATA, known, agent, candidate, None, _json)).answer

    # --- which unit

    async def worker_can_do_units(self, known: Known, page: Sequence[Candidate]) -> Reply[list[bool]]:
        """For each of these units, whether the worker may do it."""
        function = self._functions[HookName.WORKER_CAN_DO_UNIT]
        units = self._units(page)

        @functools.wraps(function)
        def each(worker: Any) -> Any:
            return [function(worker, unit) for unit in units]

        @functools.wraps(function)
        async def each_async(worker: Any) -> Any:
            return [await function(worker, unit) for unit in units]

        asked = each_async if inspect.iscoroutinefunction(function) else each
        return await self._ask_about(HookName.WORKER_CAN_DO_UNIT, known, _all_yes_or_no, function=asked)

    async def filter_units_for_worker(
        self, known: Known, page: Sequence[Candidate]
    ) -> Reply[list[Candidate]]:
        """Those of these units that the worker may do."""
        return await self._ask_for_units(HookName.FILTER_UNITS_FOR_WORKER, known, page)

    async def rank_units(self, known: Known, page: Sequence[Candidate]) -> Reply[list[Candidate]]:
        """These units, the one to be given first in front; what is left out is not given."""
        return await self._ask_for_units(HookName.RANK_UNITS, known, page)

    # --- screening and gold

    async def worker_needs_screening(self, known: Known) -> Reply[bool]:
        """Whether the worker is screened."""
        return await self._ask_about(HookName.WORKER_NEEDS_SCREENING, known, _yes_or_no)

    async def should_generate_unit(self, known: Known) -> Reply[bool]:
        """Whether a screening unit is made for the worker, or a real one given in its place."""
        return await self._ask_about(HookName.SHOULD_GENERATE_UNIT, known, _yes_or_no)

    async def screening_unit(self, number: int) -> dict[str, Any] | None:
        """The item of `screening_units` with this number, from 0; None when there are fewer."""
        assert self._screening is not None
        with timed(self._metrics.external[metric_name(HookName.SCREENING_UNITS)]):
            try:
                item = await self._screening.item(number, self._limit(HookName.SCREENING_UNITS))
                return None if item is None else _read(item, _table)
            except (UserCodeFailed, ValueError) as exc:
                raise await self._failure(HookName.SCREENING_UNITS, exc, None) from exc

    async def worker_needs_gold(self, known: Known, counts: Any) -> Reply[bool]:
        """Whether the worker's next unit is to be one whose answer is known."""
        return await self._ask_about(HookName.WORKER_NEEDS_GOLD, known, _yes_or_no, counts)

    async def gold_for_worker(self, known: Known) -> Reply[dict[str, Any] | None]:
        """The data of a gold unit for the worker; None: there is none (any more)."""
        return await self._ask_about(HookName.GOLD_FOR_WORKER, known, _table_or_none)

    async def worker_qualifies(self, known: Known, counts: Any) -> Reply[bool]:
        """Whether the worker may go on, by what they did with gold units."""
        return await self._ask_about(HookName.WORKER_QUALIFIES, known, _yes_or_no, counts)

    # --- after a unit

    async def on_unit_submitted(
        self, known: Known, agent: Agent, candidate: Candidate, submission: Submission
    ) -> Reply[bool | None]:
        """Called for a finished unit; its answer judges a screening or gold unit; None: not judged."""
        return await self._ask_of(HookName.ON_UNIT_SUBMITTED, known, agent, candidate, submission, _verdict)

    async def note_failure(self, hook: HookName, exc: Exception, agent_id: AgentId | None = None) -> None:
        """Keep for the author that a hook failed, or that what it said could not be done."""
        ids = {"run": self._run.id} | ({} if agent_id is None else {"agent": agent_id})
        log.error("the hook %s failed: %s", hook.value, exc, extra=ids)
        await self._note(hook.value, exc, agent_id)

    # --- how they are called

    async def _ask_for_units(
        self, hook: HookName, known: Known, page: Sequence[Candidate]
    ) -> Reply[list[Candidate]]:
        units = self._units(page)
        by_id = {candidate.unit.id: candidate for candidate in page}

        def chosen(said: Any) -> list[Candidate]:
            return [by_id[unit_id] for unit_id in _unit_ids(said, by_id)]

        grants = GrantsOver(known.grants)
        worker = worker_view(known.worker, self._run, grants)
        return Reply(await self._call(hook, (units, worker), chosen), grants.effects())

    async def _ask_about(
        self,
        hook: HookName,
        known: Known,
        read: Callable[[Any], T],
        *more: Any,
        function: Callable[..., Any] | None = None,
    ) -> Reply[T]:
        grants = GrantsOver(known.grants, HOOKS[hook].may_grant)
        worker = worker_view(known.worker, self._run, grants)
        answer = await self._call(hook, (worker, *more), read, function=function)
        return Reply(answer, grants.effects())

    async def _ask_of(
        self,
        hook: HookName,
        known: Known,
        agent: Agent,
        candidate: Candidate,
        submission: Submission | None,
        read: Callable[[Any], T],
    ) -> Reply[T]:
        grants = GrantsOver(known.grants, HOOKS[hook].may_grant)
        worker = worker_view(known.worker, self._run, grants)
        (unit,) = self._units([candidate])
        judging = None if submission is None else Judging()
        view = AgentView(worker, unit, agent, submission, judging)
        answer = await self._call(hook, (view,), read, agent.id)
        return Reply(answer, grants.effects(), None if judging is None else judging.said)

    def _limit(self, hook: HookName) -> float:
        return HOOKS[hook].limit_s if self._limit_s is None else self._limit_s

    def _units(self, page: Sequence[Candidate]) -> list[UnitView]:
        return [UnitView(AssignmentView(self._run, each.assignment), each.unit) for each in page]

    async def _call(
        self,
        hook: HookName,
        given: Sequence[Any],
        read: Callable[[Any], T],
        agent_id: AgentId | None = None,
        function: Callable[..., Any] | None = None,
    ) -> T:
        function = function or self._functions[hook]
        asked = (
            self._user_code.run_async if inspect.iscoroutinefunction(function) else self._user_code.run_sync
        )
        with timed(self._metrics.external[metric_name(hook)]):
            try:
                return _read(await asked(function, *given, limit_s=self._limit(hook)), read)
            except (UserCodeFailed, ValueError) as exc:
                raise await self._failure(hook, exc, agent_id) from exc

    async def _failure(self, hook: HookName, exc: Exception, agent_id: AgentId | None) -> HookFailed:
        await self.note_failure(hook, exc, agent_id)
        return HookFailed(hook, str(exc))


def _read(said: Any, read: Callable[[Any], T]) -> T:
    """What a hook returned, in our terms; ValueError. To look at an author's objects may run their code."""
    try:
        return read(said)
    except ValueError:
        raise
    except Exception as exc:
        raise ValueError(f"returned what cannot be read: {type(exc).__name__}: {words_of(exc)}") from exc


def _yes_or_no(said: Any) -> bool:
    if not isinstance(said, bool):
        raise ValueError(f"must return True or False, not {_shown(said)}")
    return said


def _all_yes_or_no(said: Any) -> list[bool]:
    return [_yes_or_no(each) for each in cast(list[Any], said)]


def _verdict(said: Any) -> bool | None:
    if said is not None and not isinstance(said, bool):
        raise ValueError(f"must return True, False or None, not {_shown(said)}")
    return said


def _json(said: Any) -> Any:
    """What can go to a page."""
    try:
        packed = orjson.dumps(said)
    except (TypeError, orjson.JSONEncodeError) as exc:
        raise ValueError(f"must return what JSON can hold: {exc}") from exc
    if len(packed) > DATA_BYTES_MAX:
        raise ValueError(f"returned {len(packed)} bytes; at most {DATA_BYTES_MAX} go to a page")
    return orjson.loads(packed)


def _table(said: Any) -> dict[str, Any]:
    if not isinstance(said, dict):
        raise ValueError(f"must return a dict, not {_shown(said)}")
    copied: dict[str, Any] = _json(said)
    return copied


def _table_or_none(said: Any) -> dict[str, Any] | None:
    return None if said is None else _table(said)


def _unit_ids(said: Any, known: Mapping[Any, Any]) -> list[Any]:
    if not isinstance(said, list | tuple):
        raise ValueError(f"must return a list of units, not {_shown(said)}")
    ids = [getattr(unit, "id", None) for unit in cast(Sequence[Any], said)]
    if strange := [each for each in ids if each not in known]:
        raise ValueError(f"returned what is none of the units it was given: {_shown(strange[0])}")
    return list(dict.fromkeys(ids))


def _shown(said: Any) -> str:
    """Shortened; an author's own __repr__ may fail, too."""
    try:
        return repr(said)[:100]
    except Exception:
        # The boundary to the author's code: a value that cannot even be shown.
        return type(said).__name__
