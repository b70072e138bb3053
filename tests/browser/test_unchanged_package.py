"""The published npm package mephisto-task, unchanged, in a real browser, for live work of a real daemon."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from ..system.processes import Daemon
from .page import Page

pytestmark = [pytest.mark.browser, pytest.mark.system]

TASK = """
name = "unchanged"
[blueprint]
type = "live"
[provider]
type = "mock"
"""
CODE = """
async def run_unit(unit, agent):
    async for update in agent.updates():
        await agent.send({"echo": update["text"]})

functions = {"add": lambda caller, args: {"sum": args["a"] + args["b"]}, "fail": lambda caller, args: 1 // 0}
"""
ONBOARDING = """
async def run_onboarding(agent):
    await agent.send({"echo": "welcome"})
    return (await agent.receive())["text"] == "right"
"""


@pytest.fixture
def task(tmp_path: Path, bundle: Path) -> Path:
    folder = tmp_path / "task"
    (folder / "page").mkdir(parents=True)
    for name in ("index.html", "bundle.js"):
        shutil.copy(bundle / name, folder / "page" / name)
    (folder / "task.toml").write_text(TASK)
    (folder / "task.py").write_text(CODE)
    (folder / "data.jsonl").write_text('{"topic": "the weather"}\n' * 3)
    return folder


async def opened(daemon: Daemon, page: Page, task: Path, hook: str) -> str:
    """Start everything and open the page; the agent that it got."""
    await daemon.start()
    label = await daemon.launch(task)
    (link,) = await daemon.links(label, 1)
    page.driver.get(f"{link}&hook={hook}")
    return str(page.wait_for("window.mephisto?.agentId"))


def send(page: Page, text: str) -> None:
    page.run(f"window.mephisto.sendLiveUpdate({{text: {text!r}}}) && null")


def echoes(page: Page) -> list[str]:
    said: list[str] = page.run("window.mephisto.heard.map((update) => update.echo).filter(Boolean)")
    return said


def wait_echo(page: Page, text: str) -> None:
    page.wait_for(f"window.mephisto.heard.some((update) => update.echo === {text!r})")


async def call(page: Page, name: str, args: str) -> Any:
    """What a remote procedure gives, as text of JSON."""
    page.run(
        f"void window.mephisto.remoteProcedure({name!r})({args})"
        ".then((value) => { window.given = JSON.stringify({value}); })"
    )
    return page.wait_for("window.given")


async def test_a_talk_goes_on_over_a_reload_and_ends_with_an_answer(
    daemon: Daemon, page: Page, task: Path
) -> None:
    agent = await opened(daemon, page, task, "live")
    page.wait_for("window.mephisto.connectionStatus === 'connected'")
    send(page, "first")
    wait_echo(page, "first")
    page.reload()
    assert page.wait_for("window.mephisto?.agentId") == agent
    wait_echo(page, "first")
    page.wait_for("window.mephisto.connectionStatus === 'connected'")
    send(page, "second")
    wait_echo(page, "second")
    assert echoes(page) == ["first", "second"]
    page.run("void window.mephisto.handleSubmit({done: true})")
    shown = await daemon.until("unchanged", lambda shown: shown.units.get("completed") == 1)
    assert shown.units == {"completed": 1, "launched": 2}


async def test_a_daemon_that_is_killed_and_comes_back_is_not_noticed(
    daemon: Daemon, page: Page, task: Path
) -> None:
    await opened(daemon, page, task, "live")
    page.wait_for("window.mephisto.connectionStatus === 'connected'")
    send(page, "before")
    wait_echo(page, "before")
    daemon.kill()
    send(page, "while it is away")
    await daemon.start()
    wait_echo(page, "while it is away")
    send(page, "after")
    wait_echo(page, "after")
    assert echoes(page) == ["before", "while it is away", "after"]
    assert "mephisto disconnect" not in page.run("window.mephisto.statuses")


async def test_remote_procedures_resolve_also_those_that_fail_and_are_there_after_a_reload(
    daemon: Daemon, page: Page, task: Path
) -> None:
    await opened(daemon, page, task, "rpc")
    assert await call(page, "add", "{a: 20, b: 22}") == '{"value":{"sum":42}}'
    page.run("window.given = null")
    assert await call(page, "fail", "{}") == '{"value":null}'
    page.reload()
    page.wait_for("window.mephisto?.agentId")
    asked = page.run("window.mephisto.initialTaskData.previous_requests")
    assert [request["target"] for request in asked if request["args_json"] is not None] == ["add", "fail"]


async def test_who_passes_a_live_onboarding_talks_on_with_the_code_of_the_unit(
    daemon: Daemon, page: Page, task: Path
) -> None:
    (task / "task.toml").write_text(TASK + '[onboarding]\nqualification = "can talk"\n')
    (task / "task.py").write_text(CODE + ONBOARDING)
    onboarding = await opened(daemon, page, task, "live")
    assert onboarding.startswith("onboarding_")
    page.wait_for("window.mephisto.connectionStatus === 'connected'")
    wait_echo(page, "welcome")
    send(page, "right")
    page.wait_for("window.mephisto.agentStatus === 'waiting'")
    page.run("void window.mephisto.handleSubmit()")  # as pages with bootstrap-chat do at this status
    page.wait_for(f"window.mephisto.agentId && window.mephisto.agentId !== {onboarding!r}")
    page.wait_for("window.mephisto.connectionStatus === 'connected'")
    send(page, "at work")
    wait_echo(page, "at work")
    page.wait_for("window.mephisto.agentStatus === 'in task'")
    assert echoes(page) == ["welcome", "at work"]
