"""Plug-ins at work in a real daemon: an installed package's, and those of a task's own task.py."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import trio

from .processes import Daemon

ROOT = Path(__file__).parent.parent.parent
EXAMPLE = ROOT / "examples" / "plug-in"
PATIENCE_S = 120

TASK_PY = '''
"""A blueprint that doubles a number, and a provider that knows everybody by a nickname."""

import attrs

from crowdd.daemon.blueprints import Blueprint, Row, page_script
from crowdd.daemon.providers.mock import MockOptions, MockProvider

@attrs.frozen
class Options:
    up_to: int = 3

class Doubles(Blueprint):
    name = "doubles"
    Options = Options

    def check(self):
        return [] if self.options.up_to > 0 else ["blueprint.up_to: must be above 0"]

    def rows(self):
        return (Row({"number": n}, [{}]) for n in range(self.options.up_to))

    def page_files(self):
        page = '<!doctype html><script src="crowdd.js"></script><form>${number} <input name="twice"></form>'
        return {"index.html": page.encode(), "crowdd.js": page_script()}

class Nicknames(MockProvider):
    name = "nicknames"
'''


def run(*command: str | Path, env: dict[str, str] | None = None) -> str:
    ended = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, env=env, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The example package, installed where only this test's processes look. No network is needed."""
    target = tmp_path / "site"
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet")
    run(*pip, "--no-deps", "--no-build-isolation", "--no-index", "--target", target, EXAMPLE)
    monkeypatch.setenv("PYTHONPATH", str(target))
    return target


async def worked(daemon: Daemon, folder: Path, workers: list[str]) -> list[dict[str, object]]:
    """What simulated workers answered to the task, once the run has ended."""
    label = await daemon.launch(folder)
    links = await daemon.ask("links", label, workers)
    urls = [link.url for link in links]
    await trio.run_process(
        [sys.executable, "-m", "crowdd.cli", "bots", "--think", "0.01", *urls], capture_stdout=True
    )
    await daemon.until(label, lambda shown: shown.state == "completed")
    pieces = await trio.to_thread.run_sync(lambda: b"".join(daemon.client.export(label, "jsonl")))
    return [json.loads(line) for line in pieces.splitlines()]


@pytest.mark.system
@pytest.mark.usefixtures("installed")
async def test_an_installed_blueprint_and_provider_run_a_task(daemon: Daemon) -> None:
    await daemon.start()
    records = await worked(daemon, EXAMPLE / "task", ["ann", "bob"])
    assert {record["data"]["outputs"]["better"] for record in records} <= {"first", "second"}  # type: ignore[index]
    assert len(records) == 3
    assert {record["worker_name"] for record in records} <= {"ann", "bob"}


@pytest.mark.system
@pytest.mark.usefixtures("installed")
def test_what_the_plug_ins_find_wrong_is_told_before_the_launch(tmp_path: Path) -> None:
    folder = tmp_path / "task"
    folder.mkdir()
    (folder / "task.toml").write_text((EXAMPLE / "task" / "task.toml").read_text() + 'member = "x.csv"\n')
    (folder / "items.txt").write_text("only one\n")
    command = (sys.executable, "-m", "crowdd.cli", "check", str(folder))
    first = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    assert "provider.member: unknown; did you mean 'members'?" in first
    (folder / "task.toml").write_text((EXAMPLE / "task" / "task.toml").read_text())
    second = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    assert "items.txt: holds 1 items; from 2 to 500 can be compared" in second
    assert "panel.csv: cannot be read" in second


@pytest.mark.system
def test_the_examples_own_tests_hold(installed: Path) -> None:
    settings = ("--override-ini", "filterwarnings=error", "-p", "no:cacheprovider")
    environment = {**os.environ, "PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1"}
    said = run(
        sys.executable, "-m", "pytest", "-q", "--rootdir", EXAMPLE, "-c", os.devnull, *settings,
        EXAMPLE / "tests", env=environment,
    )  # fmt: skip
    assert "3 passed" in said


@pytest.mark.system
async def test_a_tasks_own_blueprint_and_provider_serve_its_run_only(daemon: Daemon, tmp_path: Path) -> None:
    task = tmp_path / "task"
    task.mkdir()
    (task / "task.py").write_text(TASK_PY)
    (task / "task.toml").write_text(
        'name = "doubles"\n[blueprint]\ntype = "doubles"\nup_to = 4\n[provider]\ntype = "nicknames"\n'
    )
    await daemon.start()
    records = await worked(daemon, task, ["ann"])
    assert [record["data"]["inputs"] for record in records] == [{"number": n} for n in range(4)]  # type: ignore[index]
    assert (await daemon.ask("show", "doubles")).sandbox is True

    (task / "task.py").unlink()
    said = await trio.to_thread.run_sync(
        lambda: (
            subprocess.run(
                [sys.executable, "-m", "crowdd.cli", "check", str(task)],
                capture_output=True,
                text=True,
                check=False,
            ).stdout
        )
    )
    assert "blueprint.type: there is no blueprint 'doubles'" in said
