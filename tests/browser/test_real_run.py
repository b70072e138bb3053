"""A person in a real browser works for a real daemon, through its router: the first run as it is meant."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.common.keys import Keys

import crowdd.examples

from ..system.processes import Daemon, a_task
from .page import Page

pytestmark = [pytest.mark.browser, pytest.mark.system]

DIGITS = Path(crowdd.examples.__file__).parent / "digits"


def some_digits(folder: Path, count: int) -> Path:
    """The digits example with the first rows only."""
    task = folder / "digits"
    shutil.copytree(DIGITS, task)
    lines = (DIGITS / "data.jsonl").read_text().splitlines(keepends=True)
    (task / "data.jsonl").write_text("".join(lines[:count]))
    return task


async def at_work(daemon: Daemon, page: Page, task: Path, *overrides: str) -> str:
    """Start everything and open the first worker's link; the run's label."""
    await daemon.start()
    label = await daemon.launch(task, *overrides)
    (link,) = await daemon.links(label, 1)
    page.driver.get(link)
    return label


async def exported(daemon: Daemon, label: str) -> list[dict[str, Any]]:
    content = await daemon.ask("export", label)
    return [json.loads(line) for line in b"".join(content).splitlines()]


async def test_digits_are_labelled_to_the_end_and_exported(
    daemon: Daemon, page: Page, tmp_path: Path
) -> None:
    label = await at_work(daemon, page, some_digits(tmp_path, 2))
    page.press("I agree, let me start")
    for digit in ("7", "3"):
        page.wait_state("in task")
        page.driver.switch_to.active_element.send_keys(digit)
        page.driver.switch_to.active_element.send_keys(Keys.ENTER)
        page.wait_state("post-task")
        page.press("Easy")
        page.wait_state("completed")
        page.press("Next")
    page.wait_state("failed to connect")
    await daemon.until(label, lambda shown: shown.state == "completed")
    records = await exported(daemon, label)
    assert [record["data"]["outputs"]["label"] for record in records] == ["7", "3"]
    assert {record["data"]["inputs"]["_truth"] for record in records} == {"7", "3"}
    assert [record["post_task"] for record in records] == [{"ease": "easy"}] * 2


async def test_a_draft_survives_a_reload_and_the_unit_stays(
    daemon: Daemon, page: Page, tmp_path: Path
) -> None:
    label = await at_work(daemon, page, some_digits(tmp_path, 2))
    page.press("I agree, let me start")
    page.wait_state("in task")
    page.driver.switch_to.active_element.send_keys("4")
    agent = page.run("crowdd.agentId")
    page.reload()
    page.wait_words("Your draft is back")
    assert page.run("crowdd.agentId") == agent
    page.press("Save")
    page.wait_state("post-task")
    page.reload()
    page.wait_state("post-task")
    page.press("Next")
    page.wait_state("in task")
    assert page.run("crowdd.agentId") != agent
    assert (await exported(daemon, label))[0]["data"]["outputs"]["label"] == "4"


async def test_refusals_are_read_in_words(daemon: Daemon, page: Page, tmp_path: Path) -> None:
    task = a_task(tmp_path, 3, "[limits]\nmaximum_units_per_worker = 1\n")
    await at_work(daemon, page, task)
    page.press("Save")
    page.press("Next")
    page.wait_words("You have done as many units of this task as one person may. Thank you!")
    page.driver.get(page.driver.current_url[:-4] + "AAAA")
    page.wait_words("This link is not valid (any more). Please ask for a new one.")


async def test_a_unit_given_back_goes_to_somebody_else(daemon: Daemon, page: Page, tmp_path: Path) -> None:
    label = await at_work(daemon, page, a_task(tmp_path, 1))
    page.wait_state("in task")
    page.press("Give back")
    page.press("Yes, give back")
    page.wait_words("You gave this unit back.")
    _, other = await daemon.links(label, 2)
    page.driver.get(other)
    page.press("Save")
    page.wait_state("completed")
    await daemon.until(label, lambda shown: shown.state == "completed")


async def test_an_uploaded_file_arrives_byte_for_byte(daemon: Daemon, page: Page, tmp_path: Path) -> None:
    task = a_task(tmp_path, 1)
    body = "<form data-crowdd='task'>${text}<input type='file' name='photo'></form>"
    (task / "page" / "index.html").write_text(f"<script src='crowdd.js'></script>{body}")
    picture = tmp_path / "cat.png"
    picture.write_bytes(bytes(range(256)) * 4000)
    label = await at_work(daemon, page, task)
    page.find("[name=photo]").send_keys(str(picture))
    page.press("Save")
    page.wait_state("completed")
    (record,) = await exported(daemon, label)
    assert record["data"]["outputs"]["photo"] == "cat.png"
    kept = [path for path in daemon.data.glob("runs/*/files/**/*") if path.is_file()]
    assert [path.read_bytes() for path in kept] == [picture.read_bytes()]


async def test_a_stop_tells_the_page_which_goes_on_after_the_next_start(
    daemon: Daemon, page: Page, tmp_path: Path
) -> None:
    label = await at_work(daemon, page, a_task(tmp_path, 1), "limits.grace_s=0")
    page.wait_state("in task")
    assert await daemon.terminate() == 0
    page.wait_state("disconnected")
    page.wait_words("Your work is kept")
    await daemon.start()
    page.wait_state("in task")
    page.press("Save")
    page.wait_state("completed")
    assert len(await exported(daemon, label)) == 1
