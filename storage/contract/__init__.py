"""What every body of storage (memory, SQLite, later PostgreSQL) promises, a module a theme. Holds no code.

Promises of every method:
- A method that writes is one transaction: all of it or nothing, durable when it returns (SQLite:
  `synchronous=FULL`), with one history entry per change of state in the same transaction.
- Every write first checks that the lease row still has this storage's epoch; else `LeaseLost`, nothing is
  written.
- Cancelled before its transaction began: nothing happened. After: the commit is awaited, then `Cancelled`.
- `StaleWrite` when a guard did not match; `NotFound` for the id of what is asked for or changed, when it is
  not there; `Duplicate` for a unique rule broken; `InvalidRecord` for a bad value, or a reference inside a
  new record to what does not exist. Nothing is written then.
- `StorageFull` when the disk is full: nothing happened. `StorageFailed` when disk or database failed in any
  other way: nothing definite is known, every later write fails as well; end the process.
- `now` is wall-clock time, an aware UTC datetime; `who` and `why` go to history as they are.
- Reading writes nothing; `NotFound` for `X(id)` that is not there.
- Lists are ordered by id ascending; `after`/`limit` page through them.
"""

from .auditing import AuditingContract
from .decisions import DecisionsContract
from .late import LateContract
from .lease import LeaseContract
from .live import Heard, LiveContract
from .lives import Bar, ExportRow, LastOfLink, LivesContract, Plan
from .onboarding import OnboardingContract
from .people import PeopleContract
from .reserving import Arrival, Arrived, Choose, NotReserved, Registration, Reserved, ReservingContract
from .runs import NewAssignment, NewRun, RunCounts, RunsContract
from .telling import TellingContract
from .terms import ChangeRun, NewRows, TermsContract

__all__ = [
    "Arrival",
    "Arrived",
    "Bar",
    "ChangeRun",
    "Choose",
    "ExportRow",
    "Heard",
    "LastOfLink",
    "NewAssignment",
    "NewRows",
    "NewRun",
    "NotReserved",
    "Plan",
    "Registration",
    "Reserved",
    "RunCounts",
    "Storage",
]


class Storage(
    RunsContract,
    TermsContract,
    LivesContract,
    LateContract,
    LiveContract,
    ReservingContract,
    OnboardingContract,
    DecisionsContract,
    PeopleContract,
    TellingContract,
    AuditingContract,
    LeaseContract,
):
    """One open store, held by one daemon."""

    epoch: int
    """The lease epoch of this opening: higher than that of every opening before."""
