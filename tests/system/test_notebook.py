"""The notebook of the examples, run as a program against a real daemon."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import trio

from .processes import Daemon

pytestmark = pytest.mark.system

NOTEBOOK = Path(__file__).parents[2] / "examples" / "notebook" / "study.py"


async def test_the_notebook_goes_from_rows_to_a_table_of_answers(daemon: Daemon, tmp_path: Path) -> None:
    await daemon.start()
    environment = {
        **os.environ,
        "CROWDD_SOCKET": str(daemon.data / "control"),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    ended = await trio.run_process(
        [sys.executable, str(NOTEBOOK)],
        env=environment,
        cwd=tmp_path,
        capture_stdout=True,
        stderr=subprocess.STDOUT,
        check=False,
    )
    told = ended.stdout.decode()
    assert ended.returncode == 0, told
    assert "16 answers were given, the run is completed" in told
    table = [line.rsplit(maxsplit=2) for line in told.partition("SENTENCE")[2].splitlines()[1:]]
    assert len(table) == 8
    assert all(int(good) + int(bad) == 2 for _, good, bad in table)
    assert await daemon.terminate() == 0
