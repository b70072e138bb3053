"""Where the CPU of a row's servers goes: daemon and router, thread by thread, function by function.

Usage: python -m benchmarks.profile NAME... Keeps profiles/NAME.md for each. Needs py-spy. See README.md.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import trio

from .instrument.progress import Progress
from .instrument.record import circumstances
from .instrument.row import Row
from .mephisto import VARIABLE
from .profiling.page import page_of
from .profiling.profile import take_profile
from .profiling.sampler import CannotSample, command_of_py_spy
from .rows import ROWS

PROFILES = Path(__file__).parent / "profiles"
RATE = 500  # looks a second: a round of posts is half a second


def main(words: Sequence[str] | None = None) -> int:
    """Profile what is named; 2 when a row or this machine does not allow it."""
    rows = {row.name: row for row in ROWS}
    asked = _parser(sorted(rows)).parse_args(words)
    os.environ.pop(VARIABLE, None)  # nobody is measured beside us
    refused: Sequence[BaseException] = ()
    try:
        command_of_py_spy()
        for number, name in enumerate(asked.names, 1):
            _profile(rows[name], asked, Progress(name, number, len(asked.names)))
    except* CannotSample as cannot:
        refused = cannot.exceptions
    for why in refused:
        print(why, file=sys.stderr)
    return 2 if refused else 0


def _profile(row: Row, asked: argparse.Namespace, progress: Progress) -> None:
    profile = trio.run(take_profile, row, asked.small, asked.rate, progress.tell)
    progress.end()
    kept: Path = asked.folder / f"{row.name}.md"
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(page_of(profile, circumstances()))
    print(f"{row.name}: {profile.clocked.operations:,} operations; {kept.name} is written", flush=True)


def _parser(names: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.profile", description=__doc__)
    parser.add_argument("names", nargs="+", metavar="NAME", choices=names, help="rows with servers of ours")
    parser.add_argument("--rate", type=int, default=RATE, help=f"looks a second (default: {RATE})")
    parser.add_argument("--small", action="store_true", help="only to see that it works")
    parser.add_argument("--folder", type=Path, default=PROFILES, help="where pages are kept")
    return parser


if __name__ == "__main__":
    sys.exit(main())
