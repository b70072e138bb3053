"""Power cuts on a real disk: what was called saved is there afterwards; what is not synced is found out."""

from pathlib import Path

import pytest
import trio

from crowdd.testing.certify.disk_mutants import DISK_MUTANTS
from crowdd.testing.certify.findings import CampaignResult, Plan
from crowdd.testing.certify.power_cuts import power_cuts_refusal, run

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(power_cuts_refusal() is not None, reason=str(power_cuts_refusal())),
]

CUTS = 20


def tell(campaign: str, done: int, of: int, words: str = "") -> None:
    """Say how far it is to whoever runs this test alone, with -s."""
    print(f"{campaign}: {done} of {of} {words}")


async def cut(folder: Path, plant: str = "") -> CampaignResult:
    done = await run(Plan(folder, power_cuts=CUTS, plant=plant), tell)
    print(f"{done.cycles} cuts, {dict(done.operations)} in {done.took_s:.0f} s")
    print(*(finding.words for finding in done.violations), sep="\n")
    return done


async def test_flt3_after_twenty_power_cuts_nothing_that_was_acknowledged_is_lost(tmp_path: Path) -> None:
    done = await cut(tmp_path)
    assert [finding.words for finding in done.violations] == []
    assert done.cycles == CUTS
    assert done.operations["submit"] > CUTS


@pytest.mark.parametrize("fault", DISK_MUTANTS)
async def test_flt3_what_is_called_saved_before_it_is_on_the_disk_is_found_out(
    tmp_path: Path, fault: str
) -> None:
    done = await cut(tmp_path, fault)
    assert [finding for finding in done.violations if "are lost" in finding.words]


async def test_whoever_ends_a_campaign_of_power_cuts_ends_all_of_it(tmp_path: Path) -> None:
    with trio.move_on_after(60) as waiting:
        await run(Plan(tmp_path, power_cuts=1000), lambda campaign, done, of, words="": waiting.cancel())
    assert waiting.cancelled_caught
    assert [line for line in Path("/proc/mounts").read_text().splitlines() if str(tmp_path) in line] == []
    assert processes_about(tmp_path) == []


def processes_about(folder: Path) -> list[int]:
    """Those whose arguments name this folder."""
    found: list[int] = []
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = each.read_bytes()
        except OSError:
            continue  # it has just ended
        if str(folder).encode() in words:
            found.append(int(each.parent.name))
    return found
