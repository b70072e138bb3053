"""What a router's word about an agent means, beside what the daemon knows. Pure.

The daemon's status is the truth; a router may tell no more than that a page is there or gone. Gone changes
nothing by itself: static work keeps its unit for all of its time.
"""

import enum

from ...protocol.names import LIVE_AGENT, AgentStatus

PRESENT, AWAY = "present", "away"


class Sync(enum.Enum):
    """What is done about it."""

    NOTHING = "nothing"
    CORRECT = "tell the page the daemon's status"
    UNKNOWN = "note it, and skip it"


def sync(reported: str, status: AgentStatus) -> Sync:
    """`status` is the agent's; `reported` the router's word: presence, or a status it takes the agent for."""
    if reported == PRESENT:
        return Sync.NOTHING if status in LIVE_AGENT else Sync.CORRECT
    if reported in (AWAY, AgentStatus.DISCONNECT.value, status.value):
        return Sync.NOTHING
    if reported == AgentStatus.COMPLETED.value:  # a submission is under way: correcting it would undo it
        return Sync.NOTHING
    return Sync.CORRECT if reported in AgentStatus._value2member_map_ else Sync.UNKNOWN
