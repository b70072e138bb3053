"""Every row of the table, small: that its result is whole, never how fast anything is. A minute in sum."""

import json
import os
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path

import pytest
from benchmarks.__main__ import main
from benchmarks.instrument.record import last_record
from benchmarks.instrument.rounds import ROUNDS_SMALL
from benchmarks.rows import BY_HAND, ROWS

ROOT = Path(__file__).parent.parent.parent
TIMEOUT_S = 900  # only against hanging


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the records of all rows, measured small, and the table."""
    folder = tmp_path_factory.mktemp("benchmarks")
    subprocess.run(
        [sys.executable, "-m", "benchmarks", "--small", "--records", str(folder / "records")],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        timeout=TIMEOUT_S,
    )
    return folder


@pytest.mark.system
@pytest.mark.parametrize("name", [row.name for row in ROWS])
def test_a_row_measured_small_tells_all_its_figures(name: str, small: Path) -> None:
    record = last_record(small / "records", name)
    assert record is not None
    assert record["small"]
    sides = [record["ours"]] + [record["baseline"]] * ("rounds" in record["baseline"])
    for side in sides:
        assert len(side["rounds"]) == ROUNDS_SMALL
        assert all(figure > 0 for told in side["rounds"] for figure in told.values()), side
    for bound in record["bounds"]:
        assert len(bound["rounds"]) == ROUNDS_SMALL
        assert bound["figure"] in record["ours"]["rounds"][0]
    assert f"| {record['what']} |" in (small / "figures.md").read_text()


def test_rows_have_names_of_their_own_and_each_folder_program_is_named() -> None:
    names = [row.name for row in ROWS]
    assert len(set(names)) == len(names)
    said = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--list"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    commands = [path.stem for path in (ROOT / "benchmarks").glob("*.py") if "argparse" in path.read_text()]
    assert set(commands) - {"__main__"} == set(BY_HAND)
    assert all(name in said for name in [*names, *BY_HAND])


def test_a_list_that_is_not_read_to_its_end_ends_without_an_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as unread, redirect_stdout(unread):
        assert main(["--list"]) == 1
        print("what Python still has to flush at its end", flush=True)


def test_kept_records_are_whole_and_of_rows_that_exist() -> None:
    for path in (ROOT / "benchmarks" / "records").glob("*.json"):
        record = json.loads(path.read_bytes())
        assert record["row"] == path.stem in {row.name for row in ROWS}
        assert not record["small"]
        assert len(record["ours"]["rounds"]) >= 5
