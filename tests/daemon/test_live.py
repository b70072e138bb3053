"""Live work of one worker: what user code is given and what its page sees, over breaks of every kind."""

from pathlib import Path

import trio
from tests.daemon.live_pages import ECHO, live_page
from tests.daemon.virtual import open_virtual
from trio.testing import MockClock

from crowdd.daemon.clock import simulated_wall
from crowdd.protocol.names import AgentStatus, PieceKind, UnitStatus
from crowdd.storage.records import JournalEntry
from crowdd.testing.verdicts import Verdict


async def test_a_unit_echoes_what_its_page_sends(autojump_clock: MockClock, tmp_path: Path) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(code=ECHO, blueprint__type="echo")
        page = await virtual.at_work(run, "anna")
        async with live_page(page) as live:
            for text in "abc":
                await live.send({"text": text})
            assert await live.until(3) == [
                {"echo": text, "count": count} for count, text in enumerate("abc", 1)
            ]
            assert (await page.submit({"done": True})).verdict is Verdict.OK
        await trio.sleep(1)
        assert await virtual.agents(run) == [AgentStatus.COMPLETED]


async def test_user_code_that_raises_ends_its_unit_alone_and_says_so(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(code=ECHO, blueprint__type="echo")
        pages = [await virtual.at_work(run, name) for name in ("anna", "bert")]
        async with live_page(pages[0]) as anna, live_page(pages[1]) as bert:
            await anna.send({"no text": True})
            await bert.send({"text": "still here"})
            await bert.until(1)
            await trio.sleep(1)
            assert anna.statuses()[-1] == "disconnect"
        assert await virtual.agents(run) == [AgentStatus.DISCONNECT, AgentStatus.IN_TASK]
        (error,) = await virtual.storage.errors(run.id)
        assert "KeyError" in str(error.data)


async def test_a_unit_that_was_given_back_begins_anew_with_the_next_worker(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(units=1, code=ECHO, blueprint__type="echo")
        page = await virtual.at_work(run, "anna")
        async with live_page(page) as live:
            await live.send({"text": "mine"})
            await live.until(1)
            await page.doors.post("return_unit", {"USED_AGENT_ID": page.agent}, 60)
        other = await virtual.at_work(run, "bert")
        async with live_page(other) as live:
            await live.send({"text": "his"})
            assert await live.until(1) == [{"echo": "his", "count": 1}]
            assert (await other.submit({"done": True})).verdict is Verdict.OK
        assert await virtual.agents(run) == [AgentStatus.RETURNED, AgentStatus.COMPLETED]


async def test_an_echo_goes_on_where_it_was_after_the_daemon_was_killed(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(code=ECHO, blueprint__type="echo")
        page = await virtual.at_work(run, "anna")
        async with live_page(page) as live:
            await live.send({"text": "a"})
            await live.until(1)
            virtual.daemon.kill(2)
            await live.send({"text": "b"})
            await virtual.until_live(run.id)
            await live.send({"text": "c"})
            assert await live.until(3) == [
                {"echo": text, "count": count} for count, text in enumerate("abc", 1)
            ]


async def test_a_page_that_stays_away_for_longer_than_the_grace_loses_its_unit(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(code=ECHO, blueprint__type="echo", units=1)
        page = await virtual.at_work(run, "anna")
        async with live_page(page) as live:
            await live.send({"text": "a"})
            await live.until(1)
        await trio.sleep(29)
        assert await virtual.agents(run) == [AgentStatus.IN_TASK]
        await trio.sleep(10)
        assert await virtual.agents(run) == [AgentStatus.DISCONNECT]
        assert await virtual.units(run) == [UnitStatus.LAUNCHED]


async def test_who_is_back_in_time_after_a_stop_goes_on_where_the_work_was(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(code=ECHO, blueprint__type="echo")
        page = await virtual.at_work(run, "anna")
        async with live_page(page) as live:
            await live.send({"text": "a"})
            await live.until(1)
            virtual.daemon.stop(300)  # for longer than a live unit stays reserved
            await trio.sleep(60)
            assert live.statuses()[-1] == "disconnect"
        await trio.sleep(250)
        await virtual.until_live(run.id)
        again = await page.register()
        assert again.told["init_task_data"]["past_live_updates"][-1]["count"] == 1
        async with live_page(page, seen=1) as live:
            await live.send({"text": "b"})
            assert await live.until(1) == [{"echo": "b", "count": 2}]


async def test_x10_a_burst_of_a_hundred_arrives_in_order_both_ways_across_a_drop(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(code=ECHO, blueprint__type="echo")
        page = await virtual.at_work(run, "anna")
        async with live_page(page) as live:
            for n in range(60):
                await live.send({"text": n})
            before = await live.until(1)
            stream, sent, seen = live.stream, live.sent, len(before)
        await trio.sleep(5)
        async with live_page(page, seen) as live:
            live.stream, live.sent = stream, sent
            for n in range(60, 100):
                await live.send({"text": n})
            after = await live.until(100 - seen)
        assert [update["echo"] for update in [*before[:seen], *after]] == list(range(100))


async def test_x14_a_page_whose_clock_is_a_day_off_is_told_that_the_daemon_lives(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(code=ECHO, blueprint__type="echo")
        for name, off_s in (("anna", 86_400.0), ("bert", -86_400.0)):
            page = await virtual.at_work(run, name)
            async with live_page(page) as live:
                for _ in range(10):
                    its_clock = simulated_wall().timestamp() + off_s
                    await live.say("heartbeat", {}, client_timestamp=its_clock)
                    await trio.sleep(6)
                pings = [p for p in live.heard if p["packet_type"] == "heartbeat"]
                ages = [p["client_timestamp"] - p["data"]["last_mephisto_ping"] / 1000 for p in pings]
                assert len(ages) == 10
                assert all(abs(age) < 20 for age in ages)  # seconds, after which the page would give up


async def test_x16_a_closed_tab_is_noticed_within_two_seconds(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(code=ECHO, blueprint__type="echo")
        page = await virtual.at_work(run, "anna")
        (agent,) = await virtual.storage.agents(run.id)
        live_run = await virtual.until_live(run.id)
        async with live_page(page) as live:
            await live.send({"text": "a"})
            await live.until(1)
            assert live_run.is_present(agent.wire_id)
        await trio.sleep(2)
        assert not live_run.is_present(agent.wire_id)


async def test_x11_an_update_that_is_too_large_is_refused_and_affects_nobody_else(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(code=ECHO, blueprint__type="echo")
        anna, bert = [await virtual.at_work(run, name) for name in ("anna", "bert")]
        async with live_page(anna) as large, live_page(bert) as other:
            await large.send({"text": "x" * 5_000_000})
            await other.send({"text": "hello"})
            assert await other.until(1) == [{"echo": "hello", "count": 1}]
            await trio.sleep(1)
            assert [packet["packet_type"] for packet in large.heard if packet["packet_type"] == "error"]
        async with live_page(anna) as large:
            await large.send({"text": "small"})
            assert await large.until(1) == [{"echo": "small", "count": 1}]


async def test_a_piece_that_cannot_be_carried_on_ends_alone(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    """Its journal is not one: the store is whole, and yet nobody can make sense of what it says."""
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(code=ECHO, blueprint__type="echo")
        pages = [await virtual.at_work(run, name) for name in ("anna", "bert")]
        async with live_page(pages[1]) as bert:
            units = [agent.unit_id for agent in await virtual.storage.agents(run.id)]
            now = simulated_wall()
            strange = JournalEntry(PieceKind.UNIT, units[0], 2, "what is this", None, {}, now)
            await virtual.storage.add_live([], [strange])
            virtual.daemon.kill(1)
            await virtual.until_live(run.id)
            await bert.send({"text": "still here"})
            await bert.until(1)
        assert await virtual.agents(run) == [AgentStatus.DISCONNECT, AgentStatus.IN_TASK]


async def test_a_page_that_registers_and_never_connects_is_lost_after_the_grace(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(code=ECHO, blueprint__type="echo")
        await virtual.at_work(run, "anna")
        await trio.sleep(40)
        assert await virtual.agents(run) == [AgentStatus.DISCONNECT]
