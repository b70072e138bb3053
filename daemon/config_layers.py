"""Where each value of the daemon's configuration comes from: flag, environment, file, default, in this order.

All faults of all sources are said at once, each with its place. Reads files when told to; changes nothing.
"""

import enum
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, cast

import attrs

from .config_file import FoundFile, ReadFile, find_file, parse_file, read_letters
from .daemon_config import CONFIG_NAME, DaemonConfig, is_live, plain_daemon_config, structure_daemon_config
from .options import option_paths, plain_value
from .overrides import override
from .structuring import Faults, nearest

PREFIX = "CROWDD_"
MISSPELT = 0.75  # how alike two names must be for one to be taken for the other, misspelt
NOT_OPTIONS = {"CROWDD_CONFIG", "CROWDD_SOCKET"}
"""Which file to read, and where crowdctl looks: not what a daemon is told."""


class Kind(enum.Enum):
    """What said a value."""

    DEFAULT = "default"
    FILE = "file"
    ENVIRONMENT = "environment"
    FLAG = "flag"


@attrs.frozen
class Source:
    """What said a value, and where exactly: file:line, the variable, the flag."""

    kind: Kind = Kind.DEFAULT
    where: str = ""


@attrs.frozen
class Setting:
    """One option with the value that holds."""

    path: str
    """Its name, like log.level."""
    value: Any
    """As plain JSON."""
    source: Source
    live: bool
    """Whether a reload takes up a change."""
    unused: tuple[Source, ...] = ()
    """What said something else, and was not heard."""


@attrs.frozen
class Configured:
    """A daemon's configuration, and how it came about."""

    config: DaemonConfig
    settings: tuple[Setting, ...]
    file: Path | None
    warnings: tuple[str, ...] = ()

    def find(self, key: str) -> Setting:
        """The setting of this name. Faults: the nearest."""
        known = {setting.path: setting for setting in self.settings}
        if key not in known:
            raise Faults([f"{key}: unknown; {nearest(key, known)}"])
        return known[key]


@attrs.frozen
class Asked:
    """What a daemon was started with; the file is read anew whenever it is configured."""

    flags: Mapping[str, Any] = attrs.Factory(dict[str, Any])
    """Values by option."""
    environment: Mapping[str, str] = attrs.Factory(dict[str, str])
    file: Path | None = None
    """--config."""

    def configure(self) -> Configured:
        """Everything, from all sources. Faults: all that is wrong, with its place."""
        found = self.find()
        return self.judge(found, "" if found is None else read_letters(found.path))

    def judge(self, found: FoundFile | None, letters: str) -> Configured:
        """As `configure`, if the file that was found held these letters."""
        file = ReadFile() if found is None else parse_file(found.path, letters)
        layers = [_file_layer(file), _environment_layer(self.environment), _flag_layer(self.flags)]
        problems = [problem for layer in layers for problem in layer.problems()]
        if found is not None:
            problems += _moved_data(file, found)
        if problems:
            raise Faults(problems)
        return _merged(layers, file.path, tuple(_strange_variables(self.environment)))

    def find(self) -> FoundFile | None:
        """The file that is read; None: there is none. Faults: one that was named is not there."""
        return find_file(self.file, self.environment, self.data_folder())

    def file_to_change(self) -> FoundFile:
        """The file that is read; the one that would be, once it was there."""
        if self.file is not None:
            return FoundFile(self.file)
        return self.find() or FoundFile(self.data_folder() / CONFIG_NAME, is_in_data=True)

    def data_folder(self) -> Path:
        """The data folder as far as it is known without a file: one may be in it."""
        return Path(
            self.flags.get("data") or self.environment.get(variable_of("data")) or DaemonConfig().data
        )


@attrs.frozen
class _Layer:
    """What one source says: values by option, and where each stands."""

    kind: Kind
    document: Mapping[str, Any]
    places: Mapping[str, str]
    """Where options and tables stand."""
    faults: tuple[str, ...] = ()
    """What was wrong with it before its values were looked at."""

    def problems(self) -> Iterator[str]:
        """Everything that is wrong with it, with its places."""
        yield from self.faults
        try:
            structure_daemon_config(self.document)
        except Faults as exc:
            for problem in exc.problems:
                path, _, reason = problem.partition(": ")
                yield f"{self._place(path)}: {problem if self.kind is Kind.FILE else reason}"

    def values(self) -> Iterator[tuple[str, Source]]:
        """The options that it sets."""
        for path in _leaves(self.document):
            yield path, Source(self.kind, self._place(path))

    def _place(self, path: str) -> str:
        while path and path not in self.places:
            path = path.rpartition(".")[0]
        return self.places.get(path, self.kind.value)


def variable_of(path: str) -> str:
    """The environment variable that sets the option of this name."""
    return PREFIX + path.upper().replace(".", "_")


def _file_layer(file: ReadFile) -> _Layer:
    places = {path: f"{file.path}:{line}" for path, line in file.lines.items()}
    return _Layer(Kind.FILE, file.document, {"": str(file.path), **places})


def _environment_layer(environment: Mapping[str, str]) -> _Layer:
    document: dict[str, Any] = {}
    places: dict[str, str] = {}
    for path in option_paths(DaemonConfig):
        letters = environment.get(variable_of(path), "")
        if letters:  # an empty variable is one that was taken back
            override(document, path, letters)
            places[path] = variable_of(path)
    return _Layer(Kind.ENVIRONMENT, document, places)


def _flag_layer(flags: Mapping[str, Any]) -> _Layer:
    document: dict[str, Any] = {}
    for path, value in flags.items():
        *tables, last = path.split(".")
        place = document
        for name in tables:
            place = place.setdefault(name, {})
        place[last] = value
    return _Layer(
        Kind.FLAG, document, {path: f"--{path.replace('.', '-').replace('_', '-')}" for path in flags}
    )


def _strange_variables(environment: Mapping[str, str]) -> Iterator[str]:
    """Variables that nobody reads and that look misspelt; others may be an author's own."""
    known = {variable_of(path) for path in option_paths(DaemonConfig)} | NOT_OPTIONS
    letters = [name.removeprefix(PREFIX) for name in known]
    for name in sorted(environment):
        if name.startswith(PREFIX) and name not in known:
            for close in get_close_matches(name.removeprefix(PREFIX), letters, 1, MISSPELT):
                yield f"{name}: means nothing to crowdd; did you mean {PREFIX + close!r}?"


def _moved_data(file: ReadFile, found: FoundFile) -> Iterator[str]:
    """A file that was found in the data folder cannot say that this is elsewhere."""
    data = file.document.get("data")
    if found.is_in_data and isinstance(data, str) and Path(data).resolve() != found.path.parent.resolve():
        place = f"{found.path}:{file.lines.get('data', 1)}"
        yield f"{place}: data: a file in the data folder cannot name another; keep it elsewhere"


def _merged(layers: list[_Layer], file: Path | None, warnings: tuple[str, ...]) -> Configured:
    document: dict[str, Any] = {}
    said: dict[str, list[Source]] = {}
    for layer in layers:
        _put_over(document, layer.document)
        for path, source in layer.values():
            said.setdefault(path, []).insert(0, source)
    config = structure_daemon_config(document)
    plain = plain_daemon_config(config)
    settings = [_setting(path, plain, said.get(path, [Source()])) for path in option_paths(DaemonConfig)]
    return Configured(config, tuple(settings), file, warnings)


def _setting(path: str, plain: Mapping[str, Any], said: list[Source]) -> Setting:
    value: Any = plain
    for name in path.split("."):
        value = value[name]
    return Setting(path, plain_value(value), said[0], is_live(path), tuple(said[1:]))


def _put_over(document: dict[str, Any], layer: Mapping[str, Any]) -> None:
    for key, value in layer.items():
        below = document.get(key)
        if isinstance(value, dict) and isinstance(below, dict):
            _put_over(cast(dict[str, Any], below), cast(dict[str, Any], value))
        else:
            document[key] = {**cast(dict[str, Any], value)} if isinstance(value, dict) else value


def _leaves(document: Mapping[str, Any], path: str = "") -> Iterator[str]:
    for key, value in document.items():
        at = f"{path}.{key}".lstrip(".")
        if isinstance(value, dict):
            yield from _leaves(cast(dict[str, Any], value), at)
        else:
            yield at
