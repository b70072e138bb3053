"""Two unchanged pages of the published mephisto-task in a group, within what is promised to them (P4).

To them everything arrives at least once, and their package drops repeats; from them at most once: what they
say while a router dies may be lost. A short restart of the daemon is not noticed.
"""

import os
import signal
from pathlib import Path

import pytest
import trio

from ..system.processes import Daemon
from .conftest import Seat
from .group_talk import Talk, UnchangedTab, new_router, talk_task, with_unchanged_page

pytestmark = [pytest.mark.browser, pytest.mark.system]

WITHOUT_NETWORK_S = 5.0


@pytest.fixture
def task(tmp_path: Path, bundle: Path) -> Path:
    return with_unchanged_page(talk_task(tmp_path, 2), bundle)


def both_hear(talk: Talk, *texts: str) -> None:
    """Until both were given these words of both; nothing ever twice, all in one order."""
    wanted = [f"{tab.name} {text}" for tab in talk.tabs for text in texts]
    for tab in talk.tabs:
        for words in wanted:
            tab.wait_for(f"mephisto.heard.some((update) => 'who' in update && update.text === {words!r})")
    first, second = (tab.heard for tab in talk.tabs)
    assert first == second
    assert len(first) == len({text for _, text in first})
    assert {text for _, text in first} <= {text for tab in talk.tabs for text in tab.said}


async def test_two_unchanged_pages_talk_on_through_what_they_are_promised(
    daemon: Daemon, seat: Seat, task: Path
) -> None:
    talk = await seat(task, 2, UnchangedTab)
    first, second = tabs = [tab for tab in talk.tabs if isinstance(tab, UnchangedTab)]
    talk.all_say("hello", 1)
    both_hear(talk, "hello 0")

    first.reload()
    first.wait_at_work()
    talk.all_say("after the reload", 1)
    both_hear(talk, "hello 0", "after the reload 0")

    before = second.run("sockets.length")
    with second.without_network():
        first.say("while one is offline")
        await trio.sleep(WITHOUT_NETWORK_S)
    second.wait_connected(since=before)
    second.say("while one is offline")
    both_hear(talk, "while one is offline")

    (router,) = routers = daemon.router_pids()
    sockets = [tab.run("sockets.length") for tab in tabs]
    talk.all_say("the router dies", 1)
    os.kill(router, signal.SIGKILL)
    await new_router(daemon, routers)
    for tab, count in zip(tabs, sockets, strict=True):
        tab.wait_connected(since=count)
    talk.all_say("with a new router", 1)
    both_hear(talk, "with a new router 0")

    daemon.kill()
    talk.all_say("without a daemon", 1)
    await daemon.start()
    talk.all_say("with a new daemon", 1)
    both_hear(talk, "without a daemon 0", "with a new daemon 0")
    for tab in tabs:
        assert "mephisto disconnect" not in tab.run("mephisto.statuses")

    await talk.all_submit()
    assert await talk.broken_promises() == []
