"""Why simulated workers saved nothing is told once for each reason."""

from crowdd.protocol.names import SENTENCES, Reason
from crowdd.testing.empty_hands import NOBODY, empty_handed
from crowdd.testing.history import GAVE_UP, LOST, History, Operation


def history() -> History:
    return History(clock=lambda: 0.0)


def test_who_finds_nobody_at_the_address_is_told_so() -> None:
    seen = history()
    seen.unknown(seen.invoke("ann", Operation.REGISTER), LOST)
    seen.unknown(seen.invoke("ann", Operation.REGISTER), GAVE_UP)
    assert empty_handed(seen.entries) == {NOBODY: 1}


def test_those_who_are_refused_are_counted_by_the_last_words_they_heard() -> None:
    seen = history()
    for worker in ("ann", "bob"):
        seen.refused(seen.invoke(worker, Operation.REGISTER), Reason.NO_MATCH.value)
        seen.refused(seen.invoke(worker, Operation.REGISTER), Reason.RUN_ENDED.value)
    assert empty_handed(seen.entries) == {SENTENCES[Reason.RUN_ENDED]: 2}


def test_who_saved_an_answer_is_not_told_of() -> None:
    seen = history()
    seen.refused(seen.invoke("ann", Operation.REGISTER), Reason.PAUSED.value)
    seen.ok(seen.invoke("ann", Operation.SUBMIT, agent="a"))
    seen.refused(seen.invoke("ann", Operation.REGISTER), Reason.RUN_ENDED.value)
    assert not empty_handed(seen.entries)
