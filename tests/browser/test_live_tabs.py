"""Groups in real tabs, through whatever happens: nothing is lost, repeated or reordered."""

import os
import signal
from pathlib import Path

import pytest
import trio

from ..system.processes import Daemon
from .conftest import Seat
from .group_talk import new_router, talk_task

pytestmark = [pytest.mark.browser, pytest.mark.system]

WITHOUT_NETWORK_S = 5.0


@pytest.mark.parametrize("size", [2, 5])
async def test_a_group_talks_on_through_everything(
    daemon: Daemon, seat: Seat, tmp_path: Path, size: int
) -> None:
    talk = await seat(talk_task(tmp_path, size), size)
    first, second = talk.tabs[:2]
    talk.all_say("hello")
    await talk.all_hear_all()

    talk.all_say("before the reload")
    first.reload()
    second.say("while it loads")
    first.wait_state("in task")
    talk.all_say("after the reload")
    await talk.all_hear_all()

    with second.without_network():
        talk.all_say("one of us is offline")
        second.wait_words("Offline, kept on this page")
        await trio.sleep(WITHOUT_NETWORK_S)
    await talk.all_hear_all()

    (router,) = before = daemon.router_pids()
    talk.all_say("the router dies")
    os.kill(router, signal.SIGKILL)
    talk.all_say("without a router")
    await new_router(daemon, before)
    talk.all_say("with a new router")
    await talk.all_hear_all()

    talk.all_say("the daemon dies")
    daemon.kill()
    talk.all_say("without a daemon")
    first.run("add(20, 22)")
    second.reload()
    await daemon.start()
    second.wait_state("in task")
    first.wait_for("sum === 42")
    talk.all_say("with a new daemon")
    await talk.all_hear_all()

    await talk.all_submit()
    assert await talk.broken_promises() == []


async def test_who_is_left_alone_is_told_and_saves_what_there_is(
    daemon: Daemon, seat: Seat, tmp_path: Path
) -> None:
    talk = await seat(talk_task(tmp_path, 2, "grace_s = 1"), 2)
    first, second = talk.tabs
    talk.all_say("hello")
    await talk.all_hear_all()
    second.say("goodbye")
    first.wait_for("heard.length === 5")
    talk.close(second)
    first.wait_words("Your partner has left")
    assert first.run("crowdd.reason") == "partner_left"
    first.submit()
    first.wait_saved()
    await daemon.until(talk.label, lambda shown: shown.units_done == 1)
    assert await talk.broken_promises() == []


async def test_a_group_goes_on_without_the_one_who_closed_the_tab(
    daemon: Daemon, seat: Seat, tmp_path: Path
) -> None:
    policy = 'grace_s = 1\npolicy = "go_on"'
    talk = await seat(talk_task(tmp_path, 5, policy, size_min=2), 5)
    talk.all_say("hello")
    await talk.all_hear_all()
    talk.close(talk.tabs[2])
    talk.all_say("one of us leaves")
    await daemon.until(talk.label, lambda shown: shown.agents.get("disconnect") == 1)
    talk.all_say("without them")
    await talk.all_hear_all()
    await talk.all_submit()
    assert await talk.broken_promises() == []
