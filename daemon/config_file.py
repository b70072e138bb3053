"""crowdd.toml as a file: where it is looked for, what stands in which line. Writes nothing."""

import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import attrs

from .daemon_config import CONFIG_NAME
from .structuring import Faults

CONFIG_BYTES_MAX = 64 * 1024  # it has two dozen options
LINES_PLACED_MAX = 400  # what stands in a longer file is named without its line
PATHS = ("data", "control", "routers")
"""Options that are paths: relative ones begin at the file's folder, wherever the daemon is started."""


@attrs.frozen
class FoundFile:
    """The file that is to be read."""

    path: Path
    is_in_data: bool = False
    """Whether it was found because it is in the data folder."""


@attrs.frozen
class ReadFile:
    """What a file says, and in which lines; nothing, when there is none."""

    path: Path | None = None
    document: Mapping[str, Any] = attrs.Factory(dict[str, Any])
    lines: Mapping[str, int] = attrs.Factory(dict[str, int])
    """Of options and tables."""


def find_file(named: Path | None, environment: Mapping[str, str], data: Path) -> FoundFile | None:
    """--config, else $CROWDD_CONFIG, else a crowdd.toml in the service's own folder or in the data folder.

    Faults: one that was named is not there, or what is there is no file.
    """
    if named is None and environment.get("CROWDD_CONFIG"):
        named = Path(environment["CROWDD_CONFIG"])
    if named is not None:
        if not named.is_file():
            raise Faults([f"{named}: there is no such file; `crowdd config init {named}` writes one"])
        return FoundFile(named)
    # What systemd made for `ConfigurationDirectory=`, e.g. /etc/crowdd; only the service itself is told.
    services = [
        Path(folder) for folder in environment.get("CONFIGURATION_DIRECTORY", "").split(":") if folder
    ]
    for folder in services:
        if _is_there(folder / CONFIG_NAME):
            return FoundFile(folder / CONFIG_NAME)
    return FoundFile(data / CONFIG_NAME, is_in_data=True) if _is_there(data / CONFIG_NAME) else None


def _is_there(path: Path) -> bool:
    """Faults for what cannot be read as a file: to go on without it would be to go on without its roles."""
    try:
        if path.is_file() or not os.path.lexists(path):
            return path.is_file()
    except OSError as exc:
        raise Faults([f"{path}: cannot be read: {exc.strerror}"]) from exc
    raise Faults([f"{path}: is not a file; move it elsewhere"])


def parse_file(path: Path, letters: str) -> ReadFile:
    """What the file says if it holds these letters. Faults: they are no TOML."""
    try:
        document = tomllib.loads(letters)
    except (ValueError, RecursionError) as exc:
        raise Faults([f"{path}: is not TOML: {exc}"]) from exc
    for key in PATHS:
        if isinstance(document.get(key), str) and document[key]:
            document[key] = str(path.absolute().parent / document[key])
    return ReadFile(path, document, lines_of(letters))


def lines_of(letters: str) -> dict[str, int]:
    """In which line each key and table of a TOML text begins.

    A value may span lines, but what stands before it is always a whole TOML text: each new key of a longer
    such text begins in the first line that the shorter one does not have.
    """
    lines = letters.splitlines(keepends=True)[:LINES_PLACED_MAX]
    places: dict[str, int] = {}
    begins = 1
    for number in range(1, len(lines) + 1):
        try:
            document = tomllib.loads("".join(lines[:number]))
        except ValueError:
            continue
        for path in _paths(document):
            places.setdefault(path, begins)
        begins = number + 1
    return places


def read_letters(path: Path) -> str:
    """The file as it is. Faults: it cannot be read."""
    try:
        with path.open("rb") as file:
            content = file.read(CONFIG_BYTES_MAX + 1)
        if len(content) > CONFIG_BYTES_MAX:
            raise Faults([f"{path}: is larger than {CONFIG_BYTES_MAX} bytes; is it a crowdd.toml?"])
        return content.decode()
    except OSError as exc:
        raise Faults([f"{path}: cannot be read: {exc.strerror}"]) from exc
    except UnicodeDecodeError as exc:
        raise Faults([f"{path}: is not TOML: {exc}"]) from exc


def _paths(document: Mapping[str, Any], path: str = "") -> Iterator[str]:
    for key, value in document.items():
        at = f"{path}.{key}".lstrip(".")
        yield at
        if isinstance(value, dict):
            yield from _paths(cast(dict[str, Any], value), at)
