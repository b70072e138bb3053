"""The one command: measures rows of the table beside their baselines, keeps what came, shows it.

Usage: python -m benchmarks [NAME...]. Without names all rows. See README.md.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import trio

from .instrument import report
from .instrument.progress import Progress
from .instrument.record import last_record, record_of, write_record
from .instrument.rounds import measure
from .instrument.row import Row
from .instrument.summary import summary_of, with_summary
from .rows import BY_HAND, ROWS
from .rows.limits import LIMITS

HERE = Path(__file__).parent
RECORDS, TABLE, PAGE = HERE / "records", HERE / "figures.md", "README.md"


def main(words: Sequence[str] | None = None) -> int:
    """Measure what is named; 1 when a bound is not kept to. Small, nothing is said about bounds."""
    parser = _parser()
    asked = parser.parse_args(words)
    if asked.list:
        return _list()
    if asked.tables:
        _write_tables(asked.records or RECORDS)
        return 0
    rows = {row.name: row for row in ROWS}
    if unknown := [name for name in asked.names if name not in rows]:
        parser.error(f"no such row: {', '.join(unknown)}; --list names all")
    chosen = [rows[name] for name in asked.names] or list(ROWS)
    folder = asked.records or (None if asked.small else RECORDS)
    _warn_of_load()
    held = [_measure(row, asked.small, folder, place) for place, row in _placed(chosen)]
    if folder is not None:
        _write_tables(folder)
    return 0 if asked.small or all(held) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="rows, see --list; default: all")
    parser.add_argument("--list", action="store_true", help="name the rows, and what is run by hand")
    parser.add_argument(
        "--tables", action="store_true", help="only write the tables anew, from what is recorded"
    )
    parser.add_argument(
        "--small", action="store_true", help="only see that all works: seconds a row, no record"
    )
    parser.add_argument(
        "--records", type=Path, metavar="FOLDER", help="where records are kept; the table goes beside it"
    )
    return parser


def _list() -> int:
    """Print the names; 1 when whoever reads has heard enough, as `head` has after ten lines."""
    try:
        _print_names()
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes it once more
        return 1
    return 0


def _print_names() -> None:
    for row in ROWS:
        print(f"{row.name:18} {row.what}; beside: {row.baseline}")
    print("\nBy hand, see README.md:")
    for name, what in BY_HAND.items():
        print(f"{f'benchmarks.{name}':24} {what}")


def _placed(chosen: Sequence[Row]) -> list[tuple[tuple[int, int], Row]]:
    return [((number, len(chosen)), row) for number, row in enumerate(chosen, 1)]


def _measure(row: Row, small: bool, folder: Path | None, place: tuple[int, int]) -> bool:
    progress = Progress(row.name, *place)
    result = trio.run(measure, row, small, progress.tell)
    progress.end()
    record = record_of(result)
    for line in report.words_of(record):
        print(line)
    if folder is not None:
        for line in report.comparison(record, last_record(folder, row.name)):
            print(line)
        write_record(folder, record)
    print(flush=True)
    return result.holds


def _write_tables(folder: Path) -> None:
    records = [record for row in ROWS if (record := last_record(folder, row.name)) is not None]
    (folder.parent / TABLE.name).write_text(report.markdown(records))
    if (page := folder.parent / PAGE).exists():
        page.write_text(with_summary(page.read_text(), summary_of(records, LIMITS)))


def _warn_of_load() -> None:
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    if load > cores / 2:
        words = f"note: this machine has other things to do (load {load:.1f} on {cores} cores)"
        print(f"{words}: believe ratios of CPU time only", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
