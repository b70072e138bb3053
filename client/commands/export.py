"""crowdctl export: the answers, to a file or into a pipe."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from ..client import Client
from ..errors import FileNotWritten
from ..terminal import counted, json_safe, safe, say
from .options import pass_client, run_argument

SPREADSHEETS = (".xlsx", ".xls", ".ods", ".tsv")


@click.command()
@run_argument
@click.option(
    "--format", "kind", type=click.Choice(["jsonl", "csv"]), help="Default: csv for a FILE.csv, else jsonl."
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Default: standard output."
)
@pass_client
def export(client: Client, run: str, kind: str | None, output: Path | None) -> None:
    """Write one record for each agent that submitted."""
    to_stdout = output is None or str(output) == "-"
    kind = kind or ("jsonl" if output is None or to_stdout else _kind_of(output))
    if output is None or to_stdout:
        _to_stdout(client.export(run, kind))
    else:
        try:
            count = client.save_export(run, output, kind)
        except OSError as exc:
            raise FileNotWritten(output, exc) from exc
        if count == 0:
            say(f"Nobody has submitted anything yet: {safe(output)} is empty.")
        else:
            records = f"{counted(count, 'record')} in " if kind == "jsonl" else ""
            say(f"{records}{safe(output)}")


def _kind_of(path: Path) -> str:
    """What the name of the file asks for. A spreadsheet's is not written: it would not open."""
    if path.suffix.lower() in SPREADSHEETS:
        raise click.UsageError(f"{path.suffix} cannot be written; a spreadsheet opens {path.stem}.csv.")
    return "csv" if path.suffix.lower() == ".csv" else "jsonl"


def _to_stdout(pieces: Iterator[bytes]) -> None:
    stream = sys.stdout.buffer
    for piece in harmless_lines(pieces) if sys.stdout.isatty() else pieces:
        stream.write(piece)
    stream.flush()


def harmless_lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same lines, with what a terminal would act upon escaped as JSON does: it stays the same JSON."""
    pending = b""
    for piece in pieces:
        *whole, pending = (pending + piece).split(b"\n")
        yield from map(_harmless, whole)
    if pending:
        yield _harmless(pending)


def _harmless(line: bytes) -> bytes:
    return json_safe(line.decode("utf-8", "replace").rstrip("\r")).encode() + b"\n"
