"""Export records as CSV: nested data flattened, cells that a spreadsheet would run made harmless."""

import csv
import io
from collections.abc import AsyncIterable, Iterable, Mapping
from typing import Any

import orjson

from .errors import ControlError

COLUMNS_MAX = 2000  # more is data with names in it; a spreadsheet would not open it anyway
LEVELS_MAX = 4  # deeper data stays JSON in one cell

FORMULA_BEGINNINGS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What makes a spreadsheet take a cell's text for a formula (or skip white space to find one)."""

Cell = str | int | float


async def find_columns(records: AsyncIterable[Mapping[str, Any]]) -> tuple[list[str], int]:
    """Every column that any record has, in order of appearance, and the last agent seen."""
    columns: dict[str, None] = {}
    last = 0
    async for record in records:
        columns.update(dict.fromkeys(cells_of(record)))
        last = record["agent_id"]
        if len(columns) > COLUMNS_MAX:
            raise ControlError(
                422,
                "too_many_columns",
                f"There are over {COLUMNS_MAX} columns.",
                "Export it as jsonl.",
            )
    return list(columns), last


def cells_of(record: Mapping[str, Any]) -> dict[str, Cell]:
    """The record's columns: maps become `a.b`, lists stay JSON, `data.inputs` is `inputs`."""
    flat: dict[str, Cell] = {}
    for key, value in record.items():
        if key == "data":
            for part, content in value.items():
                _flatten(part, content, flat, 1)
        elif value not in (None, {}, []) or key == "files":
            _flatten(key, value, flat, 1)
    return flat


def _flatten(name: str, value: Any, into: dict[str, Cell], level: int) -> None:
    match value:
        case {**parts} if parts and level < LEVELS_MAX:
            for key, content in parts.items():
                _flatten(f"{name}.{key}", content, into, level + 1)
        case _:
            into[name] = _cell(value)


def _cell(value: Any) -> Cell:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | float() | str():
            return value
        case _:
            return orjson.dumps(value).decode()


def csv_line(cells: Iterable[Cell]) -> bytes:
    """One line as RFC 4180 has it; text that begins like a formula gets an apostrophe before it."""
    line = io.StringIO()
    csv.writer(line).writerow([_harmless(cell) for cell in cells])
    return line.getvalue().encode("utf-8", "backslashreplace")


def _harmless(cell: Cell) -> Cell:
    if isinstance(cell, str) and cell.startswith(FORMULA_BEGINNINGS):
        return f"'{cell}"
    return cell
