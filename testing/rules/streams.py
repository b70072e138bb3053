"""Rule (c): live updates arrive once, in order and unchanged, in both directions; nothing is lost on the way.

Stored is what user code is given, in the order of numbers. What a page was told to be stored may be dropped
only if its agent was over by then. Pages of mephisto-task never resend: what they said arrives at most once.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import attrs

from ...protocol.names import LIVE_AGENT, AgentStatus
from ...storage.records import LiveUpdate
from ..history import Assured, Ok, Operation, Saw, Spoke, update_digest
from .case import Case, Rule, Violation

_LIVE = {status.value for status in LIVE_AGENT}


@attrs.define
class _Stream:
    """All that is known about one agent's live updates."""

    subject: str
    incoming: list[LiveUpdate] = attrs.Factory(list[LiveUpdate])
    outgoing: list[LiveUpdate] = attrs.Factory(list[LiveUpdate])
    spoke: dict[str, list[Spoke]] = attrs.Factory(lambda: defaultdict[str, list[Spoke]](list))
    """By client: one browser each."""
    assured: dict[str, int] = attrs.Factory(lambda: defaultdict[str, int](int))
    """By page stream: the highest number that was called stored."""
    saw: dict[str, list[Saw]] = attrs.Factory(lambda: defaultdict[str, list[Saw]](list))
    """By page load."""


def check_streams(case: Case) -> Iterator[Violation]:
    """Compare what pages said and saw with what is stored, agent by agent."""
    streams = _streams(case)
    for key, stream in streams.items():
        texts = [*_count_faults(stream), *_saw_faults(stream), *_order_faults(stream)]
        if stream.spoke and case.everyone:
            texts += _origin_faults(stream)
        texts += [*_promise_faults(case, key, stream)]
        yield from (Violation(Rule.STREAM, stream.subject, text) for text in texts)


def _streams(case: Case) -> dict[str, _Stream]:
    streams = defaultdict[str, _Stream](lambda: _Stream("an unknown agent"))
    keys = {f"agent {agent.id}": key for key, agent in case.agents.items()}
    keys |= {f"onboarding {agent.id}": key for key, agent in case.onboarding.items()}
    for update in sorted(case.facts.updates, key=lambda update: update.number):
        subject = f"{'onboarding' if update.onboarding else 'agent'} {update.agent_id}"
        stream = streams[keys.get(subject, subject)]
        (stream.outgoing if update.outgoing else stream.incoming).append(update)
    for entry in case.entries:
        match entry:
            case Spoke():
                streams[entry.agent].spoke[entry.client].append(entry)
            case Assured():
                assured = streams[entry.agent].assured
                assured[entry.page] = max(assured[entry.page], entry.number)
            case Saw():
                streams[entry.agent].saw[entry.load].append(entry)
            case _:
                pass
    for subject, key in keys.items():
        if key in streams:
            streams[key].subject = subject
    return streams


def _count_faults(stream: _Stream) -> Iterator[str]:
    for direction, updates in (("from", stream.incoming), ("to", stream.outgoing)):
        numbers = [update.number for update in updates]
        if numbers != list(range(1, len(numbers) + 1)):
            yield f"updates {direction} it are {numbers}"
        elif len({update.update_id for update in updates}) < len(updates):
            yield f"updates {direction} it have one id twice"


# --- what pages said ---------------------------------------------------------------------------------------


def _origin_faults(stream: _Stream) -> Iterator[str]:
    """Everything stored was said, in these words."""
    said: defaultdict[tuple[str, object], set[str]] = defaultdict(set)
    for spoken in stream.spoke.values():
        for one in spoken:
            said[one.page, one.number if one.page else one.update_id].add(one.digest)
    for update in stream.incoming:
        digests = said[_place(update)]
        if not digests:
            yield f"update {update.number} from it was never said"
        elif update_digest(update.update) not in digests:
            yield f"update {update.number} from it was said in other words"


def _order_faults(stream: _Stream) -> Iterator[str]:
    """What of a browser's words is stored is stored in their order: a beginning of them, without a hole."""
    for spoken in stream.spoke.values():
        counted = [(one.page, one.number) for one in spoken if one.page]
        mine = set[tuple[str, object]](counted)
        stored = [place for update in stream.incoming if (place := _place(update)) in mine]
        if stored != counted[: len(stored)]:
            yield f"{counted} were said, {stored} are stored"
        yield from _sent_once_faults(stream, [one.update_id for one in spoken if not one.page])


def _sent_once_faults(stream: _Stream, sent: Sequence[str]) -> Iterator[str]:
    """Of an unchanged page: in the order of sending; some may be lost, one that broke off is sent again."""
    there = set(sent)
    rest = iter(sent)
    for update in stream.incoming:
        if not update.page and update.update_id in there and update.update_id not in rest:
            yield f"update {update.number} from it was sent before one that is stored earlier"
            return


def _promise_faults(case: Case, key: str, stream: _Stream) -> Iterator[str]:
    """What a page was told to be stored is stored, and all that was said before a submission was taken."""
    last: defaultdict[str, int] = defaultdict(int)
    for update in stream.incoming:
        last[update.page] = max(last[update.page], update.page_number)
    if _is_live(case, key):
        for page, number in stream.assured.items():
            if last[page] < number:
                yield f"its page was told that {number} of {page} is stored; {last[page]} are"
    if key not in case.agents or _was_over_before(case, key):
        return
    for call in case.calls_of(Operation.SUBMIT):
        if call.invoke.agent == key and isinstance(call.answer, Ok):
            for one in stream.spoke.get(call.invoke.client, ()):
                if one.page and one.at < call.invoke.at and one.number > last[one.page]:
                    yield f"{one.number} of {one.page} was said before the answer and is not stored"


def _is_live(case: Case, key: str) -> bool:
    """Whether what its page says is still taken in."""
    if key in case.onboarding:
        return case.onboarding[key].status is AgentStatus.ONBOARDING
    return key in case.agents and case.agents[key].status in LIVE_AGENT


def _was_over_before(case: Case, key: str) -> bool:
    """Whether the agent had ended when its answer was taken: what its page said meanwhile is dropped."""
    agent = case.agents[key]
    moves = [entry for entry in case.facts.history if entry.kind == "agent" and entry.subject_id == agent.id]
    late = {agent_id for agent_id in case.unsteady if agent_id == agent.id}
    done = AgentStatus.COMPLETED.value
    return bool(late) or any(move.after == done and move.before not in _LIVE for move in moves)


def _place(update: LiveUpdate) -> tuple[str, object]:
    return (update.page, update.page_number) if update.page else ("", update.update_id)


# --- what pages saw ----------------------------------------------------------------------------------------


def _saw_faults(stream: _Stream) -> Iterator[str]:
    """Each page load saw the first, the second and so on; only answers to calls may be left out."""
    stored = {update.number: update for update in stream.outgoing}
    calls = {number for number, update in stored.items() if "handles" in update.update}
    for load, seen in stream.saw.items():
        last = 0
        for one in seen:
            if one.number <= last or {*range(last + 1, one.number)} - calls:
                yield f"page load {load} was given {one.number} after {last}"
            if one.number not in stored:
                yield f"page load {load} was given {one.number}, which is not stored"
            elif update_digest(stored[one.number].update) != one.digest:
                yield f"page load {load} was given {one.number} in other words"
            last = one.number
