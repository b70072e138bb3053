"""Every system call of an operation as the one at which a process dies, or the disk fails."""

from pathlib import Path

import pytest

from crowdd.testing.certify.findings import Plan
from crowdd.testing.certify.operations import Submit
from crowdd.testing.certify.syscalls import TARGETS, strike_targets

pytestmark = pytest.mark.system


def tell(campaign: str, done: int, of: int, words: str = "") -> None:
    """Say how far it is to whoever runs this test alone, with -s."""
    print(f"{campaign}: {done} of {of} {words}")


async def test_flt2_flt4_flt5_submit_survives_every_system_call_as_kill_eio_and_enospc(
    tmp_path: Path,
) -> None:
    targets = [target for target in TARGETS if target.operation is Submit]
    done = await strike_targets(Plan(tmp_path), tell, targets)
    print(f"{done.cycles} points in {done.took_s:.0f} s; {'; '.join(done.notes)}")
    assert [finding.words for finding in done.violations] == []
    assert done.cycles > 60
