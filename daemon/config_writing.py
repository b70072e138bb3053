"""Writes crowdd.toml: whole, with every option explained, or one value of it with all else kept as it was."""

import textwrap
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from ..files.durable import write_durably
from .config_file import read_letters
from .config_layers import Asked, Configured, variable_of
from .daemon_config import DaemonConfig, is_live, structure_daemon_config
from .options import Option, options_of, toml_text
from .overrides import override
from .structuring import Faults, LooseFloat, LooseInt, nearest

CONFIG_MODE = 0o644  # it names secret files, and holds none
COLUMNS = 100
HEADING = """\
# crowdd.toml: what `crowdd serve` is told. Every option stands here with its default (or an example, where
# there is none): take the leading "#" away to change it. Below its meaning stand what it takes, whether a
# reload (`systemctl reload crowdd`, or kill -HUP of the daemon) or a restart takes up a change, and its
# environment variable. Environment and flags go before this file: `crowdd config show` says what holds, and
# why. Relative paths begin at the folder of this file.
"""


def template() -> str:
    """A crowdd.toml that changes nothing and explains everything."""
    parts = [HEADING]
    table = ""
    for option in options_of(DaemonConfig):
        inside = option.path.rpartition(".")[0]
        if inside != table:
            table = inside
            parts.append(f"\n[{table}]\n")
        parts.append("\n" + _explained(option))
    return "".join(parts)


def write_template(path: Path) -> None:
    """Write the template. Faults: something is there already, or it cannot be written."""
    if path.exists():
        raise Faults(
            [f"{path}: is there already; nothing was written. `crowdd config set` changes a value of it"]
        )
    _write(path, template())


def set_value(asked: Asked, key: str, letters: str) -> Configured:
    """Set one option in the file that is read, made if needed; all else in it stays as it is.

    Gives what holds then. Faults: nothing was written.
    """
    found, option = asked.file_to_change(), _known(key)
    value = _checked(option, letters)
    before = read_letters(found.path) if found.path.exists() else template()
    after = _with_value(found.path, before, option, value)
    configured = asked.judge(found, after)
    _write(found.path, after)
    return configured


def _known(key: str) -> Option:
    known = {option.path: option for option in options_of(DaemonConfig)}
    if key not in known:
        raise Faults([f"{key}: unknown; {nearest(key, known)}"])
    return known[key]


def _checked(option: Option, letters: str) -> Any:
    """The value as it is to stand in the file. Faults."""
    document: dict[str, Any] = {}
    override(document, option.path, letters)
    structure_daemon_config(document)
    value: Any = document
    for name in option.path.split("."):
        value = value[name]
    if isinstance(value, LooseInt | LooseFloat):
        plain = int(value) if isinstance(value, LooseInt) else float(value)
        return value.letters if option.type == "path" else plain  # a folder may be called 2026
    return value


def _with_value(path: Path, text: str, option: Option, value: Any) -> str:
    """The text with one value changed."""
    *tables, last = option.path.split(".")
    try:
        document = tomlkit.parse(text)
    except TOMLKitError as exc:
        raise Faults([f"{path}: is not TOML: {exc}; nothing was written"]) from exc
    place: Any = document
    for name in tables:
        if name not in place:
            place[name] = tomlkit.table()
        place = place[name]
    if last in place:
        place[last] = value
        return tomlkit.dumps(document)
    shown = _uncommented(text, option, value)
    if shown is not None:
        return shown
    place[last] = value
    return tomlkit.dumps(document)


def _uncommented(text: str, option: Option, value: Any) -> str | None:
    """With the line in the place of the template's `#key = default`; None when that is not there."""
    table = ""
    *_, last = option.path.split(".")
    lines = text.splitlines(keepends=True)
    for number, line in enumerate(lines):
        if line.startswith("["):
            table = line.strip().strip("[]")
        elif f"{table}.{last}".lstrip(".") == option.path and line.startswith((f"#{last} =", f"# {last} =")):
            lines[number] = f"{last} = {toml_text(value)}\n"
            return "".join(lines)
    return None


def _explained(option: Option) -> str:
    takes = "reload" if is_live(option.path) else "restart"
    facts = f"{option.type[0].upper()}{option.type[1:]}; {takes}; {variable_of(option.path)}."
    shown = option.default if option.default is not None else option.example
    comment = textwrap.fill(option.meaning, COLUMNS, initial_indent="# ", subsequent_indent="# ")
    return f"{comment}\n# {facts}\n#{option.path.rpartition('.')[2]} = {toml_text(shown)}\n"


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = path.stat().st_mode & 0o777 if path.exists() else CONFIG_MODE
        write_durably(path, text.encode(), mode)
    except OSError as exc:
        raise Faults([f"{path}: cannot be written: {exc.strerror}"]) from exc
