"""Having the configuration read again, over the control socket and with crowdctl."""

import json

from crowdd.daemon.reloading import Reloaded
from crowdd.daemon.structuring import Faults

from .fakes import Desk


async def test_a_reload_says_what_it_took_up_and_what_waits_for_a_restart(desk: Desk) -> None:
    desk.operator.reloaded = Reloaded(
        ("log.level: a is now b",), ("data: c is now d",), ("CROWDD_X: unknown",)
    )
    answer = await desk.ask("POST", "/v1/reload", b"{}")
    assert answer.json() == {
        "taken_up": ["log.level: a is now b"],
        "needs_restart": ["data: c is now d"],
        "warnings": ["CROWDD_X: unknown"],
    }


async def test_a_fault_is_told_with_all_that_is_wrong(desk: Desk) -> None:
    desk.operator.reloaded = Faults(["crowdd.toml:1: lgo: unknown", "crowdd.toml:2: pace: no table"])
    answer = await desk.ask("POST", "/v1/reload", b"{}")
    assert (answer.status, answer.json()["error"]["code"]) == (422, "reload_refused")
    assert answer.json()["error"]["problems"] == [
        "crowdd.toml:1: lgo: unknown",
        "crowdd.toml:2: pace: no table",
    ]


async def test_crowdctl_reload_fails_when_nothing_was_taken_up_for_a_fault(desk: Desk) -> None:
    desk.operator.reloaded = Faults(["crowdd.toml:1: lgo: unknown; did you mean 'log'?"])
    ran = await desk.crowdctl("reload")
    assert ran.exit_code != 0
    assert "everything stays as it was" in ran.output
    assert "crowdd.toml:1: lgo: unknown; did you mean 'log'?" in ran.output


async def test_crowdctl_reload_is_for_programs_too(desk: Desk) -> None:
    ran = await desk.crowdctl("reload", "--json")
    assert json.loads(ran.output) == {"taken_up": [], "needs_restart": [], "warnings": []}
