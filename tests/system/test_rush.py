"""64 workers at one instant for 32 units, at a real router; `python -m benchmarks.rush` does it 20 times."""

from pathlib import Path

from .processes import Daemon
from .rush_at_routers import rush_once

RUSHES = 2


async def test_of_64_pages_at_one_instant_32_get_a_unit_each_and_32_the_same_refusal(
    daemon: Daemon, tmp_path: Path
) -> None:
    await daemon.start()
    for number in range(RUSHES):
        await rush_once(daemon, tmp_path / f"rush-{number}")
