"""Answers never contradict each other or the store: registrations, returns, refusals."""

from collections import defaultdict
from collections.abc import Iterator

from ...protocol.names import AgentStatus, Reason, RunState
from ...storage.records import Agent
from ..history import Ok, Operation, Refused
from .case import Call, Case, Rule, Violation


def check_answers(case: Case) -> Iterator[Violation]:
    """Compare answers to registrations and returns with each other and with the store."""
    registered = [call for call in case.calls_of(Operation.REGISTER) if isinstance(call.answer, Ok)]
    for call in registered:
        yield from _check_registration(case, call)
    yield from _check_links(case, registered)
    yield from _check_unique(case)
    yield from _check_returns(case)
    yield from _check_refusals(case)


def _check_registration(case: Case, call: Call) -> Iterator[Violation]:
    assert isinstance(call.answer, Ok)
    agent = case.agents.get(call.answer.agent) or case.onboarding.get(call.answer.agent)
    if agent is None:
        text = f"{call.invoke.call} was answered with an agent that is not in the store"
        yield Violation(Rule.ANSWER, call.answer.agent, text)
    elif (
        isinstance(agent, Agent) and not call.answer.finished and call.invoke.after not in _chain(case, agent)
    ):
        text = f"{call.invoke.call} went on after {call.invoke.after}, which is not before this agent"
        yield Violation(Rule.ANSWER, call.answer.agent, text)


def _chain(case: Case, agent: Agent) -> set[str]:
    """After which agents the link may be given this one: those it had before, and "" for its beginning.

    A second page that is behind asks with an older one and is given the link's live agent. A page that took
    the agent for finished is given it again, if it really had ended and came back.
    """
    last = agent.id if agent.id in case.unsteady else agent.id - 1
    behind = [one for one in case.facts.agents if one.link == agent.link and one.id <= last]
    onboarded = {key for key, one in case.onboarding.items() if one.link == agent.link}
    return {"", *onboarded, *(case.keys[one.id] for one in behind)}


def _check_links(case: Case, registered: list[Call]) -> Iterator[Violation]:
    """The same registration has the same agent until that is over; one link's agents are of one link."""
    answered: defaultdict[str, list[Agent]] = defaultdict(list)
    for call in registered:
        assert isinstance(call.answer, Ok)
        if agent := case.agents.get(call.answer.agent):
            answered[call.invoke.link].append(agent)
    owners: dict[str, str] = {}
    for link, agents in answered.items():
        for stored in sorted({agent.link for agent in agents}):
            owner = owners.setdefault(stored, link)
            if owner != link:
                yield Violation(Rule.ANSWER, link, f"was given an agent of link {owner}")
        if len({agent.link for agent in agents}) > 1:
            yield Violation(Rule.ANSWER, link, "was given agents of several links")


def _check_unique(case: Case) -> Iterator[Violation]:
    """A link's next agent comes only after its last one has ended, and only one comes after each."""
    chains: defaultdict[str, list[Agent]] = defaultdict(list)
    for agent in case.facts.agents:
        chains[agent.link].append(agent)
    for link, agents in chains.items():
        afters = [agent.after for agent in agents]
        if len(set(afters)) < len(afters):
            ids = [agent.id for agent in agents]
            yield Violation(Rule.ANSWER, link, f"has two agents for one registration among {ids}")


def _check_returns(case: Case) -> Iterator[Violation]:
    moves = [entry for entry in case.facts.history if entry.after == AgentStatus.RETURNED.value]
    returned = {(entry.kind, entry.subject_id) for entry in moves}
    numbers = {key: ("agent", int(one.id)) for key, one in case.agents.items()}
    numbers |= {key: ("onboarding", int(one.id)) for key, one in case.onboarding.items()}
    for call in case.calls_of(Operation.RETURN):
        if isinstance(call.answer, Ok) and numbers.get(call.invoke.agent) not in returned:
            text = f"{call.invoke.call}: told that it was given back, and it was not"
            yield Violation(Rule.ANSWER, call.invoke.agent, text)


def _check_refusals(case: Case) -> Iterator[Violation]:
    for call in case.calls:
        match call.answer:
            case Refused(reason=Reason.UNKNOWN_AGENT.value) if call.invoke.agent in {
                *case.agents,
                *case.onboarding,
            }:
                text = f"{call.invoke.call}: told that nobody knows it, and it is in the store"
                yield Violation(Rule.ANSWER, call.invoke.agent, text)
            case Refused(reason=Reason.RUN_ENDED.value) if case.facts.run.state is RunState.RUNNING:
                text = f"{call.invoke.call}: told that the run has ended, and it is running"
                yield Violation(Rule.ANSWER, call.invoke.client, text)
            case _:
                pass
