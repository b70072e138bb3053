"""The SQLite body: one file, one writing connection, group commit."""

from .check import check_store
from .connecting import accept
from .engine import OnCommit, open_inline, open_threads
from .lives import SqliteLives
from .people import SqlitePeople
from .runs import SqliteRuns
from .telling import SqliteTelling
from .terms import SqliteTerms

__all__ = ["OnCommit", "SqliteStorage", "accept", "check_store", "open_inline", "open_threads"]


class SqliteStorage(SqliteRuns, SqliteLives, SqlitePeople, SqliteTelling, SqliteTerms):
    """`Storage` in an SQLite database."""
