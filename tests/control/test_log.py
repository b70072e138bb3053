"""How much the daemon's parts say, over the control socket and by crowdctl."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from crowdd.client.exit_codes import ExitCode
from crowdd.logs.parts import PARTS, set_levels

from .fakes import Answer, Desk


@pytest.fixture(autouse=True)
def levels() -> Iterator[None]:
    """All parts at info; the levels of this process are put back at the end."""
    loggers = [logging.getLogger(part.logger) for part in PARTS.values()]
    before = [logger.level for logger in loggers]
    set_levels({"all": "info"})
    yield
    for logger, level in zip(loggers, before, strict=True):
        logger.setLevel(level)


async def post(desk: Desk, content: Any) -> Answer:
    return await desk.ask("POST", "/v1/log", json.dumps(content).encode())


async def test_a_level_is_changed_while_the_daemon_runs(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    answer = await post(desk, {"part": "daemon.worker_pool", "level": "debug"})
    assert answer.json() == {
        "part": "daemon.worker_pool",
        "level": "debug",
        "meaning": "workers let in and refused",
    }
    assert logging.getLogger("crowdd.daemon.worker_pool").isEnabledFor(logging.DEBUG)
    assert "daemon.worker_pool says debug from now on, for staff:" in caplog.text


async def test_the_parts_are_listed_without_those_of_routers(desk: Desk) -> None:
    await post(desk, {"part": "links", "level": "error"})
    parts = (await desk.ask("GET", "/v1/log")).json()["parts"]
    levels = {part["part"]: part["level"] for part in parts}
    assert levels == {name: "info" for name in PARTS if not name.startswith("router")} | {"links": "error"}


@pytest.mark.parametrize(
    ("content", "status", "code", "hint"),
    [
        ({"part": "worker_pool", "level": "info"}, 404, "no_such_part", "'daemon.worker_pool'"),
        ({"part": "links", "level": "verbose"}, 404, "no_such_level", "Known: debug"),
        ({"part": "router", "level": "debug"}, 409, "not_here", 'log_level = ["router=debug"]'),
        ({"part": "links"}, 400, "bad_request", ""),
        ({"part": 1, "level": "info"}, 400, "bad_request", ""),
        ({"part": "links", "level": "info", "for": 3}, 400, "bad_request", "Known: level, part"),
    ],
)
async def test_nonsense_is_refused_in_words(
    desk: Desk, content: Any, status: int, code: str, hint: str
) -> None:
    answer = await post(desk, content)
    assert (answer.status, answer.error()["code"]) == (status, code)
    assert hint in answer.error()["hint"]
    assert logging.getLogger(PARTS["links"].logger).getEffectiveLevel() == logging.INFO


async def test_crowdctl_changes_a_level(desk: Desk) -> None:
    result = await desk.crowdctl("log", "daemon.intake", "warning")
    assert (result.exit_code, result.output) == (ExitCode.OK, "daemon.intake logs from warning on.\n")
    assert logging.getLogger("crowdd.daemon.intake").level == logging.WARNING


async def test_crowdctl_says_a_level_to_programs(desk: Desk) -> None:
    result = await desk.crowdctl("log", "links", "debug", "--json")
    assert json.loads(result.output)["level"] == "debug"
    listed = json.loads((await desk.crowdctl("log", "--json")).output)
    assert {part["level"] for part in listed if part["part"] == "links"} == {"debug"}


async def test_crowdctl_lists_the_parts(desk: Desk) -> None:
    lines = (await desk.crowdctl("log")).output.splitlines()
    assert lines[0].split() == ["PART", "LEVEL", "WHAT"]
    assert "daemon.intake         info   answers stored" in lines


async def test_crowdctl_knows_the_nearest_part(desk: Desk) -> None:
    result = await desk.crowdctl("log", "daemon.workerpool", "debug")
    assert result.exit_code == ExitCode.REFUSED
    assert result.output == (
        "crowdctl: There is no part 'daemon.workerpool'.\n  Did you mean 'daemon.worker_pool'?\n"
    )


async def test_crowdctl_wants_a_level(desk: Desk) -> None:
    result = await desk.crowdctl("log", "links")
    assert result.exit_code == ExitCode.USAGE
    assert "Missing LEVEL: crowdctl log links debug" in result.output
