"""The memory body: everything in dicts, nothing survives the process. For tests and simulation."""

from .auditing import MemoryAuditing
from .decisions import MemoryDecisions
from .late import MemoryLate
from .lease import MemoryLease
from .live import MemoryLive
from .lives import MemoryLives
from .onboarding import MemoryOnboarding
from .people import MemoryPeople
from .reserving import MemoryReserving
from .runs import MemoryRuns
from .tables import Tables
from .telling import MemoryTelling
from .terms import MemoryTerms

__all__ = ["MemoryStorage", "Tables"]


class MemoryStorage(
    MemoryRuns,
    MemoryTerms,
    MemoryLives,
    MemoryLate,
    MemoryLive,
    MemoryReserving,
    MemoryOnboarding,
    MemoryDecisions,
    MemoryPeople,
    MemoryTelling,
    MemoryAuditing,
    MemoryLease,
):
    """`Storage` in dicts; never blocks, so it may run under a virtual clock."""
