"""Random work given to the memory body and to SQLite: same answers, same errors, same history, no breach."""

from collections.abc import Sequence
from typing import Any

import attrs
import trio
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from crowdd.protocol.names import (
    AgentId,
    AgentStatus,
    QueueOrder,
    RunId,
    RunState,
    UnitId,
    UnitStatus,
    WireId,
    WorkerId,
)
from crowdd.storage.admission import NewDecision, NewOnboarding, NewSpecial, WorkerFacts
from crowdd.storage.contract import Arrival, ChangeRun, NewRows, Registration, Storage
from crowdd.storage.records import LateAnswer
from crowdd.storage.writes import (
    AddReview,
    AddSubmission,
    AddToGrant,
    LatePaid,
    MoveAgent,
    MoveOnboarding,
    MoveRun,
    MoveUnit,
    OweLate,
    SetDue,
    TakeBack,
    Write,
)

from .both import QUICK, WHO, Both
from .world import AT_WORK, LATER, NOW, new_run, rows

RUNS = st.integers(1, 2).map(RunId)
ONE_RUN = st.sampled_from([1, 1, 1, 1, 1, 1, 1, 2]).map(RunId)
WORKERS = st.sampled_from([1, 1, 2, 2, 3, 3, 4]).map(WorkerId)
AGENTS = st.integers(1, 6).map(AgentId)
UNITS = st.integers(1, 8).map(UnitId)
LABELS = st.sampled_from(["a", "b"])
QUALIFICATIONS = st.sampled_from(["trained", "fast", ""])
LINKS = st.sampled_from(["x", "y", "shared"])
PATHS = st.sampled_from([(AgentStatus.NONE,), AT_WORK, AT_WORK, ()])
LIMITS = st.just(0) | st.integers(1, 3)
EXPECTATIONS = st.dictionaries(QUALIFICATIONS, st.none() | st.integers(0, 2), max_size=1)
ONBOARDED = st.sampled_from(
    [AgentStatus.ONBOARDING, AgentStatus.ONBOARDING, AgentStatus.WAITING, AgentStatus.DISCONNECT]
)
RANKS = st.just(list[int]()) | st.lists(st.integers(-1, 2), min_size=2, max_size=3)
CHOICES: st.SearchStrategy[dict[str, Any]] = (
    st.just(dict[str, Any]())
    | st.fixed_dictionaries({"candidates": st.lists(UNITS, max_size=3)})
    | st.fixed_dictionaries(
        {"special": st.builds(NewSpecial, st.sampled_from([-1, -2, 0]), st.just({}), LINKS, st.just(3))}
    )
    | st.fixed_dictionaries({"expect": EXPECTATIONS})
    | st.fixed_dictionaries({"grants": EXPECTATIONS})
)


async def _two_pages(storage: Storage, run: RunId, worker: WorkerId, limit: int) -> Any:
    first = await storage.candidates(run, worker, limit=limit)
    return [first, await storage.candidates(run, worker, after=first[-1] if first else None)]


async def _who_goes_on(storage: Storage, run: RunId, link: str, barred: bool | None) -> Any:
    await storage.put_fact("books", "blocked", barred)
    last = await storage.last_of_link(run, link)
    if last is None:
        return None
    return await storage.last_of_link(run, link, last.agent.wire_id, ("books", "blocked"))


class SameLives(Both):
    """Units and agents."""

    @initialize(queue=st.sampled_from(QueueOrder))
    def begin_with_work(self, queue: QueueOrder) -> None:
        self.begin(queue)

    @rule(
        run=ONE_RUN,
        worker=WORKERS,
        link=LINKS,
        after=st.just("") | LINKS,
        path=PATHS,
        limits=st.tuples(LIMITS, LIMITS),
        wire=st.integers(1, 40),
        choice=CHOICES,
    )
    def reserve(
        self,
        run: RunId,
        worker: WorkerId,
        link: str,
        after: str,
        path: Sequence[AgentStatus],
        limits: tuple[int, int],
        wire: int,
        choice: dict[str, Any],
    ) -> None:
        wire_id = WireId(f"wire-{wire}")
        link = link if link == "shared" else f"{link}-{worker}"
        decision = NewDecision(run, worker, "admission", "admitted", None, {})
        registration = Registration(
            run, worker, wire_id, link, after, path, NOW, {}, *limits, decision=decision
        )
        self.take(attrs.evolve(registration, **choice))

    @rule(
        run=ONE_RUN,
        name=st.sampled_from(["ann", "dan", "eve", "fay"]),
        link=LINKS,
        fresh=st.booleans(),
        path=PATHS,
        wire=st.integers(1, 40),
        choice=st.none() | CHOICES,
    )
    def arrive_for_work(
        self,
        run: RunId,
        name: str,
        link: str,
        fresh: bool,
        path: Sequence[AgentStatus],
        wire: int,
        choice: dict[str, Any] | None,
    ) -> None:
        def choose(facts: WorkerFacts) -> Registration | None:
            if choice is None:
                return None
            decision = NewDecision(run, facts.worker.id, "admission", "admitted", None, {})
            chosen = Registration(run, facts.worker.id, WireId(f"wire-{wire}"), link, "", path, NOW)
            return attrs.evolve(chosen, decision=decision, **choice)

        link = link if fresh else f"{link}-{name}"  # of one who is new, or nobody's but theirs
        arrival = Arrival(run, "mock", name, {}, choose, link if fresh else None)
        self.both(lambda s: s.arrive(arrival, NOW))
        self.both(lambda s: s.last_of_link(run, link))

    @rule(run=ONE_RUN, worker=WORKERS, link=LINKS, barred=st.sampled_from([None, None, True, False]))
    def look_at_who_goes_on(self, run: RunId, worker: WorkerId, link: str, barred: bool | None) -> None:
        link = link if link == "shared" else f"{link}-{worker}"
        self.both(lambda s: _who_goes_on(s, run, link, barred))

    @rule(run=ONE_RUN, worker=WORKERS, limit=st.integers(0, 4))
    def look(self, run: RunId, worker: WorkerId, limit: int) -> None:
        self.both(lambda s: s.worker_facts(run, worker))
        self.both(lambda s: s.special_digests(run, worker, -2))
        self.both(lambda s: _two_pages(s, run, worker, limit))

    @rule(worker=WORKERS, reason=st.sampled_from(["blocked", "max_for_task"]))
    def refuse(self, worker: WorkerId, reason: str) -> None:
        decision = NewDecision(RunId(1), worker, "admission", "refused", reason, {})
        self.both(lambda s: s.record_decision(decision, NOW))

    @rule(
        run=ONE_RUN,
        first=st.none() | st.integers(0, 4),
        number=st.integers(0, 3),
        units=st.integers(1, 3),
        ranks=RANKS,
        launched=st.booleans(),
    )
    def add_assignments(
        self, run: RunId, first: int | None, number: int, units: int, ranks: list[int], launched: bool
    ) -> None:
        made = {each.id: each.rows_made for each in trio.run(self.memory.runs)}
        new = rows(made.get(run, 0) if first is None else first, number, units)
        new = [attrs.evolve(row, ranks=ranks[:units]) for row in new]
        made_by = "launch_assignments" if launched else "add_assignments"
        self.both(lambda s: getattr(s, made_by)(run, new, False, NOW))

    @rule(run=ONE_RUN, count=st.integers(0, 5))
    def launch_units(self, run: RunId, count: int) -> None:
        self.both(lambda s: s.launch_units(run, count, NOW))

    @rule(worker=WORKERS, rarely=st.integers(0, 9))
    def close(self, worker: WorkerId, rarely: int) -> None:
        if rarely == 9:
            self.both(lambda s: s.expire_units(RunId(1), LATER, *WHO))
        else:
            self.both(lambda s: s.set_blocked(worker, rarely == 8, NOW, *WHO))

    @rule(
        pick=st.integers(0, 9),
        then=st.sampled_from(
            ["submit", "give back", "give back", "give up", "shut down", "come back", "review", "take back"]
        ),
    )
    def go_on(self, pick: int, then: str) -> None:
        agents = trio.run(self.memory.agents, RunId(1))
        if not agents:
            return
        chosen = agents[pick % len(agents)]
        agent, unit_id, status = chosen.id, chosen.unit_id, chosen.status
        writes: dict[str, list[Write]] = {
            "submit": [
                AddSubmission(agent, b"{}", [], "digest"),
                MoveAgent(agent, status, AgentStatus.COMPLETED, *WHO),
                MoveUnit(unit_id, UnitStatus.ASSIGNED, UnitStatus.COMPLETED, *WHO, agent),
            ],
            "give back": [
                MoveAgent(agent, status, AgentStatus.RETURNED, *WHO),
                MoveUnit(unit_id, UnitStatus.ASSIGNED, UnitStatus.LAUNCHED, *WHO, agent, release=True),
            ],
            "give up": [
                MoveAgent(agent, status, AgentStatus.RETURNED, *WHO),
                MoveUnit(unit_id, UnitStatus.ASSIGNED, UnitStatus.EXPIRED, *WHO, agent, release=True),
            ],
            "shut down": [
                SetDue(agent, NOW),
                MoveAgent(agent, status, AgentStatus.DISCONNECT, *WHO, "shutdown", LATER),
            ],
            "come back": [MoveAgent(agent, status, AgentStatus.IN_TASK, *WHO)],
            "take back": [
                AddSubmission(agent, b"{}", [], "digest", late=True),
                MoveAgent(agent, status, AgentStatus.COMPLETED, *WHO),
                TakeBack(unit_id, agent, *WHO),
                MoveUnit(unit_id, UnitStatus.ASSIGNED, UnitStatus.COMPLETED, *WHO, agent),
            ],
            "review": [AddReview(agent, AgentStatus.APPROVED, "staff:ada")],
        }
        self.both(lambda s: s.commit(writes[then], LATER))
        again = [*writes[then], *writes["give back"]]
        self.both(lambda s: s.commit_for(chosen.wire_id, lambda agent, unit: again, LATER))

    @rule(
        wire=st.integers(1, 40),
        moves=st.lists(
            st.builds(
                MoveAgent,
                AGENTS,
                st.sampled_from(AgentStatus),
                st.sampled_from(AgentStatus),
                st.just("x"),
                st.just("y"),
            )
            | st.builds(
                MoveUnit,
                UNITS,
                st.sampled_from(UnitStatus),
                st.sampled_from(UnitStatus),
                st.just("x"),
                st.just("y"),
                st.none() | AGENTS,
                st.booleans(),
            ),
            max_size=3,
        ),
    )
    def commit_anything(self, wire: int, moves: list[Write]) -> None:
        self.both(lambda s: s.commit(moves, LATER))
        self.both(lambda s: s.commit_for(WireId(f"wire-{wire}"), lambda agent, unit: moves, LATER))


class SameRest(Both):
    """Runs, people, and what is told."""

    @initialize()
    def begin_with_agents(self) -> None:
        self.begin()
        for worker in (WorkerId(1), WorkerId(2)):
            wire_id = WireId(f"wire-{worker}")
            registration = Registration(RunId(1), worker, wire_id, wire_id, "", (AgentStatus.NONE,), None)
            self.take(registration)

    @rule(label=LABELS, launch=LABELS, blueprint=st.sampled_from(["static", "static", "live"]))
    def create_run(self, label: str, launch: str, blueprint: str) -> None:
        new = new_run(label, launch_id=launch, blueprint=blueprint)
        self.both(lambda s: s.create_run(new, NOW, "staff:ada"))

    @rule(run=RUNS, before=st.sampled_from(RunState), after=st.sampled_from(RunState))
    def move_run(self, run: RunId, before: RunState, after: RunState) -> None:
        self.both(lambda s: s.commit([MoveRun(run, before, after, *WHO)], LATER))

    @rule(run=RUNS, agent=st.none() | AGENTS, digest=LINKS)
    def add_late(self, run: RunId, agent: AgentId | None, digest: str) -> None:
        name = WireId("from before")
        if agent is not None:
            known = [each for each in trio.run(self.memory.agents, run) if each.id == agent]
            if not known:
                return  # a late answer is always of its run's agent
            name = known[0].wire_id
        late = LateAnswer(0, run, agent, name, True, b"{}", [], digest, "too late", NOW)
        self.both(lambda s: s.add_late(late))

    @rule(number=st.integers(1, 4), cents=st.integers(0, 2))
    def owe_late(self, number: int, cents: int) -> None:
        self.both(lambda s: s.commit([OweLate(number, cents, None, "staff:ada")], LATER))
        self.both(lambda s: s.late_answer(number))

    @rule(number=st.integers(1, 4))
    def late_is_paid(self, number: int) -> None:
        self.both(lambda s: s.commit([LatePaid(number)], LATER))

    @rule(run=RUNS, paused=st.booleans())
    def pause(self, run: RunId, paused: bool) -> None:
        self.both(lambda s: s.set_paused(run, paused, NOW, *WHO))

    @rule(
        run=RUNS,
        guess=st.sampled_from([new_run().config, {"a": 1}]),
        pay=st.none() | st.integers(0, 50),
        rows=st.none() | st.builds(NewRows, LINKS, LINKS, st.integers(0, 3)),
    )
    def change_run(self, run: RunId, guess: dict[str, Any], pay: int | None, rows: NewRows | None) -> None:
        change = ChangeRun(run, guess, {"a": 1}, [("a=0", "a=1"), (None, "more")], pay, rows)
        self.both(lambda s: s.change_run(change, NOW, *WHO))
        self.both(lambda s: s.added_rows(run))

    @rule(name=st.sampled_from(["ann", "bob", "cid", ""]))
    def register_worker(self, name: str) -> None:
        self.join(name)

    @rule(run=RUNS, name=st.sampled_from(["ann", "bob", "cid", "dan", ""]))
    def arrive(self, run: RunId, name: str) -> None:
        self.both(lambda s: s.arrive(Arrival(run, "mock", name), NOW))

    @rule(name=QUALIFICATIONS, worker=WORKERS, value=st.integers(0, 2))
    def grant(self, name: str, worker: WorkerId, value: int) -> None:
        self.both(lambda s: s.grant(name, worker, value, NOW, *WHO))

    @rule(name=QUALIFICATIONS, worker=WORKERS)
    def revoke(self, name: str, worker: WorkerId) -> None:
        self.both(lambda s: s.revoke(name, worker, NOW, *WHO))

    @rule(name=QUALIFICATIONS, worker=WORKERS, by=st.integers(-1, 2))
    def add_to_grant(self, name: str, worker: WorkerId, by: int) -> None:
        self.both(lambda s: s.commit([AddToGrant(name, worker, by, *WHO)], NOW))
        self.both(lambda s: s.worker_facts(RunId(1), worker))

    @rule(names=st.lists(QUALIFICATIONS, max_size=2))
    def ensure_qualifications(self, names: list[str]) -> None:
        self.both(lambda s: s.ensure_qualifications(dict.fromkeys(names), NOW))

    @rule(
        worker=WORKERS,
        link=LINKS,
        after=st.just("") | LINKS,
        wire=st.integers(1, 9),
        expect=EXPECTATIONS,
        grants=EXPECTATIONS,
    )
    def onboard(
        self,
        worker: WorkerId,
        link: str,
        after: str,
        wire: int,
        expect: dict[str, int | None],
        grants: dict[str, int | None],
    ) -> None:
        wire_id = WireId(f"onboarding_{wire}")
        decision = NewDecision(RunId(1), worker, "onboarding", "onboard", None, {})
        new = NewOnboarding(
            RunId(1), worker, wire_id, link, after, NOW, expect=expect, grants=grants, decision=decision
        )
        self.both(lambda s: s.begin_onboarding(new, NOW))
        self.both(lambda s: s.onboarding_of_link(RunId(1), link))
        self.both(lambda s: s.live_onboarding_agents(RunId(1)))

    @rule(agent=AGENTS, before=ONBOARDED, after=ONBOARDED, data=st.none() | st.integers(0, 2))
    def move_onboarding(
        self, agent: AgentId, before: AgentStatus, after: AgentStatus, data: int | None
    ) -> None:
        self.both(lambda s: s.commit([MoveOnboarding(agent, before, after, *WHO, data=data)], LATER))

    @rule(name=QUALIFICATIONS)
    def create_qualification(self, name: str) -> None:
        self.both(lambda s: s.create_qualification(name, None, NOW))

    @rule(name=QUALIFICATIONS)
    def delete_qualification(self, name: str) -> None:
        self.both(lambda s: s.delete_qualification(name, NOW, "staff:ada"))

    @rule(agent=AGENTS, digest=LINKS)
    def tell(self, agent: AgentId, digest: str) -> None:
        self.both(lambda s: s.add_metadata(agent, "log", {"digest": digest}, [], digest, NOW))

    @rule(run=RUNS, agent=st.none() | AGENTS)
    def report(self, run: RunId, agent: AgentId | None) -> None:
        self.both(lambda s: s.add_error(run, agent, "page", {}, NOW))

    @rule(scope=LINKS, key=LINKS, value=st.none() | st.integers(0, 3))
    def keep_fact(self, scope: str, key: str, value: int | None) -> None:
        self.both(lambda s: s.put_fact(scope, key, value))
        self.both(lambda s: s.facts(scope))


SameLives.TestCase.settings = QUICK
SameRest.TestCase.settings = QUICK
TestSameLives = SameLives.TestCase
TestSameRest = SameRest.TestCase
