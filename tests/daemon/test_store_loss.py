"""A lost store: nothing definite is said, everybody is told to try later, and the process ends; P12, FLT4."""

from pathlib import Path

import trio
from trio.testing import MockClock

from crowdd.daemon.store_loss import LAST_WORDS_S
from crowdd.testing.verdicts import Answered

from .disks import Disk
from .virtual import Virtual, VirtualPage, open_virtual


async def test_flt4_whoever_waits_when_the_disk_fails_is_told_to_try_later_at_once(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    disk = Disk()
    told: list[tuple[Answered, float]] = []

    async def submit(page: VirtualPage) -> None:
        answered = await page.submit({"kind": "a"})
        told.append((answered, trio.current_time()))

    async with open_virtual(tmp_path, disk.open) as virtual:
        run = await virtual.launch(units=3)
        pages = [await virtual.at_work(run, name) for name in ("ann", "bob", "cleo")]
        newcomer = await virtual.page(run, "dora")
        disk.slow_s = 20
        async with trio.open_nursery() as nursery:
            for page in pages:
                nursery.start_soon(submit, page)
            await trio.sleep(1)
            disk.fail()
            failed_at = trio.current_time()
            disk.slow_s = 0
            nursery.start_soon(newcomer.register)
        await until_lost(virtual)
        assert [answered.reason for answered, _ in told] == ["try_later"] * 3
        assert all(at - failed_at < LAST_WORDS_S + 0.5 for _, at in told)
        assert virtual.daemon.losses == ["the store failed: disk I/O error"]


async def test_p12_what_was_told_to_try_later_is_done_once_after_the_restart(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    disk = Disk()
    async with open_virtual(tmp_path, disk.open) as virtual:
        run = await virtual.launch(units=1)
        ann = await virtual.at_work(run, "ann")
        disk.fail()
        assert (await ann.submit({"kind": "a"})).reason == "try_later"
        await until_lost(virtual)
        await virtual.until_live(run.id)
        assert (await ann.submit({"kind": "a"})).told["status"] == "Submitted!"
        assert await virtual.storage.submissions_count(run.id) == 1


async def test_p12_a_page_that_comes_while_the_daemon_ends_is_told_to_try_later(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    disk = Disk()
    async with open_virtual(tmp_path, disk.open) as virtual:
        run = await virtual.launch(units=2)
        late = await virtual.page(run, "bob")
        ann = await virtual.at_work(run, "ann")
        disk.fail()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ann.submit, {"kind": "a"})
            await virtual.operator.loss.begun()
            refused = await late.register()
        assert (refused.agent_id, refused.reason) == ("", "try_later")
        await until_lost(virtual)
        await virtual.until_live(run.id)
        assert (await late.register()).agent_id


async def test_an_error_while_reading_ends_the_process_as_one_while_writing(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    disk = Disk()
    async with open_virtual(tmp_path, disk.open) as virtual:
        run = await virtual.launch(units=1)
        page = await virtual.page(run, "ann")
        disk.fail()
        assert (await page.register()).reason == "try_later"
        await until_lost(virtual)


async def until_lost(virtual: Virtual) -> None:
    """Return once a life of the daemon has ended by the loss of its store."""
    with trio.fail_after(30):
        while not virtual.daemon.losses:
            await trio.sleep(0.01)
