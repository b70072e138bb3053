"""In which order a run gives its units: what storage is told of it. Decides nothing."""

import itertools
from collections.abc import Iterable, Iterator

from ..protocol.names import QueueOrder
from .admission import Order, OrderFault, priority_rank, random_rank
from .admission_config import Choice
from .blueprints.contract import Row
from .blueprints.live_contract import LiveRules

ROWS_CHECKED_MAX = 1_000_000  # a blueprint's rows may be endless
FAULTS_SHOWN_MAX = 5

_QUEUES = {
    Order.FIFO: QueueOrder.FIFO,
    Order.RANKED: QueueOrder.FIFO,  # by the author's code, a page of units in the order they came at a time
    Order.RANDOM: QueueOrder.RANKED,
    Order.PRIORITY: QueueOrder.RANKED,
    Order.LEAST_COVERED: QueueOrder.LEAST_COVERED,
}


def queue_of(choice: Choice, live: LiveRules | None) -> QueueOrder:
    """How storage keeps the free units of a run with this choice, of a blueprint with these rules."""
    if live is not None and live.group is not None:
        return QueueOrder.GROUPED
    return _QUEUES[choice.order]


def ranks_of(choice: Choice, number: int, row: Row) -> list[int]:
    """Of each unit of this row, smaller first; none where storage goes by other things. OrderFault."""
    match choice.order:
        case Order.RANDOM:
            return [random_rank(choice.seed, number, index) for index in range(len(row.unit_data))]
        case Order.PRIORITY:
            return [priority_rank(choice.column or "", {**row.shared, **own}) for own in row.unit_data]
        case Order.FIFO | Order.LEAST_COVERED | Order.RANKED:
            return []


def order_faults(choice: Choice, rows: Iterable[Row]) -> list[str]:
    """Rows that have no place in the order, said before the launch."""
    return list(itertools.islice(_faults(choice, rows), FAULTS_SHOWN_MAX))


def _faults(choice: Choice, rows: Iterable[Row]) -> Iterator[str]:
    if choice.order is not Order.PRIORITY:
        return
    for number, row in enumerate(itertools.islice(rows, ROWS_CHECKED_MAX)):
        try:
            ranks_of(choice, number, row)
        except OrderFault as exc:
            yield f"choice.column: row {number + 1} of the data: {exc}"
