"""Real processes: what a router calls submitted while the daemon is away is there afterwards."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import trio

from crowdd.testing.verdicts import Answered, Verdict

from ..attacks.samples import SCRIPT, png
from .pages import Page, open_pages
from .processes import READY_S, Daemon, Router, a_task
from .test_remote import tell_of

pytestmark = pytest.mark.system

REMOTE = 'shared_origin = true\n[architect]\ntype = "remote"\nrouters = ["west"]\n'
PNG = b"\x89PNG\r\n\x1a\n a photo"


@pytest.fixture
async def router(tmp_path: Path) -> AsyncIterator[Router]:
    """A router that is a service of its own; ended after the test."""
    router = Router(tmp_path / "west", shared_origin=True)
    await router.start()
    try:
        yield router
    finally:
        router.kill()


async def begun(
    daemon: Daemon, router: Router, folder: Path, rows: int, settings: str = ""
) -> tuple[str, list[str]]:
    """A run whose workers come by the router; its label and two links. `settings` are of its task.toml."""
    tell_of(daemon.data, "127.0.0.1", west=router)
    await daemon.start("--routers", str(daemon.data / "routers.toml"))
    task = a_task(folder, rows)
    document = (task / "task.toml").read_text()
    name, rest = document.split("\n", 1)
    (task / "task.toml").write_text(f"{name}\n{REMOTE}{settings}{rest}")
    label = await daemon.launch(task)
    return label, await daemon.links(label, 2)


async def exported(daemon: Daemon, label: str) -> list[dict[str, Any]]:
    content = b"".join(await daemon.ask("export", label))
    return [orjson.loads(line) for line in content.splitlines()]


async def submitted_with_a_photo(page: Page, photo: bytes = PNG) -> Answered:
    body = {"USED_AGENT_ID": page.agent, "final_data": {"kind": "a"}}
    return await page.doors.post("submit_task", body, 40.0, [photo])


async def test_p1_what_a_router_calls_submitted_survives_both_of_them(
    daemon: Daemon, router: Router, tmp_path: Path
) -> None:
    label, links = await begun(daemon, router, tmp_path, rows=2)
    async with open_pages(links) as (ann, bob):
        await ann.register()
        await bob.register()
        daemon.kill()
        assert (await submitted_with_a_photo(ann)).verdict is Verdict.OK
        assert (await bob.submit({"kind": "b"})).verdict is Verdict.OK
        router.kill()
        await router.start()
        assert (await bob.submit({"kind": "b"})).verdict is Verdict.OK
        assert (await bob.submit({"kind": "other"})).verdict is Verdict.REFUSED
    await daemon.start("--routers", str(daemon.data / "routers.toml"))
    shown = await daemon.until(label, lambda shown: shown.state == "completed")
    records = await exported(daemon, label)
    assert sorted(record["data"]["outputs"]["kind"] for record in records) == ["a", "b"]
    photo = daemon.data / "runs" / str(shown.id) / "files" / hashlib.sha256(PNG).hexdigest()
    assert photo.read_bytes() == PNG
    assert list(await daemon.ask("late", label)) == []


async def test_sec10_a_router_without_its_daemon_takes_files_of_the_types_that_the_run_takes(
    daemon: Daemon, router: Router, tmp_path: Path
) -> None:
    types = '[uploads]\ntypes = ["image/*"]\n'
    label, links = await begun(daemon, router, tmp_path, rows=1, settings=types)
    async with open_pages(links[:1]) as (ann,):
        await ann.register()
        assert (await submitted_with_a_photo(ann, SCRIPT)).reason == "file_type"
        daemon.kill()
        router.kill()
        await router.start()
        assert (await submitted_with_a_photo(ann, SCRIPT)).reason == "file_type"
        assert (await submitted_with_a_photo(ann, png())).verdict is Verdict.OK
    await daemon.start("--routers", str(daemon.data / "routers.toml"))
    shown = await daemon.until(label, lambda shown: shown.state == "completed")
    files = daemon.data / "runs" / str(shown.id) / "files"
    assert [path.read_bytes() for path in files.iterdir()] == [png()]


async def test_a_run_is_not_taken_off_a_router_that_keeps_something_and_what_comes_late_is_shown(
    daemon: Daemon, router: Router, tmp_path: Path
) -> None:
    label, links = await begun(daemon, router, tmp_path, rows=2)
    kept = router.folder / "kept" / "runs" / label
    async with open_pages(links[:1]) as (ann,):
        await ann.register()
        daemon.kill()
        assert (await ann.submit({"kind": "a"})).verdict is Verdict.OK
        assert len(list((kept / "outbox").iterdir())) == 1
        router.kill()
    await daemon.start("--routers", str(daemon.data / "routers.toml"))
    await daemon.ask("stop", label, True)
    await daemon.until(label, lambda shown: shown.state == "stopped")
    await router.start()
    await daemon.until(label, lambda shown: shown.late == 1)
    (late,) = await daemon.ask("late", label)
    assert (late.data, late.kind, late.status) == ({"kind": "a"}, "answer", "disconnect")
    assert late.why == "staff had ended the run, and its unit is not to be done any more"
    with trio.fail_after(READY_S):
        while list((kept / "outbox").iterdir()):
            await trio.sleep(0.02)


async def test_flt17_an_upload_that_is_damaged_on_the_router_holds_up_nothing_and_staff_are_told(
    daemon: Daemon, router: Router, tmp_path: Path
) -> None:
    label, links = await begun(daemon, router, tmp_path, rows=2)
    kept = router.folder / "kept" / "runs" / label
    async with open_pages(links) as (ann, bob):
        await ann.register()
        await bob.register()
        daemon.kill()
        assert (await submitted_with_a_photo(ann)).verdict is Verdict.OK
        assert (await bob.submit({"kind": "b"})).verdict is Verdict.OK
    (photo,) = (kept / "files").iterdir()
    photo.write_bytes(PNG[:-1] + b"!")
    await daemon.start("--routers", str(daemon.data / "routers.toml"))
    await daemon.until(label, lambda shown: [each.outbox for each in shown.routers] == [{"set_aside": 1}])
    (lack,) = (await daemon.ask("status")).degraded
    assert lack.words.startswith("1 thing that pages were told is submitted could not be delivered")
    (aside,) = (kept / "set_aside").iterdir()
    assert {path.name for path in aside.iterdir()} == {"answer", photo.name}
    assert f"{photo.name} is damaged" in router.log
    await daemon.until(label, lambda shown: shown.units_done == 1)
    (record,) = await exported(daemon, label)
    assert record["data"]["outputs"]["kind"] == "b"
