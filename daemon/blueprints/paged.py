"""A page and the rows of data that fill it: what every blueprint with an author's page reads and checks.

Knows nothing of what is done with a row; `static`, `live`, `group` and `remote_procedure` are made of it.
"""

import abc
import hashlib
import itertools
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs

from ...storage.records import Assignment, Unit
from ..structuring import near_name
from .contract import Blueprint, BlueprintFault, Material, ReadData, Row
from .page_doubts import page_doubts
from .pages import ALWAYS_FILLED, INDEX, RESERVED, SCRIPT, page_faults, page_script, placeholders, read_page
from .reading import DATA_NAMES, DataFault, read_rows
from .rows import RowFault, page_view

FAULTS_SHOWN_MAX = 20  # more of the same teaches nobody anything
ROWS_COMPARED_MAX = 1000  # placeholders are looked up in the names of so many rows
KEPT_BYTES_MAX = 1024 * 1024
"""Of data that a launch does not read again; its rows take some ten times as much."""


@attrs.frozen
class PagedOptions:
    """`[blueprint]` of task.toml. Paths are inside the task's folder."""

    page: Path = Path("page")
    """The folder with index.html and what belongs to it."""
    data: Path | None = None
    """A .jsonl, .json or .csv file; by default whichever of data.jsonl, data.json, data.csv there is."""


class PagedBlueprint(Blueprint):
    """A page, filled from rows of data: a file, or what `rows()` of task.py gives."""

    Options = PagedOptions

    def __init__(self, options: Any, material: Material) -> None:
        super().__init__(options, material)
        self._read: ReadData | None = None

    @abc.abstractmethod
    def row_from(self, value: Any) -> Row:
        """The assignment that one row of the data stands for, wherever the task's folder is. RowFault."""

    def code_faults(self) -> list[str]:
        """Every reason for which the code in task.py cannot do what this blueprint is for."""
        return []

    def check(self) -> list[str]:
        files, faults = self._checked_page()
        names, row_faults = self._checked_rows()
        if names is not None and not row_faults:
            faults += self._unknown_placeholders(files, names)
        return faults + row_faults + self.code_faults()

    def warnings(self) -> list[str]:
        files = self.page_files()
        text = files[INDEX].decode(errors="replace")
        page = f"{self.options.page.as_posix()}/{INDEX}"
        return _shortened(page_doubts(page, text, {*files, *RESERVED}, needs_form=self.live is None))

    def check_added(self, path: Path) -> list[str]:
        try:
            files = read_page(self._page)
        except OSError as exc:
            return [f"{exc.filename}: cannot be read: {exc.strerror}"]
        names, faults = self._checked_file(path)
        return faults or self._unknown_placeholders(files, names)

    def added_rows(self, path: Path) -> Iterator[Row]:
        return self._good(self._rows_of_file(path))

    def rows(self) -> Iterator[Row]:
        """The data, read as far as it is wanted. DataFault at the first row that is not one."""
        return self._good(self._judged_rows())

    @property
    def checked_data(self) -> ReadData | None:
        gives_others = type(self).rows is not PagedBlueprint.rows  # a plug-in's own
        return None if gives_others else self._read

    def rows_of(self, read: ReadData) -> Iterator[Row]:
        """Those that were read, unless the file holds something else by now."""
        if self.material.make_rows is None and _small_digest(self._data_file()) == read.sha256:
            return iter(read.rows)
        return self.rows()

    def _good(self, rows: Iterator[Row | DataFault]) -> Iterator[Row]:
        for row in rows:
            if isinstance(row, DataFault):
                raise row
            yield row

    def page_files(self) -> Mapping[str, bytes]:
        return {**read_page(self._page), SCRIPT: page_script()}

    def init_data(self, assignment: Assignment, unit: Unit) -> Any:
        """What the page is given: without what begins with "_"."""
        return page_view(super().init_data(assignment, unit))

    @property
    def _page(self) -> Path:
        page: Path = self.material.folder / self.options.page
        return page

    def _judged_rows(self) -> Iterator[Row | DataFault]:
        made = self.material.make_rows
        yield from self._rows_of_code(made) if made is not None else self._rows_of_file(self._data_file())

    def _rows_of_file(self, path: Path) -> Iterator[Row | DataFault]:
        for found in read_rows(path):
            yield found if isinstance(found, DataFault) else self._judged(found.where, found.value)

    def _rows_of_code(self, made: Callable[[], Any]) -> Iterator[Row | DataFault]:
        for number, value in enumerate(made(), 1):
            yield self._judged(f"task.py: row {number} of rows()", value)

    def _judged(self, where: str, value: Any) -> Row | DataFault:
        try:
            return self.row_from(value)
        except RowFault as exc:
            return DataFault(f"{where}: {exc}")

    def _data_file(self) -> Path:
        folder: Path = self.material.folder
        if self.options.data is not None:
            return _readable(folder, self.options.data)
        there = [name for name in DATA_NAMES if (folder / name).is_file()]
        if not there:
            raise DataFault(
                f"data.jsonl: there is no data; write one row a line, or {', '.join(DATA_NAMES[1:])}, "
                "or rows() in task.py"
            )
        if len(there) > 1:
            raise DataFault(f'{there[0]}: there is {there[1]}, too; say which with data = "{there[0]}"')
        return folder / there[0]

    def _checked_page(self) -> tuple[dict[str, bytes], list[str]]:
        try:
            files = read_page(self._page)
        except BlueprintFault as exc:
            return {}, [str(exc)]
        except OSError as exc:
            return {}, [f"{exc.filename}: cannot be read: {exc.strerror}"]
        if INDEX not in files and (self.material.folder / INDEX).is_file():
            page = self.options.page.as_posix()
            return files, [f"{page}/{INDEX}: is missing; move {INDEX} from beside task.toml into {page}/"]
        return files, page_faults(self.options.page.as_posix(), files)

    def _checked_rows(self) -> tuple[set[str] | None, list[str]]:
        """The names in the first rows, and every fault. Rows of code are not run: they may be endless."""
        if self.material.make_rows is not None:
            return None, []
        try:
            path = self._data_file()
        except DataFault as exc:
            return set(), [str(exc)]
        sha256, rows = _small_digest(path), list[Row]()
        names, faults = self._checked_file(path, None if sha256 is None else rows)
        if sha256 is not None and not faults:
            self._read = ReadData(sha256, rows)
        return names, faults

    def _checked_file(self, path: Path, rows: list[Row] | None = None) -> tuple[set[str], list[str]]:
        """The names in its first rows, and every fault. The good rows are added to `rows`."""
        names: set[str] = set()
        faults: list[str] = []
        count = 0
        try:
            for count, row in enumerate(self._rows_of_file(path), 1):
                if isinstance(row, DataFault):
                    faults.append(str(row))
                    continue
                if rows is not None:
                    rows.append(row)
                if count <= ROWS_COMPARED_MAX:
                    names.update(*map(page_view, (row.shared, *row.unit_data)))
        except DataFault as exc:
            faults.append(str(exc))
        else:
            if not count:
                faults.append(f"{path.name}: holds no row")
        return names, _shortened(faults)

    def _unknown_placeholders(self, files: dict[str, bytes], names: set[str]) -> list[str]:
        page = f"{self.options.page.as_posix()}/{INDEX}"
        onboarding = getattr(self.material.config, "onboarding", None)
        if onboarding is not None and not onboarding.data:
            return []  # its part is filled by code, with names that nobody knows before
        names = names if onboarding is None else names | set(onboarding.data)
        faults: list[str] = []
        for name, line in placeholders(files.get(INDEX, b"")):
            if name not in names and name.split(".")[0] not in names | ALWAYS_FILLED:
                faults.append(f"{page}:{line}: ${{{name}}} is not in the data; {_nearest(name, names)}")
        return _shortened(faults)


def _small_digest(path: Path) -> str | None:
    """SHA-256 of the file, in hex; None: it is too large for its rows to be kept, or cannot be read."""
    try:
        with path.open("rb") as file:
            content = file.read(KEPT_BYTES_MAX + 1)
    except OSError:
        return None
    return hashlib.sha256(content).hexdigest() if len(content) <= KEPT_BYTES_MAX else None


def _readable(folder: Path, name: Path) -> Path:
    if name.suffix not in (".jsonl", ".json", ".csv"):
        raise DataFault(f"{name}: must end in .jsonl, .json or .csv")
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise DataFault(f"{name}: is outside the task's folder")
    return path


def _nearest(name: str, names: set[str]) -> str:
    if (near := near_name(name, names)) is not None:
        return f"did you mean ${{{near}}}?"
    return f"its names are {', '.join(sorted(names)) or 'none'}"


def _shortened(faults: list[str]) -> list[str]:
    more = len(faults) - FAULTS_SHOWN_MAX
    shown = list(itertools.islice(faults, FAULTS_SHOWN_MAX))
    return shown if more <= 0 else [*shown, f"... and {more} more like these"]
