"""What is known about one worker who asks for work, and how more is found out. Decides nothing."""

from functools import partial
from typing import Any, TypeVar, assert_never

import attrs

from ..protocol.names import Reason, RunId, RunState, WorkerId
from ..storage.admission import Candidate, NewDecision, WorkerFacts
from ..storage.contract import NotReserved
from ..storage.records import GOLD_UNIT_INDEX, SCREENING_UNIT_INDEX, Worker
from .admission import (
    ADMISSION,
    PAGE_UNITS_MAX,
    UNIT_HOOKS,
    Answers,
    Facts,
    Item,
    Page,
    Question,
    Refuse,
    Rules,
    Special,
    SpecialKind,
    Standing,
    StorageSaid,
    named,
    outcome_of,
    to_json,
)
from .admission.decisions import Final
from .admission.facts import ERROR_CHARACTERS_MAX
from .admission_tools import Desk, Tools
from .hooks import HookFailed, HookName, Known, Reply
from .provider_calls import ProviderSilent, ask_provider
from .special_data import data_digest

T = TypeVar("T")
Answer = dict[str, Any]
"""Fields of `Answers` that are known now."""


class Inquiry:
    """One registration's. Lives no longer than the request."""

    def __init__(self, tools: Tools, desk: Desk, worker: Worker) -> None:
        self._t = tools
        self._desk = desk
        self.worker = worker
        self.facts = Facts(tools.rules)
        self.granted: dict[str, int | None] = {}
        """What hooks granted and (None) revoked, to be stored with the decision."""
        self.known = Known(worker, {})
        """The worker as hooks see them now."""
        self._stored: dict[str, int] = {}
        self._welcome = False
        self._last: Candidate | None = None
        self._data: dict[SpecialKind, dict[str, Any]] = {}

    async def read(self) -> None:
        """Read the facts, for the first time or anew; what was answered before is forgotten."""
        self.take(await self._t.storage.worker_facts(self._t.run.id, self.worker.id))

    def take(self, read: WorkerFacts, welcome: bool = False) -> None:
        """These are the facts now; `welcome`: and the provider admits the worker."""
        changed = self.facts.answers.said is not None
        rounds = self.facts.answers.rounds + (1 if changed else 0)
        self.worker, self.known, self._last = read.worker, Known(read.worker, read.grants), None
        self._stored, self.granted = dict(read.grants), {}
        self._welcome = welcome
        self.facts = facts_of(read, self._t.rules, Answers(rounds=rounds), self._desk.closed())

    async def learn(self, question: Question) -> None:
        """Put the answer to the facts, or that there was none."""
        if question is Question.FACTS:
            await self.read()
            return
        try:
            answer = await self._ask(question)
        except HookFailed as exc:  # who asked has noted it
            self.fail(str(exc))
        except ProviderSilent as exc:
            self.fail(str(exc))
            await self._desk.failed("asking the provider", exc)
        else:
            self._know(**answer, granted=named(self.granted, self._t.rules.names))

    def fail(self, why: str) -> None:
        """Nothing can be decided: something did not answer. What hooks granted is not kept."""
        self.granted = {}
        self._know(failed=why[:ERROR_CHARACTERS_MAX], granted={}, said=None)

    def storage_said(self, refusal: NotReserved) -> None:
        """The guarded transaction wrote nothing."""
        numbers = {name: value for name, value in refusal.facts.items() if type(value) is int}
        self._know(said=StorageSaid(refusal.reason, numbers))

    def data_of(self, special: Special) -> dict[str, Any]:
        """The data whose digest was decided upon."""
        return self._data[special.kind]

    def expected(self) -> dict[str, int | None]:
        """The grants that must be so still, those that hooks change among them."""
        changed = {name: self._stored.get(name) for name in self.granted}
        return {**self.facts.relied_on(), **changed}

    def _know(self, **answers: Any) -> None:
        self.facts = attrs.evolve(self.facts, answers=attrs.evolve(self.facts.answers, **answers))

    # --- one method a question

    async def _ask(self, question: Question) -> Answer:
        hooks, known = self._t.hooks, self.known
        match question:
            case Question.PROVIDER_ADMITS:
                return await self._provider()
            case Question.CANDIDATES:
                return {"pages": (*self.facts.answers.pages, await self._page())}
            case Question.QUALIFIES:
                return {"qualifies": self._heard(await hooks.worker_qualifies(known, self.facts.golds))}
            case Question.NEEDS_SCREENING:
                return {"needs_screening": self._heard(await hooks.worker_needs_screening(known))}
            case Question.GENERATES:
                return {"generates": self._heard(await hooks.should_generate_unit(known))}
            case Question.NEEDS_GOLD:
                return {"needs_gold": self._heard(await hooks.worker_needs_gold(known, self.facts.golds))}
            case Question.SCREENING_ITEM:
                return {"screening_item": self._item(SpecialKind.SCREENING, await self._screening_data())}
            case Question.GOLD_ITEM:
                return {"gold_item": self._item(SpecialKind.GOLD, await self._gold_data())}
            case Question.FACTS:
                raise AssertionError("facts are read, not asked for")
        assert_never(question)

    async def _provider(self) -> Answer:
        if self._welcome:  # said only once it is asked: what was decided before does not rely on it
            return {"provider_admits": True, "provider_refused": None}
        refused = await ask_provider("admits", partial(self._t.provider.admits, self.worker))
        return {"provider_admits": refused is None, "provider_refused": refused}

    async def _page(self) -> Page:
        """The next candidates, and what the hooks leave of them; without hooks, whether there is one."""
        limit = PAGE_UNITS_MAX if UNIT_HOOKS & self._t.rules.hooks else 1
        storage = self._t.storage
        seen = await storage.candidates(self._t.run.id, self.worker.id, after=self._last, limit=limit)
        if not seen:
            return Page(0, 0)
        self._last = seen[-1]
        kept = tuple(candidate.unit.id for candidate in await self._fitting(seen))
        return Page(len(seen), self._last.unit.id, kept, more=len(seen) == limit)

    async def _fitting(self, candidates: list[Candidate]) -> list[Candidate]:
        hooks = self._t.hooks
        if hooks.has(HookName.WORKER_CAN_DO_UNIT):
            can = self._heard(await hooks.worker_can_do_units(self.known, candidates))
            candidates = [candidate for candidate, may in zip(candidates, can, strict=True) if may]
        if candidates and hooks.has(HookName.FILTER_UNITS_FOR_WORKER):
            candidates = self._heard(await hooks.filter_units_for_worker(self.known, candidates))
        if candidates and hooks.has(HookName.RANK_UNITS):
            candidates = self._heard(await hooks.rank_units(self.known, candidates))
        return candidates

    async def _screening_data(self) -> dict[str, Any] | None:
        number = await self._t.storage.special_count(self._t.run.id, SCREENING_UNIT_INDEX)
        if self._t.hooks.has(HookName.SCREENING_UNITS):
            return await self._t.hooks.screening_unit(number)
        rows = self._t.rows.get(SpecialKind.SCREENING)
        return rows.by_number(number) if rows else None

    async def _gold_data(self) -> dict[str, Any] | None:
        if self._t.hooks.has(HookName.GOLD_FOR_WORKER):
            return self._heard(await self._t.hooks.gold_for_worker(self.known))
        seen = await self._t.storage.special_digests(self._t.run.id, self.worker.id, GOLD_UNIT_INDEX)
        rows = self._t.rows.get(SpecialKind.GOLD)
        return rows.unseen(seen, self._t.rng) if rows else None

    def _item(self, kind: SpecialKind, data: dict[str, Any] | None) -> Item:
        if data is None:
            return Item()
        self._data[kind] = data
        return Item(data_digest(data))

    def _heard(self, reply: Reply[T]) -> T:
        """The answer; what the hook granted is so from now on, for the next one as well."""
        if reply.effects:
            grants = dict(self.known.grants)
            for effect in reply.effects:
                self.granted[effect.name] = effect.value
                grants.pop(effect.name, None)
                if effect.value is not None:
                    grants[effect.name] = effect.value
            self.known = Known(self.worker, grants)
        return reply.answer


def facts_of(read: WorkerFacts, rules: Rules, answers: Answers, closed: Reason | None = None) -> Facts:
    """What is decided from; `closed`: why the daemon lets nobody in, whatever storage says."""
    return Facts(rules, _standing(read, rules), answers, closed or _closed(read))


def recorded(run_id: RunId, worker_id: WorkerId, decision: Final, facts: Facts) -> NewDecision:
    """An admission, as it is kept."""
    reason = decision.reason.value if isinstance(decision, Refuse) else None
    return NewDecision(run_id, worker_id, ADMISSION, outcome_of(decision).value, reason, to_json(facts))


def _standing(read: WorkerFacts, rules: Rules) -> Standing:
    return Standing(
        provider=read.worker.provider,
        blocked=read.worker.blocked,
        grants=named(read.grants, rules.names),
        holding=read.holding,
        task_units=read.task_units,
        onboarding=None if read.onboarding is None else read.onboarding.status,
        screening_units=read.screening_units,
        gold_units=read.gold_units,
        free_units=read.free_units,
    )


def _closed(read: WorkerFacts) -> Reason | None:
    if read.state is not RunState.RUNNING:
        return Reason.TRY_LATER if read.state is RunState.LAUNCHING else Reason.RUN_ENDED
    return Reason.PAUSED if read.paused else None
