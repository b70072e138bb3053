"""How a change of state becomes an entry of the history. Pure; every body of storage writes the same."""

from collections.abc import Sequence
from datetime import datetime

import attrs

from ..protocol.names import AgentStatus, RunId
from .records import Agent, HistoryEntry, OnboardingAgent, TaskRun, Unit
from .rows import dump_enum


@attrs.frozen
class Hand:
    """Who changes something, when and why: what all entries of one write share."""

    who: str
    why: str
    at: datetime

    def entry(
        self, kind: str, subject_id: int, run_id: RunId | None, before: str | None, after: str
    ) -> HistoryEntry:
        """One change of state, without its id."""
        return HistoryEntry(0, self.at, self.who, kind, subject_id, run_id, before, after, self.why)

    def run(self, old: TaskRun | None, new: TaskRun) -> HistoryEntry:
        """A run begun or moved."""
        return self.entry("run", new.id, new.id, dump_enum(old.state) if old else None, dump_enum(new.state))

    def pause(self, run_id: RunId, paused: bool) -> HistoryEntry:
        """A run paused, or going on again."""
        states = ("open", "paused") if paused else ("paused", "open")
        return self.entry("pause", run_id, run_id, *states)

    def config(self, run_id: RunId, before: str | None, after: str) -> HistoryEntry:
        """Something changed about a run, in words."""
        return self.entry("config", run_id, run_id, before, after)

    def deletion(self, run_id: RunId, before: str | None, after: str) -> HistoryEntry:
        """A run that goes, or is gone; not an entry of the run, for those go with it."""
        return self.entry("deletion", run_id, None, before, after)

    def unit(self, old: Unit | None, new: Unit) -> HistoryEntry:
        """A unit made or moved."""
        before = dump_enum(old.status) if old else None
        return self.entry("unit", new.id, new.run_id, before, dump_enum(new.status))

    def agent(self, old: Agent, new: Agent) -> HistoryEntry:
        """An agent moved."""
        return self.entry("agent", new.id, new.run_id, dump_enum(old.status), dump_enum(new.status))

    def onboarding(self, old: OnboardingAgent | None, new: OnboardingAgent) -> HistoryEntry:
        """An onboarding agent made or moved."""
        before = dump_enum(old.status) if old else None
        return self.entry("onboarding", new.id, new.run_id, before, dump_enum(new.status))

    def path(self, agent: Agent, path: Sequence[AgentStatus]) -> list[HistoryEntry]:
        """A new agent: one entry per status it goes through at once."""
        afters = [*map(dump_enum, path)]
        return [
            self.entry("agent", agent.id, agent.run_id, before, after)
            for before, after in zip([None, *afters], afters, strict=False)
        ]

    def block(self, worker_id: int, blocked: bool) -> HistoryEntry:
        """A worker blocked or unblocked."""
        states = ("unblocked", "blocked") if blocked else ("blocked", "unblocked")
        return self.entry("worker", worker_id, None, *states)

    def qualification(self, number: int, before: str | None, after: str | None) -> HistoryEntry:
        """A qualification made, or (after None) deleted with its grants; both by name."""
        return self.entry("qualification", number, None, before, after or "deleted")

    def grant(self, name: str, worker_id: int, before: int | None, after: int | None) -> HistoryEntry:
        """A grant given, replaced, or (after None) taken away; the subject is the worker."""
        old = None if before is None else f"{name}={before}"
        return self.entry(
            "grant", worker_id, None, old, f"{name} revoked" if after is None else f"{name}={after}"
        )
