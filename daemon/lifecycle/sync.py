"""What a router's word about an agent means, beside what the daemon knows. Pure.

The daemon's status is the truth; a router may tell no more than that a page is there or gone. What gone means
is the run's to say: static work keeps its unit for all of its time, unless it says `release_on_close`.
"""

import enum

from ...protocol.names import LIVE_AGENT, AgentStatus

PRESENT, AWAY = "present", "away"
_STATUSES = frozenset(status.value for status in AgentStatus)


class Sync(enum.Enum):
    """What is done about it."""

    NOTHING = "nothing"
    CORRECT = "tell the page the daemon's status"
    GONE = "nobody is at the page of an agent who lives"
    UNKNOWN = "note it, and skip it"


def sync(presence: str, shows: str | None, status: AgentStatus) -> Sync:
    """`status` is what the agent's page may be shown; `shows` what the router shows it, if it said so."""
    if presence not in (PRESENT, AWAY) or (shows is not None and shows not in _STATUSES):
        return Sync.UNKNOWN
    lives = status in LIVE_AGENT
    if lives and shows == AgentStatus.COMPLETED.value:
        return Sync.NOTHING  # a submission is under way: correcting it would undo it
    if lives and (presence == AWAY or shows == AgentStatus.DISCONNECT.value):
        return Sync.GONE
    shows_another = not lives if shows is None else shows != status.value
    return Sync.CORRECT if shows_another else Sync.NOTHING
