"""What crowdctl prints: text made harmless, tables, JSON, errors. Imports rich only for a terminal."""

import json
import sys
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import click

from .errors import ClientError, ExtensionRefused, LaunchRefused, ReloadRefused
from .reading import as_json

_ACTING = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode categories that make a terminal do something: control, format (bidi), line separators."""

GAP = 3  # columns between the columns of a drawn table, and around it
Cell = str | int | None


def safe(text: object) -> str:
    """The text with everything that a terminal would act upon as an escape, on one line."""
    return "".join(_escaped(character) if _acts(character) else character for character in str(text))


def safe_lines(text: str, indent: str) -> str:
    """The text on the lines that it has, all but the first indented: tracebacks are read by lines."""
    return f"\n{indent}".join(safe(line) for line in text.splitlines())


def json_safe(text: str) -> str:
    """JSON text with what a terminal would act upon as JSON's own escapes; one line."""
    return "".join(_json_escaped(character) if _acts(character) else character for character in text)


def _json_escaped(character: str) -> str:
    return "\\u007f" if character == "\x7f" else json.dumps(character)[1:-1]


def _acts(character: str) -> bool:
    return not character.isprintable() and unicodedata.category(character) in _ACTING


def _escaped(character: str) -> str:
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def say(text: str = "") -> None:
    """Print lines of ours; what others wrote must have been through `safe`."""
    click.echo(text)


def say_json(content: Any) -> None:
    """Print one JSON document in ASCII: escapes keep it the same JSON and a terminal calm."""
    indent = 2 if sys.stdout.isatty() else None
    click.echo(json.dumps(content, indent=indent, default=as_json).replace("\x7f", "\\u007f"))


def say_table(headings: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
    """Print a table: drawn on a terminal, plain aligned columns in a pipe. No word is ever cut.

    Where the terminal is too narrow for the longest words, links say, it gets the plain columns, too: it
    wraps them itself, and what wraps so is copied whole.
    """
    texts = [["" if cell is None else safe(cell) for cell in row] for row in rows]
    columns = list(zip(headings, *texts, strict=True))
    widths = [max(map(_width, column)) for column in columns]
    words = [max(_width(word) for cell in column for word in cell.split() or [""]) for column in columns]
    room = _room(len(columns)) if sys.stdout.isatty() else 0
    if sum(words) <= room:
        _draw(headings, texts, _narrowed(widths, words, room))
        return
    for row in [list(headings), *texts]:
        padded = [cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)]
        click.echo("  ".join(padded).rstrip())


def _room(columns: int) -> int:
    """What the terminal has for the words in so many columns."""
    from shutil import get_terminal_size  # slow to import

    return get_terminal_size().columns - GAP * columns


def _narrowed(widths: Sequence[int], least: Sequence[int], room: int) -> list[int]:
    """Widths that fit: what can be narrower is, the widest first. `least` fits."""
    narrowed = list(widths)
    while sum(narrowed) > room:
        widest = max(range(len(narrowed)), key=lambda n: (narrowed[n] > least[n], narrowed[n]))
        narrowed[widest] -= 1
    return narrowed


def _draw(headings: Sequence[str], texts: Sequence[Sequence[str]], widths: Sequence[int]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading, width in zip(headings, widths, strict=True):
        table.add_column(heading, width=width, overflow="fold")
    for row in texts:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)


def say_facts(facts: Sequence[tuple[str, object]]) -> None:
    """Print names and values, one a line; empty values are left out."""
    shown = [(name, safe(value)) for name, value in facts if value not in (None, "")]
    width = max((len(name) for name, _ in shown), default=0)
    for name, value in shown:
        click.echo(f"  {name:{width}}  {value}")


def say_error(error: ClientError, program: str = "crowdctl") -> None:
    """Print on stderr what went wrong and what to do next."""
    click.echo(f"{program}: {safe(error.message)}", err=True)
    if isinstance(error, LaunchRefused | ExtensionRefused | ReloadRefused):
        for problem in error.problems:
            click.echo(f"  - {safe_lines(problem, '    ')}", err=True)
    if error.hint:
        click.echo(f"  {safe(error.hint)}", err=True)


def local_time(at: datetime | None) -> str:
    """A time of the daemon on this machine's clock, to the second."""
    return "" if at is None else at.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def counted(number: int, noun: str) -> str:
    """`1 unit`, `2 units`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _width(text: str) -> int:
    """Columns on a terminal: East Asian wide characters take two, combining ones none."""
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )
