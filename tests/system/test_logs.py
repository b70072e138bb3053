"""What a real daemon and its real router write about a worker's visit, and at their end."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import trio

from crowdd.testing.verdicts import Verdict

from .pages import open_pages
from .processes import Daemon, a_task

SERVE = [sys.executable, "-m", "crowdd.cli", "serve", "--data"]

pytestmark = pytest.mark.system


def facts(text: str) -> list[dict[str, Any]]:
    """Every line as JSON; what a router tells its starter on standard output is no line of the log."""
    return [json.loads(line) for line in text.splitlines() if not line.startswith("crowdd router ready on ")]


async def visit(daemon: Daemon, tmp_path: Path) -> tuple[str, str]:
    """A worker comes by a personal link and answers; gives the link's token and the agent's wire id."""
    label = await daemon.launch(a_task(tmp_path, rows=1))
    (link,) = await daemon.links(label, 1)
    async with open_pages([link]) as (page,):
        await page.register()
        submitted = await page.submit({"kind": "a\x1b[2J"})
        assert submitted.verdict is Verdict.OK
    await daemon.until(label, lambda shown: shown.state == "completed")
    (token,) = [value for values in parse_qs(urlsplit(link).query).values() for value in values]
    return token, page.agent


async def test_every_line_is_json_and_none_holds_a_wire_id_or_a_link(daemon: Daemon, tmp_path: Path) -> None:
    await daemon.start("--log-format", "json", "--log-level", "debug")
    token, wire_id = await visit(daemon, tmp_path)
    assert await daemon.terminate() == 0
    router_log = next(daemon.data.glob("runs/*/router/router.log")).read_text()
    said, router_said = facts(daemon.log), facts(router_log)
    for text in (daemon.log, router_log):
        assert wire_id not in text
        assert token not in text
        assert token.split(".")[1] not in text
    (submitted,) = [fact for fact in said if fact["part"] == "daemon.intake"]
    assert (submitted["run"], submitted["agent"], submitted["unit"], submitted["worker"]) == (1, 1, 1, 1)
    assert {"daemon.client_io", "daemon.worker_pool", "links", "storage"} <= {fact["part"] for fact in said}
    assert {fact.get("label") for fact in router_said} == {"static-words"}
    assert said[-1]["message"] == "goodbye"


async def test_a_level_is_changed_by_crowdctl_until_the_daemon_ends(daemon: Daemon, tmp_path: Path) -> None:
    await daemon.start("--log-format", "json", "--log-level", "error", "--log-level", "links=info")
    await daemon.ask("set_log_level", "daemon.client_io", "debug")
    await visit(daemon, tmp_path)
    assert await daemon.terminate() == 0
    assert {fact["part"] for fact in facts(daemon.log)} == {"links", "daemon.client_io"}


async def test_a_refusal_to_start_is_a_line_for_programs(daemon: Daemon) -> None:
    await daemon.start()
    command = [
        sys.executable,
        "-m",
        "crowdd.cli",
        "serve",
        "--data",
        str(daemon.data),
        "--log-format",
        "json",
    ]
    second = await trio.run_process(command, capture_stderr=True, check=False)
    assert second.returncode != 0
    assert [fact["level"] for fact in facts(second.stderr.decode())] == ["critical"]


def test_lines_have_priorities_where_systemd_reads_them(tmp_path: Path) -> None:
    command = [*SERVE, str(tmp_path), "--log-format", "json"]
    (tmp_path / "crowdd.db").write_text("no database")
    with (tmp_path / "stderr").open("w") as stream:
        facts = os.fstat(stream.fileno())
        environment = {**os.environ, "JOURNAL_STREAM": f"{facts.st_dev}:{facts.st_ino}"}
        subprocess.run(command, env=environment, stderr=stream, check=False)
    *_, line = (tmp_path / "stderr").read_text().splitlines()
    assert line.startswith("<2>{")
    assert json.loads(line[3:])["level"] == "critical"
