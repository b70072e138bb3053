"""Parameters of the query that more than one endpoint knows."""

from typing import Annotated, Any

from .endpoint import Query
from .questions import NUMBER_MAX, PAGE_ROWS, PAGE_ROWS_MAX

Number = Annotated[int, {"minimum": 0, "maximum": NUMBER_MAX}]
PAGE = (
    Query("after", Number, "The last number that was seen; 0 from the beginning."),
    Query(
        "limit",
        Annotated[int, {"minimum": 1, "maximum": PAGE_ROWS_MAX, "default": PAGE_ROWS}],
        "At most so many.",
    ),
)
WORKER = Query(
    "worker", str, "A worker's number, PROVIDER:NAME, or a name that only one of them has.", needed=True
)
OVERRIDES = Query("set", str, "KEY=VALUE instead of what task.toml says.", many=True)


def statuses(kind: Any) -> Query:
    """Those of this enum that are wanted; none: all."""
    return Query("status", kind, "Only these.", many=True)
