"""What a row of data means: the units of one assignment. And which of it a page may see."""

from typing import Any, TypeGuard

from attrs import validators

from ...protocol.documents import check_document
from ...protocol.errors import RemoteProtocolError
from .contract import Row

HIDDEN_PREFIX = "_"
"""Keys that begin so stay on the server: they are stored and exported, and never sent to a page."""
UNITS_PER_ROW_MAX = 10_000
UNITS_PER_ROW = (validators.ge(1), validators.le(UNITS_PER_ROW_MAX))
"""What an option says that gives a row so many units."""
_SPLIT = ("shared", "unit_data")


class RowFault(ValueError):
    """The row cannot become units; says why, without its place."""


def row_of(value: Any, units_per_assignment: int) -> Row:
    """The assignment that one row stands for. RowFault.

    A row is shared data for `units_per_assignment` equal units, or {shared, unit_data: [...]} with one unit
    for each element of `unit_data`.
    """
    if not _is_object(value):
        raise RowFault(f"must be an object with names and values, not {_kind(value)}")
    try:
        check_document(value)
    except RemoteProtocolError as exc:
        raise RowFault(str(exc)) from exc
    if "unit_data" in value:
        return _split_row(value)
    return Row(value, [{} for _ in range(units_per_assignment)])


def _split_row(value: dict[str, Any]) -> Row:
    if strange := sorted(set(value) - set(_SPLIT)):
        raise RowFault(f"{strange[0]!r} is beside 'unit_data': put what the units share into 'shared'")
    shared, unit_data = value.get("shared", {}), value["unit_data"]
    if not _is_object(shared):
        raise RowFault(f"'shared' must be an object, not {_kind(shared)}")
    if not _is_list(unit_data) or not unit_data:
        raise RowFault("'unit_data' must be a list with one object for each unit")
    if len(unit_data) > UNITS_PER_ROW_MAX:
        raise RowFault(f"'unit_data' has {len(unit_data)} units; at most {UNITS_PER_ROW_MAX} are possible")
    for number, own in enumerate(unit_data, 1):
        if not _is_object(own):
            raise RowFault(f"unit {number} of 'unit_data' must be an object, not {_kind(own)}")
    return Row(shared, unit_data)


def page_view(value: Any) -> Any:
    """The value without anything under a key that begins with "_", however deep."""
    if _is_object(value):
        return {key: page_view(inner) for key, inner in value.items() if not key.startswith(HIDDEN_PREFIX)}
    if _is_list(value):
        return [page_view(inner) for inner in value]
    return value


def _is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def _is_list(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def _kind(value: Any) -> str:
    names: dict[Any, str] = {
        str: "text",
        bool: "true or false",
        int: "a number",
        float: "a number",
        list: "a list",
    }
    return names.get(type(value), "nothing" if value is None else type(value).__name__)
