"""A newcomer in a real browser is onboarded by code of a real daemon, which is killed in the middle."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ..system.processes import Daemon
from .page import Page

pytestmark = [pytest.mark.browser, pytest.mark.system]

TASK = """
name = "talk"
[blueprint]
type = "live"
[provider]
type = "mock"
[onboarding]
qualification = "can talk"
data = { word = "blue" }
"""
CODE = """
async def run_onboarding(agent):
    await agent.send({"question": agent.unit.data["word"]})
    said = (await agent.receive())["text"]
    await agent.send({"heard": said})
    again = (await agent.receive())["text"]
    await agent.send({"heard": again})
    return again == "right"

async def run_unit(unit, agent):
    async for update in agent.updates():
        await agent.send({"echo": update["text"]})
"""
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Talk</title>
<script src="wrap_crowd_source.js"></script><script src="crowdd.js"></script>
<div data-crowdd="onboarding">The word is ${word}</div><div data-crowdd="task">Talk about ${topic}</div>
<script>
  const heard = [];
  crowdd.on("update", (update) => heard.push(update));
</script></html>
"""


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """A daemon that is not started yet; it and its routers are ended at the end."""
    daemon = Daemon(tmp_path / "data")
    try:
        yield daemon
    finally:
        daemon.clean_up()


@pytest.fixture
def task(tmp_path: Path) -> Path:
    folder = tmp_path / "task"
    (folder / "page").mkdir(parents=True)
    (folder / "page" / "index.html").write_text(PAGE)
    (folder / "task.toml").write_text(TASK)
    (folder / "task.py").write_text(CODE)
    (folder / "data.jsonl").write_text('{"topic": "the weather"}\n')
    return folder


async def newcomer(daemon: Daemon, page: Page, task: Path) -> str:
    await daemon.start()
    label = await daemon.launch(task)
    (link,) = await daemon.links(label, 1)
    page.driver.get(link)
    page.wait_for("heard.length === 1")
    assert page.state == "onboarding"
    return label


def say(page: Page, text: str) -> None:
    page.run(f"void crowdd.send({{text: {text!r}}})")


async def test_s6_a_newcomer_talks_over_a_kill_and_a_reload_and_goes_on_with_a_unit(
    daemon: Daemon, page: Page, task: Path
) -> None:
    label = await newcomer(daemon, page, task)
    say(page, "one")
    page.wait_for("heard.length === 2")
    daemon.kill()
    say(page, "right")
    await daemon.start()
    page.wait_state("in task")
    assert page.run("heard.map((update) => update.question || update.heard)") == ["blue", "one", "right"]
    say(page, "hello")
    page.wait_for("heard.some((update) => update.echo === 'hello')")
    page.reload()
    page.wait_for("heard.some((update) => update.echo === 'hello')")
    page.run("void crowdd.submit({done: true})")
    shown = await daemon.until(label, lambda shown: shown.state == "completed")
    assert shown.units == {"completed": 1}


async def test_s7_a_newcomer_who_fails_reads_why(daemon: Daemon, page: Page, task: Path) -> None:
    label = await newcomer(daemon, page, task)
    page.reload()
    page.wait_for("heard.length === 1")
    say(page, "one")
    say(page, "wrong")
    page.wait_state("failed to connect")
    page.wait_for("document.body.innerText.includes('not currently qualified')")
    shown = await daemon.until(label, lambda shown: shown.state == "running")
    assert shown.units == {"launched": 1}
