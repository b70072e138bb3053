"""Rule (a): every acknowledged answer is stored once with the same content; every stored one was sent.

What a router called submitted and came too late to count is stored beside: that is not lost.
"""

from collections import Counter
from collections.abc import Iterator

from ...daemon.grouping import is_simulated
from ...protocol.documents import canonical_json
from ...storage.records import LateAnswer, Metadata, Submission
from ..history import Ok, Operation, Refused, answer_digest
from .case import Call, Case, Rule, Violation


def check_submissions(case: Case) -> Iterator[Violation]:
    """Compare what pages were told about their answers with what is stored."""
    for call in case.calls_of(Operation.SUBMIT):
        yield from _check_submit(case, call)
    for key, stored in case.submissions.items():
        if len(stored) > 1:
            yield Violation(Rule.SUBMISSION, key, f"stored {len(stored)} times")
    if case.everyone:
        yield from _check_stored_was_sent(case)


def check_metadata(case: Case) -> Iterator[Violation]:
    """What was told beside the answer and acknowledged is stored once."""
    stored = Counter(
        (case.keys.get(note.agent_id, ""), _metadata_digest(note)) for note in case.facts.metadata
    )
    for call in case.calls_of(Operation.METADATA):
        late = [one for one in case.late[call.invoke.agent, False] if _late_digest(one) == call.invoke.digest]
        found = stored[call.invoke.agent, call.invoke.digest] + len(late)
        if isinstance(call.answer, Ok) and found != 1:
            text = f"metadata of {call.invoke.call} was acknowledged and is stored {found} times"
            yield Violation(Rule.SUBMISSION, call.invoke.agent, text)


def _check_submit(case: Case, call: Call) -> Iterator[Violation]:
    key, sent = call.invoke.agent, call.invoke.digest
    digests = [submission_digest(one) for one in case.submissions.get(key, [])]
    late = [_late_digest(one) for one in case.late[key, True]]
    match call.answer:
        case Ok() if late.count(sent) > 1:
            yield Violation(
                Rule.SUBMISSION, key, f"{call.invoke.call} is kept {late.count(sent)} times as late"
            )
        case Ok() if sent in late:
            pass
        case Ok() if not digests:
            yield Violation(Rule.SUBMISSION, key, f"{call.invoke.call} was acknowledged and is not stored")
        case Ok() if sent not in digests:
            text = f"{call.invoke.call} was acknowledged and other content is stored"
            yield Violation(Rule.SUBMISSION, key, text)
        case Refused(reason=reason) if sent in digests:
            text = f"{call.invoke.call} was refused ({reason}) and is stored all the same"
            yield Violation(Rule.ANSWER, key, text)
        case _:
            pass


def _check_stored_was_sent(case: Case) -> Iterator[Violation]:
    sent = {(call.invoke.agent, call.invoke.digest) for call in case.calls_of(Operation.SUBMIT)}
    by_program = {key for key, agent in case.agents.items() if is_simulated(agent)}
    for key, stored in case.submissions.items():
        for one in stored:
            if key not in by_program and (key, submission_digest(one)) not in sent:
                yield Violation(Rule.SUBMISSION, key, "what is stored was never sent")
    for (key, is_answer), kept in case.late.items():
        for late in kept:
            if is_answer and (key, _late_digest(late)) not in sent:
                yield Violation(Rule.SUBMISSION, key, "what is kept as late was never sent")


def submission_digest(stored: Submission) -> str:
    """The digest of what is really there, whatever the record says about itself."""
    return answer_digest(stored.data, [note.sha256 for note in stored.files])


def _late_digest(late: LateAnswer) -> str:
    return answer_digest(late.data, [note.sha256 for note in late.files])


def _metadata_digest(note: Metadata) -> str:
    return answer_digest(canonical_json(note.data), [file.sha256 for file in note.files])
