"""The next rows of a run, made ready to be stored. Blocks: the code of an author may give them."""

import hashlib
import time
from collections.abc import Iterator, Sequence

import attrs

from ..protocol.documents import canonical_json
from ..storage.contract import NewAssignment
from .admission import OrderFault
from .admission_config import Choice
from .blueprints.contract import Row
from .unit_order import ranks_of
from .user_code import UserCodeFailed


@attrs.frozen
class Batch:
    """How much is taken at a time: so many rows, of so many units together, as far as they come soon."""

    rows: int
    units: int
    """Rows are alike: one more is taken while it has room if it is like the last. The first one always is."""
    patience_s: float


def some_rows(rows: Iterator[Row], batch: Batch) -> tuple[list[Row], bool]:
    """The next rows, and whether there are no more."""
    taken: list[Row] = []
    units = 0
    until = time.monotonic() + batch.patience_s
    while len(taken) < batch.rows:
        row = next(rows, None)
        if row is None:
            return taken, True
        taken.append(row)
        units += len(row.unit_data)
        if units + len(row.unit_data) > batch.units or time.monotonic() > until:
            break
    return taken, False


def some_assignments(
    rows: Iterator[Row], batch: Batch, first: int, choice: Choice, pay_cents: int
) -> tuple[Sequence[NewAssignment], bool]:
    """The same as what is made of them, where the first has this number. UserCodeFailed: one has no rank."""
    taken, done = some_rows(rows, batch)
    return [_assignment(row, number, choice, pay_cents) for number, row in enumerate(taken, first)], done


def row_digest(row: Row) -> str:
    """SHA-256 of the canonical row, in hex: tells whether a resumed generator gives the same again."""
    return hashlib.sha256(canonical_json([row.shared, row.unit_data])).hexdigest()


def _assignment(row: Row, number: int, choice: Choice, pay_cents: int) -> NewAssignment:
    try:
        ranks = ranks_of(choice, number, row)
    except OrderFault as exc:
        raise UserCodeFailed(f"row {number + 1} of the data: {exc}") from exc
    return NewAssignment(number, row_digest(row), row.shared, row.unit_data, pay_cents, ranks)
