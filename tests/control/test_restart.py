"""Telling the daemon to go away for a restart, over the control socket and with crowdctl."""

import json
from typing import Any

import pytest

from crowdd.daemon.departure import Departure, Manner

from .fakes import Answer, Desk


async def restart(desk: Desk, content: Any) -> Answer:
    return await desk.ask("POST", "/v1/restart", json.dumps(content).encode())


async def test_a_restart_is_answered_and_then_carried_out(desk: Desk) -> None:
    answer = await restart(desk, {"epoch": desk.operator.storage.epoch})
    assert answer.json() == {"epoch": desk.operator.storage.epoch, "for_s": 120.0, "restarts": False}
    await desk.operator.departure.told.wait()
    assert desk.operator.departure.manner is Manner.SUSPEND


async def test_a_restart_that_is_asked_for_again_gets_the_same_answer(desk: Desk) -> None:
    first = await restart(desk, {"epoch": desk.operator.storage.epoch})
    assert (await restart(desk, {"epoch": desk.operator.storage.epoch})).json() == first.json()


async def test_the_next_daemon_is_not_restarted_by_a_request_for_the_one_before(desk: Desk) -> None:
    answer = await restart(desk, {"epoch": desk.operator.storage.epoch + 1})
    assert (answer.status, answer.error()["code"]) == (409, "restarted_already")
    assert desk.operator.departure.manner is None


async def test_a_daemon_that_says_goodbye_is_not_restarted(desk: Desk) -> None:
    desk.operator.departure.leave(Manner.STOP)
    answer = await restart(desk, {"epoch": desk.operator.storage.epoch})
    assert (answer.status, answer.error()["code"]) == (409, "stopping")


@pytest.mark.parametrize("content", [{}, {"epoch": "1"}, {"epoch": True}, {"epoch": 1.5}])
async def test_which_daemon_is_meant_must_be_said(desk: Desk, content: Any) -> None:
    assert (await restart(desk, content)).status == 400
    assert desk.operator.departure.manner is None


async def test_crowdctl_says_when_nobody_starts_the_daemon_again(desk: Desk) -> None:
    said = (await desk.crowdctl("restart")).output
    assert "do it as before (`crowdd serve`), within 2:00 min" in said
    assert json.loads((await desk.crowdctl("restart", "--json")).output) == {
        "restarted": False,
        "for_s": 120.0,
    }


async def test_crowdctl_says_where_to_look_when_a_service_is_not_back(desk: Desk) -> None:
    desk.operator.departure = Departure(restarts=True)
    result = await desk.crowdctl("restart", "--timeout", "0")
    assert (result.exit_code, "systemctl status crowdd" in result.stderr) == (3, True)
