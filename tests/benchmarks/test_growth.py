"""A curve, small: one point of it is measured and told. 4 s in sum."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.system
def test_a_curve_measured_small_tells_its_point() -> None:
    command = [sys.executable, "-m", "benchmarks.growth", "units", "--small"]
    told = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert "| units in the run | CPU of a registration" in told
    assert "| 20 | " in told.splitlines()[-1]
