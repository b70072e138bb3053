"""Compares what clients were told with what a store holds, and names every promise that was broken."""

from collections.abc import Sequence
from itertools import chain

from .facts import StoreFacts
from .history import Entry
from .rules.admission import check_admission
from .rules.answers import check_answers
from .rules.case import Case, Rule, Tables, Violation
from .rules.liveness import check_calls_answered, check_requests_settled, check_units_at_rest
from .rules.paths import check_paths
from .rules.reviews import check_reviews
from .rules.streams import check_streams
from .rules.submissions import check_metadata, check_submissions
from .rules.units import check_units

__all__ = ["Rule", "Tables", "Violation", "check_history"]

ANSWER_S = 30.0  # P3: a registration is answered or told when to come back in so long
HOLD_S = 75.0  # a submission may be held for 60 s while the daemon is away; and the way there and back


def check_history(
    entries: Sequence[Entry],
    facts: StoreFacts,
    tables: Tables,
    *,
    healed_at: float = 0.0,
    answer_s: float = ANSWER_S,
    hold_s: float = HOLD_S,
    everyone: bool = True,
) -> list[Violation]:
    """Every violation of every rule; an empty list means that all promises held as far as these show.

    `facts` must be read after the last client came to rest. `healed_at` is by the clock of the history.
    With `everyone=False` others than the history's clients may have used the run, too.
    """
    case = Case(entries, facts, tables, healed_at, answer_s, hold_s, everyone)
    rules = (
        check_submissions,
        check_metadata,
        check_units,
        check_streams,
        check_paths,
        check_answers,
        check_admission,
        check_reviews,
        check_calls_answered,
        check_requests_settled,
        check_units_at_rest,
    )
    return list(chain.from_iterable(rule(case) for rule in rules))
