"""The daemon's tables of statuses, in the form that the checker takes."""

from ..daemon.lifecycle import AGENT_NEXT, UNIT_NEXT
from ..daemon.lifecycle.onboarding import ONBOARDING_NEXT
from ..protocol.names import AgentStatus
from .checker import Tables

DAEMON_TABLES = Tables(
    agent={status: frozenset(moves.values()) for status, moves in AGENT_NEXT.items()},
    unit=UNIT_NEXT,
    onboarding={
        # Who had submitted before a shutdown waits on: see `next_onboarding_status`.
        status: {*moves.values(), *([AgentStatus.WAITING] if status is AgentStatus.DISCONNECT else [])}
        for status, moves in ONBOARDING_NEXT.items()
    },
)
