"""What every rule looks at: the calls of a history, the facts of a store, and indexes over both."""

import enum
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import groupby

import attrs

from ...protocol.names import LIVE_AGENT, AgentStatus, UnitStatus
from ...storage.records import Agent, LateAnswer, OnboardingAgent, Submission
from ..facts import StoreFacts
from ..history import Entry, Invoke, Ok, Operation, Refused, Unknown, agent_key

_GONE = {
    status.value
    for status in (AgentStatus.DISCONNECT, AgentStatus.TIMEOUT, AgentStatus.RETURNED, AgentStatus.EXPIRED)
}
_BACK = {status.value for status in LIVE_AGENT | {AgentStatus.COMPLETED}}


class Rule(enum.Enum):
    """Which promise was broken; the letters are those of the reliability notes."""

    SUBMISSION = "a: what was acknowledged is stored once, unchanged"
    UNIT = "b: a unit is held by one agent at a time and completed once"
    STREAM = "c: live updates arrive once, in order, as they were said"
    PATH = "d: statuses move along the table"
    ANSWER = "answers never contradict each other or the store"
    ADMISSION = "nobody is let in who must not be, no cap is passed, each answer counts once, all is recorded"
    REVIEW = "an agent, its unit and its newest review say the same"
    LIVENESS = "f: every request is answered in time and no unit is lost"


@attrs.frozen
class Violation:
    """One promise broken: which, about what, and the evidence."""

    rule: Rule
    subject: str
    text: str


@attrs.frozen
class Tables:
    """Which status may follow which."""

    agent: Mapping[AgentStatus, Collection[AgentStatus]]
    unit: Mapping[UnitStatus, Collection[UnitStatus]]
    onboarding: Mapping[AgentStatus, Collection[AgentStatus]] = attrs.Factory(
        dict[AgentStatus, Collection[AgentStatus]]
    )


@attrs.frozen
class Call:
    """One request and what came of it; None: nothing (yet)."""

    invoke: Invoke
    answer: Ok | Refused | Unknown | None


@attrs.frozen(slots=False)  # cached_property keeps its value in __dict__
class Case:
    """A history, a store, and the figures that the rules judge by."""

    entries: Sequence[Entry]
    facts: StoreFacts
    tables: Tables
    healed_at: float
    """From when on, by the history's clock, nothing was broken on purpose."""
    answer_s: float
    """How long after healing a request may stay without a definite answer."""
    hold_s: float
    """How long one call may stay without any answer, at any time."""
    everyone: bool
    """True: no other client than those of the history spoke to the run."""

    @cached_property
    def calls(self) -> list[Call]:
        answers = {entry.call: entry for entry in self.entries if isinstance(entry, Ok | Refused | Unknown)}
        return [Call(entry, answers.get(entry.call)) for entry in self.entries if isinstance(entry, Invoke)]

    def calls_of(self, operation: Operation) -> Iterator[Call]:
        return (call for call in self.calls if call.invoke.operation is operation)

    @cached_property
    def agents(self) -> dict[str, Agent]:
        """By the key that clients use."""
        return {agent_key(agent.wire_id): agent for agent in self.facts.agents}

    @cached_property
    def keys(self) -> dict[int, str]:
        """Keys by the number that the store uses."""
        return {agent.id: key for key, agent in self.agents.items()}

    @cached_property
    def onboarding(self) -> dict[str, OnboardingAgent]:
        """By the key that clients use."""
        return {agent_key(agent.wire_id): agent for agent in self.facts.onboarding}

    @cached_property
    def submissions(self) -> dict[str, list[Submission]]:
        """By agent key."""
        stored = sorted(self.facts.submissions, key=lambda one: self.keys.get(one.agent_id, ""))
        grouped = groupby(stored, lambda one: self.keys.get(one.agent_id, f"agent {one.agent_id}"))
        return {key: list(group) for key, group in grouped}

    @cached_property
    def late(self) -> dict[tuple[str, bool], list[LateAnswer]]:
        """What came too late to count, by agent key and whether it is a final answer."""
        grouped: defaultdict[tuple[str, bool], list[LateAnswer]] = defaultdict(list)
        for one in self.facts.late:
            grouped[agent_key(one.wire_id), one.is_answer].append(one)
        return grouped

    @cached_property
    def unsteady(self) -> set[int]:
        """Agents (by number) that were ended and came back, or whose answer came late."""
        moves = [entry for entry in self.facts.history if entry.kind == "agent"]
        returned = {move.subject_id for move in moves if move.before in _GONE and move.after in _BACK}
        late = {one.agent_id for one in self.facts.late if one.agent_id is not None}
        return returned | late | {one.agent_id for one in self.facts.submissions if one.late}

    @cached_property
    def ends_at(self) -> float:
        """When the history ends."""
        return max((entry.at for entry in self.entries), default=0.0)
