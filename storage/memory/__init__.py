"""The memory body: everything in dicts, nothing survives the process. For tests and simulation."""

from .lives import MemoryLives
from .people import MemoryPeople
from .runs import MemoryRuns
from .tables import Tables
from .telling import MemoryTelling
from .terms import MemoryTerms

__all__ = ["MemoryStorage", "Tables"]


class MemoryStorage(MemoryRuns, MemoryLives, MemoryPeople, MemoryTelling, MemoryTerms):
    """`Storage` in dicts; never blocks, so it may run under a virtual clock."""
