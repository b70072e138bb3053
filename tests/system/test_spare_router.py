"""A run whose router was kept ready by the daemon: as any other, also when the daemon is killed."""

from pathlib import Path

import pytest

from ..process_table import first_of
from .processes import PAGE, Daemon

pytestmark = pytest.mark.system


def a_task(folder: Path) -> Path:
    (folder / "page").mkdir(parents=True)
    (folder / "task.toml").write_text('name = "words"\n')
    (folder / "data.jsonl").write_text('{"text": "word"}\n')
    (folder / "page" / "index.html").write_text(PAGE)
    return folder


async def test_a_router_that_was_kept_ready_is_adopted_by_the_next_daemon(
    daemon: Daemon, tmp_path: Path
) -> None:
    task = a_task(tmp_path / "task")
    await daemon.start()
    await daemon.launch(task)
    kept = await first_of(daemon.spare_pids)
    label = await daemon.launch(task)
    assert kept in daemon.router_pids()
    routers = daemon.router_pids()
    daemon.kill()
    await daemon.start()
    await daemon.until(label, lambda shown: shown.routers and shown.routers[0].up)
    assert daemon.router_pids() == routers
