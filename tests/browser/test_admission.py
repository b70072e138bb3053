"""A person in a real browser on the way to work: onboarding, screening, gold, refusals."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import crowdd.examples
from crowdd.protocol.names import SENTENCES, Reason

from ..system.processes import Daemon, a_task
from .page import Page

pytestmark = [pytest.mark.browser, pytest.mark.system]

EXAMPLE = Path(crowdd.examples.__file__).parent / "digits-qualified"
SCREENING = '[limits]\nallowed_concurrent = 1\n[screening]\nqualification = "screened"\nmax_units = 5\n'
JUDGE = "def on_unit_submitted(agent): return agent.data.get('answer') == 'right'\n"
BROKEN_AT_FIRST = """
tried = []
def validate_onboarding(worker, data):
    tried.append(data)
    return len(tried) > 1 or 1 / 0
"""
FORM = "<form data-crowdd='task'><p>${text}</p><input name='answer' required></form>"


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """A daemon that is not started yet; it and its routers are ended at the end."""
    daemon = Daemon(tmp_path / "data")
    try:
        yield daemon
    finally:
        daemon.clean_up()


def digits(folder: Path) -> Path:
    return Path(shutil.copytree(EXAMPLE, folder / "digits"))


def a_judged_task(folder: Path, sections: str, code: str = JUDGE) -> Path:
    """A task with a form for one word, these sections and this task.py."""
    task = a_task(folder, 3, sections)
    (task / "task.py").write_text(code)
    (task / "page" / "index.html").write_text(f"<!doctype html><script src='crowdd.js'></script>{FORM}")
    return task


async def at_the_door(daemon: Daemon, page: Page, task: Path, *overrides: str) -> str:
    await daemon.start()
    label = await daemon.launch(task, *overrides)
    (link,) = await daemon.links(label, 1)
    page.driver.get(link)
    return label


def fill_in_the_onboarding(page: Page, digit: str) -> None:
    page.wait_state("onboarding")
    page.type("sample", digit)
    page.find("[name=hard][value=guess]").click()
    page.press("Start")


async def test_an_onboarding_passed_leads_to_the_first_unit(
    daemon: Daemon, page: Page, tmp_path: Path
) -> None:
    await at_the_door(daemon, page, digits(tmp_path))
    page.wait_state("onboarding")
    onboarding = page.run("crowdd.agentId")
    page.reload()
    page.wait_state("onboarding")
    assert page.run("crowdd.agentId") == onboarding
    fill_in_the_onboarding(page, "7")
    page.wait_state("in task")
    page.wait_words("You passed the introduction")
    assert not page.is_shown("[name=sample]")
    agent = page.run("crowdd.agentId")
    page.reload()
    page.wait_state("in task")
    assert page.run("crowdd.agentId") == agent != onboarding


async def test_an_onboarding_failed_is_said_in_the_tasks_words_and_stays_so(
    daemon: Daemon, page: Page, tmp_path: Path
) -> None:
    await at_the_door(daemon, page, digits(tmp_path))
    fill_in_the_onboarding(page, "1")
    for _ in range(2):
        page.wait_state("failed to connect")
        page.wait_words("we look for people who read these digits a little differently")
        assert not page.is_shown("[name=sample]")
        page.reload()


async def test_a_validator_that_fails_keeps_the_page_trying_until_it_is_mended(
    daemon: Daemon, page: Page, tmp_path: Path
) -> None:
    task = digits(tmp_path)
    (task / "task.py").write_text((EXAMPLE / "task.py").read_text() + BROKEN_AT_FIRST)
    await at_the_door(daemon, page, task)
    fill_in_the_onboarding(page, "7")
    page.wait_words("Not saved yet")
    page.press("Try now")
    page.wait_state("in task")


async def test_a_stop_during_the_onboarding_is_only_a_pause(
    daemon: Daemon, page: Page, tmp_path: Path
) -> None:
    await at_the_door(daemon, page, digits(tmp_path), "limits.grace_s=0")
    page.wait_state("onboarding")
    page.type("sample", "7")
    assert await daemon.terminate() == 0
    page.wait_words("Paused")
    await daemon.start()
    page.wait_state("onboarding")
    assert page.value("sample") == "7"
    fill_in_the_onboarding(page, "7")
    page.wait_state("in task")


async def test_golds_answered_wrong_are_the_end(daemon: Daemon, page: Page, tmp_path: Path) -> None:
    await at_the_door(daemon, page, digits(tmp_path), "gold.min_golds=3")
    fill_in_the_onboarding(page, "7")
    for _ in range(2):
        page.wait_state("in task")
        assert not page.run("'_truth' in crowdd.data")
        page.run("document.querySelector('[name=label]').removeAttribute('pattern')")
        page.type("label", "x")
        page.press("Save")
        page.wait_state("completed")
        page.press("Next")
    page.wait_words("we look for people who read these digits a little differently")


@pytest.mark.parametrize(("answer", "told"), [("right", "In progress"), ("wrong", SENTENCES[Reason.BLOCKED])])
async def test_a_screening_decides_what_comes_next(
    daemon: Daemon, page: Page, tmp_path: Path, answer: str, told: str
) -> None:
    code = JUDGE + "def screening_units():\n    while True: yield {'text': 'Are you awake?'}\n"
    task = a_judged_task(tmp_path, SCREENING, code)
    await at_the_door(daemon, page, task, "block_qualification=banned")
    page.wait_state("in task")
    assert "Are you awake?" in page.find("form").text
    page.type("answer", answer)
    page.press("Save")
    page.wait_state("completed")
    page.press("Next")
    page.wait_words(told)


@pytest.mark.parametrize(
    ("sections", "code", "reason"),
    [
        ('[[qualifications]]\nname = "english"\ncomparator = "Exists"\n', "", Reason.NOT_QUALIFIED),
        ("", "def worker_can_do_unit(worker, unit): return False\n", Reason.NO_MATCH),
        ("", "def filter_units_for_worker(units, worker): return 1 / 0\n", Reason.TRY_LATER),
    ],
)
async def test_a_refusal_is_read_in_its_own_sentence(
    daemon: Daemon, page: Page, tmp_path: Path, sections: str, code: str, reason: Reason
) -> None:
    task = a_task(tmp_path, 3, sections)
    (task / "task.py").write_text(code)
    await daemon.start()
    await daemon.ask("create_qualification", "english")
    label = await daemon.launch(task)
    (link,) = await daemon.links(label, 1)
    page.driver.get(link)
    page.wait_words(SENTENCES[reason])


async def test_who_comes_when_all_is_taken_reads_so_and_then_of_the_block(
    daemon: Daemon, page: Page, tmp_path: Path
) -> None:
    await daemon.start()
    label = await daemon.launch(a_task(tmp_path, 1))
    first, second = await daemon.links(label, 2)
    page.driver.get(first)
    page.wait_state("in task")
    page.driver.get(second)
    page.wait_words(SENTENCES[Reason.NO_AVAILABLE_UNITS])
    await daemon.ask("block", ["inhouse:worker-1"], "a test")
    page.press("Try again")
    page.wait_words(SENTENCES[Reason.BLOCKED])


async def test_who_comes_by_another_link_while_at_work_reads_that_one_unit_at_once_is_all(
    daemon: Daemon, page: Page, tmp_path: Path
) -> None:
    await daemon.start()
    label = await daemon.launch(a_task(tmp_path, 3, "[limits]\nallowed_concurrent = 1\n"))
    (link,) = await daemon.links(label, 1)
    page.driver.get(link)
    page.wait_state("in task")
    await daemon.ask("revoke_link_of", label, "worker-0")
    (other,) = await daemon.links(label, 1)
    assert other != link
    page.driver.get(other)
    page.wait_words(SENTENCES[Reason.TOO_MANY_CONCURRENT])


async def test_a_paused_and_an_ended_run_say_so(daemon: Daemon, page: Page, tmp_path: Path) -> None:
    await daemon.start()
    label = await daemon.launch(a_task(tmp_path, 1))
    first, second = await daemon.links(label, 2)
    await daemon.ask("pause", label)
    page.driver.get(second)
    page.wait_words(SENTENCES[Reason.PAUSED])
    await daemon.ask("resume", label)
    page.press("Try now")
    page.wait_state("in task")
    page.press("Save")
    page.wait_state("completed")
    page.driver.get(first)
    page.wait_words(SENTENCES[Reason.RUN_ENDED])
