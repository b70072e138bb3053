"""64 workers at one instant for 32 units, again and again: in one process over SQLite, then with processes.

Usage: python -m benchmarks.rush [--rounds 1000] [--with-processes 20]. Stops at the first that goes wrong.
"""

import argparse
import tempfile
import time
from pathlib import Path

import trio
from tests.daemon.rush_in_process import open_house
from tests.daemon.rush_in_process import rush_once as rush_in_process
from tests.system.processes import Daemon
from tests.system.rush_at_routers import rush_once as rush_at_router

TOLD_EVERY = 100


def main() -> None:
    """Both kinds, as often as asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--with-processes", type=int, default=20)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="crowdd-rush-") as folder:
        began = time.monotonic()
        trio.run(_in_process, Path(folder), asked.rounds)
        print(f"{asked.rounds} rushes in one process over SQLite: {time.monotonic() - began:.0f} s")
        began = time.monotonic()
        trio.run(_with_processes, Path(folder), asked.with_processes)
        print(f"{asked.with_processes} rushes at router and daemon: {time.monotonic() - began:.0f} s")


async def _in_process(folder: Path, rounds: int) -> None:
    async with open_house(folder) as house:
        for number in range(rounds):
            await rush_in_process(house, number)
            if (number + 1) % TOLD_EVERY == 0:
                print(f"{number + 1} of {rounds}", flush=True)


async def _with_processes(folder: Path, rounds: int) -> None:
    daemon = Daemon(folder / "data")
    try:
        await daemon.start()
        for number in range(rounds):
            await rush_at_router(daemon, folder / f"rush-{number}")
    finally:
        daemon.clean_up()


if __name__ == "__main__":
    main()
