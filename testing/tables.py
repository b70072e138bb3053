"""The daemon's tables of statuses, in the form that the checker takes."""

from ..daemon.lifecycle import AGENT_NEXT, UNIT_NEXT
from .checker import Tables

DAEMON_TABLES = Tables(
    agent={status: frozenset(moves.values()) for status, moves in AGENT_NEXT.items()},
    unit=UNIT_NEXT,
)
