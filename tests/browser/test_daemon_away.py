"""A person in a real browser finishes while the daemon is away: nothing is lost, and the page stays calm."""

from pathlib import Path

import pytest

from ..system.processes import Daemon, a_task
from .page import Page
from .test_real_run import at_work, exported

pytestmark = [pytest.mark.browser, pytest.mark.system]


async def test_who_finishes_while_the_daemon_is_away_is_done_and_is_calmly_told_to_wait_for_the_next(
    daemon: Daemon, page: Page, tmp_path: Path
) -> None:
    label = await at_work(daemon, page, a_task(tmp_path, 2))
    page.wait_state("in task")
    daemon.kill()
    page.press("Save")
    page.wait_state("completed")
    page.press("Next")
    page.wait_state("connecting")
    page.wait_words("One moment, please.")
    await daemon.start()
    page.wait_state("in task")
    page.press("Save")
    page.wait_state("completed")
    await daemon.until(label, lambda shown: shown.state == "completed")
    assert [record["data"]["outputs"]["kind"] for record in await exported(daemon, label)] == ["a", "a"]
