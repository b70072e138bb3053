"""How every theme of the client asks: over one connection, page by page. Knows no endpoints."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from .connection import Connection
from .errors import NoSuchRun
from .reading import read

PAGE_ROWS = 500
T = TypeVar("T")
RunName = int | str
"""A run's number or label."""


class Asking:
    """What the themes of `Client` share."""

    def __init__(self, socket: Path, timeout_s: float = 60.0) -> None:
        self._connection = Connection(socket, timeout_s)

    def _rows(self, kind: type[T], run: RunName, name: str, statuses: Sequence[str]) -> Iterator[T]:
        return self._pages(kind, path_of(run, name), name, [("status", status) for status in statuses])

    def _pages(
        self, kind: type[T], path: str, name: str, parameters: Sequence[tuple[str, str | int]]
    ) -> Iterator[T]:
        after: int | None = 0
        while after is not None:
            page = self._connection.get(path, [("after", after), ("limit", PAGE_ROWS), *parameters])
            for each in page[name]:
                yield read(kind, each)
            after = page["next"]


def path_of(run: RunName, *rest: str) -> str:
    """The path of a run, or below it. NoSuchRun for what would be another path."""
    if "/" in str(run) or run in ("", ".", ".."):
        raise NoSuchRun(404, "no_such_run", f"There is no run {run!r}.", "`crowdctl runs` lists them.")
    return "/".join(["/runs", quote(str(run), safe=""), *rest])
