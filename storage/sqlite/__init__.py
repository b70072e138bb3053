"""The SQLite body: one file, one writing connection, group commit."""

from .assignments import SqliteAssignments
from .auditing import SqliteAuditing
from .backup import copy_store, restore_store
from .check import check_store
from .connecting import OnStep, accept
from .decisions import SqliteDecisions
from .engine import OnCommit, open_inline, open_threads
from .late import SqliteLate
from .lease import SqliteLease
from .live import SqliteLive
from .lives import SqliteLives
from .onboarding import SqliteOnboarding
from .people import SqlitePeople
from .reserving import SqliteReserving
from .runs import SqliteRuns
from .tasks import SqliteTasks
from .telling import SqliteTelling
from .terms import SqliteTerms
from .units import SqliteUnits

__all__ = [
    "OnCommit",
    "OnStep",
    "SqliteStorage",
    "accept",
    "check_store",
    "copy_store",
    "open_inline",
    "open_threads",
    "restore_store",
]


class SqliteStorage(
    SqliteTasks,
    SqliteRuns,
    SqliteAssignments,
    SqliteUnits,
    SqliteTerms,
    SqliteLives,
    SqliteLate,
    SqliteLive,
    SqliteReserving,
    SqliteOnboarding,
    SqliteDecisions,
    SqlitePeople,
    SqliteTelling,
    SqliteAuditing,
    SqliteLease,
):
    """`Storage` in an SQLite database."""
