"""Where the data of screening and gold units comes from: the author's code, or a file of rows."""

import hashlib
import random
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from ..protocol.documents import canonical_json
from .admission import SpecialKind
from .blueprints.reading import DataFault, read_rows
from .blueprints.rows import row_of
from .task_config import RunConfig
from .task_folder import path_inside


class SpecialRows:
    """The rows of one file, read when the first is wanted; they are few, and staff wrote them by hand."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows: Mapping[str, dict[str, Any]] | None = None

    def by_number(self, number: int) -> dict[str, Any] | None:
        """The row for the item with this number, from 0: after the last comes the first again."""
        rows = list(self._read().values())
        return rows[number % len(rows)] if rows else None

    def unseen(self, seen: Collection[str], rng: random.Random) -> dict[str, Any] | None:
        """One of those whose digests are not among `seen`, by chance; None when all are."""
        left = [row for digest, row in self._read().items() if digest not in seen]
        return rng.choice(left) if left else None

    def _read(self) -> Mapping[str, dict[str, Any]]:
        if self._rows is None:
            found = [row_of(row.value, 1) for row in read_rows(self._path) if not isinstance(row, DataFault)]
            data = [{**row.shared, **row.unit_data[0]} for row in found]
            self._rows = {data_digest(each): each for each in data}
        return self._rows


def special_rows(config: RunConfig, folder: Path) -> dict[SpecialKind, SpecialRows]:
    """The files that the config names, in the task's folder."""
    rows: dict[SpecialKind, SpecialRows] = {}
    if config.screening is not None and config.screening.data is not None:
        rows[SpecialKind.SCREENING] = SpecialRows(path_inside(folder, config.screening.data))
    if config.gold is not None and config.gold.data is not None:
        rows[SpecialKind.GOLD] = SpecialRows(path_inside(folder, config.gold.data))
    return rows


def data_digest(data: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical data, in hex: nobody is given the same gold twice."""
    return hashlib.sha256(canonical_json(data)).hexdigest()
