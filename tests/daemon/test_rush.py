"""64 workers at one instant for 32 units, over SQLite; `python -m benchmarks.rush` does it 1,000 times."""

from pathlib import Path

from .rush_in_process import open_house, rush_once

RUSHES = 10


async def test_of_64_workers_at_one_instant_32_get_a_unit_and_32_the_same_refusal(
    tmp_path: Path,
) -> None:
    async with open_house(tmp_path) as house:
        for number in range(RUSHES):
            await rush_once(house, number)
