"""Every system call of an operation as the one at which a process dies, or the disk fails."""

from pathlib import Path

import pytest

from crowdd.testing.certify.findings import CampaignResult, Plan
from crowdd.testing.certify.operations import Act, LaunchAndStop, Submit, SubmitAway
from crowdd.testing.certify.strace import Fault
from crowdd.testing.certify.syscalls import EVERYWHERE, Aim, Target, strike_targets

pytestmark = pytest.mark.system


def tell(campaign: str, done: int, of: int, words: str = "") -> None:
    """Say how far it is to whoever runs this test alone, with -s."""
    print(f"{campaign}: {done} of {of} {words}")


async def strike(folder: Path, operation: type[Act], part: str, aim: Aim) -> CampaignResult:
    done = await strike_targets(Plan(folder), tell, [Target(operation, part)], aim)
    print(f"{done.cycles} points in {done.took_s:.0f} s; {'; '.join(done.notes)}")
    return done


async def test_flt2_flt4_flt5_submit_survives_each_system_call_as_kill_eio_and_enospc(tmp_path: Path) -> None:
    done = await strike(tmp_path, Submit, "daemon", EVERYWHERE)
    assert [finding.words for finding in done.violations] == []
    assert done.cycles > 60


async def test_flt2_the_routers_outbox_survives_a_kill_at_each_system_call(tmp_path: Path) -> None:
    done = await strike(tmp_path, SubmitAway, "router", Aim([Fault.KILL]))
    assert [finding.words for finding in done.violations] == []
    assert done.cycles > 4


async def test_flt4_flt5_the_routers_outbox_survives_eio_and_enospc_where_it_makes_an_answer_durable(
    tmp_path: Path,
) -> None:
    # Each point is two pauses of the router; `crowdd certify` has the patience for its other calls, too.
    durable = Aim([Fault.EIO, Fault.ENOSPC], ["fsync", "rename"])
    done = await strike(tmp_path, SubmitAway, "router", durable)
    assert [finding.words for finding in done.violations] == []
    assert done.cycles >= 6


async def test_flt2_an_acknowledgement_before_the_commit_is_found_out(tmp_path: Path) -> None:
    kills = Aim([Fault.KILL], ["fdatasync", "pwrite64"])
    early = Plan(tmp_path, plant="ack before commit")
    done = await strike_targets(early, tell, [Target(Submit, "daemon")], kills)
    assert [finding for finding in done.violations if "is not stored" in finding.words]


async def test_flt5_a_run_whose_folders_find_no_space_goes_on_when_there_is_some(
    tmp_path: Path,
) -> None:
    folders = Aim([Fault.ENOSPC], ["mkdir", "mkdirat"])
    done = await strike_targets(Plan(tmp_path), tell, [Target(LaunchAndStop, "daemon")], folders)
    assert [finding.words for finding in done.violations] == []
    assert done.cycles > 3
