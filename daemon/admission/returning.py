"""What a page gets whose link had an agent before: that agent, its end, or the way to a next one. Pure.

A link leads to one thing at a time. While an agent of it lives, every tab and device gets that one; once it
has ended, a page that says so (`after`) goes on to admission, and any other is shown how it ended.
"""

import enum
from collections.abc import Callable, Sequence

import attrs

from ...protocol.names import LIVE_AGENT, AgentStatus


class Return(enum.Enum):
    """What is done about a page that comes by a link."""

    ADMISSION = "admission"
    AGENT = "the same agent, with its data"
    REJOIN = "the same agent, at work again"
    TRY_LATER = "refused: try_later"
    NOT_THEIRS = "refused: identity_unverified"
    FINISHED = 'its final page, with "Next"'
    ENDED = "refused, with why it ended"


@attrs.frozen
class Last:
    """The newest agent (onboarding or not) that a link had, and what the page says that comes by it."""

    status: AgentStatus
    theirs: bool = True
    """False: the link led another worker to it. Some providers believe pages, and links get about."""
    onboarding: bool = False
    may_rejoin: bool = False
    """A shutdown disconnected it, and its unit was kept."""
    closing: bool = False
    """The daemon is stopping: nobody is taken up again."""
    says_after: bool = True
    """False: an unchanged page, which cannot say which agent it has finished."""
    goes_on: bool = False
    """The page says that it has finished this very agent."""

    @property
    def live(self) -> bool:
        """Whether it may still work."""
        return self.status in LIVE_AGENT


@attrs.frozen
class ReturnRow:
    """One line of the table."""

    when: str
    applies: Callable[[Last], bool]
    then: Return


_JUDGED = frozenset({AgentStatus.APPROVED, AgentStatus.REJECTED})

RETURN_TABLE: Sequence[ReturnRow] = (
    ReturnRow(
        "it is another worker's, unless it has ended and the page says so",
        lambda last: not last.theirs and (last.live or last.may_rejoin or not last.goes_on),
        Return.NOT_THEIRS,
    ),
    ReturnRow(
        "a shutdown disconnected it, its unit is kept, but the daemon is stopping",
        lambda last: last.may_rejoin and last.closing,
        Return.TRY_LATER,
    ),
    ReturnRow(
        "a shutdown disconnected it, and its unit is kept",
        lambda last: last.may_rejoin,
        Return.REJOIN,
    ),
    ReturnRow("it lives", lambda last: last.live, Return.AGENT),
    ReturnRow(
        "it was an onboarding, passed or failed: what follows is decided anew",
        lambda last: last.onboarding and last.status in _JUDGED,
        Return.ADMISSION,
    ),
    ReturnRow("the page says that it has finished this agent", lambda last: last.goes_on, Return.ADMISSION),
    ReturnRow(
        "an unchanged page, which has no way to go on",
        lambda last: not last.says_after,
        Return.ENDED,
    ),
    ReturnRow("otherwise", lambda last: True, Return.FINISHED),
)


def returning(last: Last | None) -> Return:
    """What a page gets; None: its link had no agent yet."""
    if last is None:
        return Return.ADMISSION
    return next(row.then for row in RETURN_TABLE if row.applies(last))
