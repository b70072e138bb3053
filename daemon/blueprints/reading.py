"""Reads a task's data lazily: JSON Lines, a JSON list, or CSV. Knows lines and files, not what rows mean."""

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import attrs

from ...protocol.documents import load_json
from ...protocol.errors import BadRequest
from .contract import BlueprintFault

ROW_BYTES_MAX = 4 * 1024 * 1024  # one row goes to a browser in one answer; larger data belongs in files
LIST_BYTES_MAX = 256 * 1024 * 1024  # a JSON list is read as a whole; more than this belongs in JSON Lines


@attrs.frozen
class Found:
    """One row as it stands in the data, and where."""

    where: str
    """For messages: "data.jsonl:7"."""
    value: Any


class DataFault(BlueprintFault):
    """One row, or the file from here on, cannot be read; the message begins with the place."""


def read_rows(path: Path) -> Iterator[Found | DataFault]:
    """Every row, in order; one that cannot be read comes as a DataFault in its place.

    DataFault is raised when the file itself is not to be read.
    """
    try:
        yield from _READERS[path.suffix](path)
    except OSError as exc:
        raise DataFault(f"{path.name}: cannot be read: {exc.strerror}") from exc
    except UnicodeDecodeError as exc:
        raise DataFault(f"{path.name}: is not UTF-8 (byte {exc.start}): save it as UTF-8") from exc


def _jsonl(path: Path) -> Iterator[Found | DataFault]:
    with path.open("rb") as file:
        number = 0
        while line := file.readline(ROW_BYTES_MAX + 1):
            number += 1
            where = f"{path.name}:{number}"
            if len(line) > ROW_BYTES_MAX:
                raise DataFault(f"{where}: is longer than {ROW_BYTES_MAX} bytes; put large data into files")
            if line.strip():
                yield _parsed(where, line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line)


def _parsed(where: str, text: bytes) -> Found | DataFault:
    try:
        return Found(where, load_json(text, ROW_BYTES_MAX))
    except BadRequest as exc:
        return DataFault(f"{where}: {exc.path + ': ' if exc.path else ''}{exc.why}")


def _json(path: Path) -> Iterator[Found | DataFault]:
    if path.stat().st_size > LIST_BYTES_MAX:
        raise DataFault(f"{path.name}: is larger than {LIST_BYTES_MAX} bytes; make it data.jsonl")
    text = _ListText(path.name, path.read_text(encoding="utf-8-sig"))
    text.take("[", "must be a list of rows: [ ... ]")
    if text.next_is("]"):
        return
    while True:
        yield text.value()
        if text.next_is("]"):
            return
        text.take(",", "a comma or the end of the list is missing")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON value")


class _ListText:
    """The text of a JSON list, taken bit by bit; knows the line it is at."""

    _decoder = json.JSONDecoder(parse_constant=_refuse_constant)

    def __init__(self, name: str, text: str) -> None:
        self._name = name
        self._text = text
        self._at = 0
        self._line = 1

    def next_is(self, sign: str) -> bool:
        self._skip_blanks()
        return self._text.startswith(sign, self._at)

    def take(self, sign: str, otherwise: str) -> None:
        """Go past `sign`, or raise a DataFault that says `otherwise`."""
        if not self.next_is(sign):
            raise DataFault(f"{self._name}:{self._line}: {otherwise}")
        self._at += len(sign)

    def value(self) -> Found:
        """The next value. DataFault: it is not JSON; what follows cannot be found then."""
        self._skip_blanks()
        where = f"{self._name}:{self._line}"
        try:
            value, end = self._decoder.raw_decode(self._text, self._at)
        except (ValueError, RecursionError) as exc:
            raise DataFault(f"{where}: is not JSON: {exc}") from exc
        self._go_to(end)
        return Found(where, value)

    def _skip_blanks(self) -> None:
        at = self._at
        while at < len(self._text) and self._text[at] in " \t\r\n":
            at += 1
        self._go_to(at)

    def _go_to(self, at: int) -> None:
        self._line += self._text.count("\n", self._at, at)
        self._at = at


def _csv(path: Path) -> Iterator[Found | DataFault]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = csv.reader(file, strict=True)
        names = _next_cells(f"{path.name}:1", lines) or []
        if fault := _names_fault(names):
            raise DataFault(f"{path.name}:1: {fault}")
        yield from _csv_rows(path, names, lines)


def _names_fault(names: list[str]) -> str:
    if not any(names):
        return "the first line must name the columns"
    if len(names) == 1 and (found := set(names[0]) & {";", "\t"}):
        return f"names one column, {names[0]!r}: separate columns by commas, not by {found.pop()!r}"
    if "" in names:
        return f"column {names.index('') + 1} has no name"
    twice = sorted({name for name in names if names.count(name) > 1})
    return f"column {twice[0]!r} is there twice" if twice else ""


def _csv_rows(path: Path, names: list[str], lines: Any) -> Iterator[Found | DataFault]:
    while True:
        where = f"{path.name}:{lines.line_num + 1}"
        cells = _next_cells(where, lines)
        if cells is None:
            return
        if len(cells) == len(names):
            yield Found(where, dict(zip(names, cells, strict=True)))
        elif cells:
            yield DataFault(f"{where}: has {len(cells)} cells, the first line names {len(names)} columns")


def _next_cells(where: str, lines: Any) -> list[str] | None:
    """The cells of the next line; None after the last. DataFault: they cannot be told apart."""
    try:
        found: list[str] | None = next(lines, None)
    except csv.Error as exc:
        raise DataFault(f"{where}: {exc}") from exc
    return found


_READERS: dict[str, Callable[[Path], Iterator[Found | DataFault]]] = {
    ".jsonl": _jsonl,
    ".json": _json,
    ".csv": _csv,
}
DATA_NAMES = tuple(f"data{suffix}" for suffix in _READERS)
