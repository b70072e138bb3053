"""Links that staff revoke while people work by them, on the virtual clock."""

from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from crowdd.daemon.providers.contract import LinkUnknown
from crowdd.protocol.names import AgentStatus, UnitStatus
from crowdd.testing.verdicts import Verdict

from .virtual import open_virtual

STAFF = "staff:ann"


async def test_from_the_next_request_on_the_link_is_refused_and_its_open_page_may_still_send(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch()
        ((_, url),) = await virtual.operator.links(run.id, ["ann"])
        ann = await virtual.at_work(run, "ann")
        revocation = await virtual.operator.revoke_link(url, False, STAFF)
        assert (revocation.link.worker_name, revocation.run.label) == ("ann", "digits")
        assert (revocation.at_work, revocation.ended) == (1, 0)
        working = ann.agent
        assert (await ann.register()).reason == "identity_unverified"
        ann.agent = working
        assert (await ann.submit({"answer": 1})).verdict is Verdict.OK


async def test_now_takes_the_unit_back_for_others_and_history_says_who(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(units=1)
        ann = await virtual.at_work(run, "ann")
        revocation = await virtual.operator.revoke_link_of(run.id, "ann", True, STAFF)
        assert (revocation.at_work, revocation.ended) == (0, 1)
        assert await virtual.units(run) == [UnitStatus.LAUNCHED]
        assert (await ann.submit({"answer": 1})).reason == "identity_unverified"
        (agent,) = await virtual.storage.agents(run.id)
        last = (await virtual.storage.history("agent", agent.id))[-1]
        assert (agent.status, last.who, last.why) == (AgentStatus.RETURNED, STAFF, "link revoked")
        assert (await (await virtual.page(run, "bob")).register()).agent_id


async def test_now_takes_back_a_unit_that_is_kept_over_a_restart(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(units=1)
        await virtual.at_work(run, "ann")
        virtual.daemon.stop(down_s=1)
        await trio.sleep(60)
        await virtual.until_live(run.id)
        assert await virtual.units(run) == [UnitStatus.ASSIGNED]
        assert (await virtual.operator.revoke_link_of(run.id, "ann", True, STAFF)).ended == 1
        assert await virtual.units(run) == [UnitStatus.LAUNCHED]


async def test_a_link_to_a_run_that_is_not_held_any_more_is_revoked_too(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch()
        ((_, url),) = await virtual.operator.links(run.id, ["ann"])
        await virtual.operator.stop(run.id, True, STAFF)
        await trio.sleep(3600)
        assert virtual.operator.live(run.id) is None
        assert (await virtual.operator.revoke_link(url, False, STAFF)).link.worker_name == "ann"


@pytest.mark.parametrize("text", ["", "nonsense", "http://127.0.0.1/?link=a.b"])
async def test_what_no_provider_made_is_nobodys_link(
    tmp_path: Path, autojump_clock: MockClock, text: str
) -> None:
    async with open_virtual(tmp_path) as virtual:
        await virtual.launch()
        with pytest.raises(LinkUnknown):
            await virtual.operator.revoke_link(text, False, STAFF)


async def test_a_provider_without_links_says_so(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(provider="mock")
        with pytest.raises(LinkUnknown, match="have no personal links"):
            await virtual.operator.revoke_link_of(run.id, "ann", False, STAFF)
