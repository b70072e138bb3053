"""Staff and workers at the same time, in real processes: granted, blocked, judged, exported, explained."""

import json
from pathlib import Path

import pytest

from crowdd.protocol.names import Reason

from .pages import open_pages
from .processes import Daemon, a_task
from .test_crowdctl import crowdctl, done

pytestmark = pytest.mark.system
ASKS = '[[qualifications]]\nname = "trained"\ncomparator = "GreaterThanOrEqualTo"\nvalue = 2\n'


async def test_a_worker_is_granted_blocked_at_work_and_judged(daemon: Daemon, tmp_path: Path) -> None:
    await daemon.start()
    await done(daemon, "qualifications", "create", "trained")
    label = await daemon.launch(a_task(tmp_path, 3, ASKS), "label=words")
    (link,) = [each.url for each in await daemon.ask("links", label, ["ann"])]
    async with open_pages([link]) as (page,):
        assert (await page.register()).reason == Reason.NOT_QUALIFIED.value
        assert await done(daemon, "grant", "ann", "trained", "2") == "ann (worker 1) has trained=2 now.\n"
        assert (await page.register()).agent_id
        blocked = await done(daemon, "block", "inhouse:ann", "--reason", "answers at random")
        assert "may still submit that, and gets nothing else" in blocked
        assert (await page.submit({"kind": "a"})).verdict.value == "ok"
        assert (await page.register(after=page.agent)).reason == Reason.BLOCKED.value

    why = json.loads(await done(daemon, "why", "worker", "ann", "--run", "words", "--json"))
    outcomes = [(each["outcome"], each["reason"]) for each in why["decisions"]]
    assert (outcomes[0], outcomes[-1]) == (("refused", "not_qualified"), ("refused", "blocked"))

    await done(daemon, "stop", "words", "--now")
    await crowdctl(daemon, "wait", "words")
    assert await done(daemon, "reject", "1", "--note", "all the same") == "Agent 1 is rejected.\n"
    daemon.kill()
    await daemon.start()
    assert await done(daemon, "approve", "--unit", "1", "--note", "my mistake") == "Agent 1 is approved.\n"
    (record,) = [json.loads(line) for line in (await done(daemon, "export", "words")).splitlines()]
    assert (record["status"], record["review"]["note"]) == ("approved", "my mistake")
    told = json.loads(await done(daemon, "why", "agent", "1", "--json"))
    assert [each["outcome"] for each in told["decisions"]][-2:] == ["rejected", "approved"]
    assert json.loads(await done(daemon, "show", "words", "--json"))["owed"] == []
