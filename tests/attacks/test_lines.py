"""FLT10, FLT11, FLT12, FLT22: bad lines between a real daemon and a real router, while workers work."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from crowdd.testing.bots import BotPlan, run_bots
from crowdd.testing.history import History

from ..system.conftest import daemon
from ..system.pages import open_pages
from ..system.processes import Daemon, Router, a_task
from ..system.trouble import broken_promises, facts_of, go_through, patient
from .line import Line, open_line

__all__ = ["daemon"]

pytestmark = pytest.mark.system

ROWS = 20
PATIENCE_S = 180.0
Trouble = Callable[[Line, Callable[[int], Awaitable[None]]], Awaitable[None]]


@asynccontextmanager
async def routers(folder: Path, data: Path, *names: str) -> AsyncGenerator[dict[str, Line]]:
    """Routers, each behind a line of its own, of which the daemon is told."""
    data.mkdir(exist_ok=True)
    running = [Router(folder / name, shared_origin=True) for name in names]
    try:
        for router in running:
            await router.start()
        async with open_line(running[0].port) as first, open_line(running[-1].port) as last:
            lines = dict(zip(names, (first, last), strict=False))
            tables = [
                f'[{name}]\nurl = "http://127.0.0.1:{line.port}"\nsecret_file = "{router.secret}"\n'
                f'public_url = "http://127.0.0.1:{router.port}"\n'
                for (name, line), router in zip(lines.items(), running, strict=True)
            ]
            (data / "routers.toml").write_text("".join(tables))
            yield lines
    finally:
        for router in running:
            router.kill()


async def launched(daemon: Daemon, folder: Path, name: str, rows: int) -> str:
    folder.mkdir()
    extra = f'[architect]\ntype = "remote"\nrouters = ["{name}"]\n'
    return await daemon.launch(a_task(folder, rows, extra), f"label=at-{name}", "shared_origin=true")


async def worked_through(daemon: Daemon, folder: Path, trouble: Trouble) -> list[str]:
    """What was broken after a run whose line was in this trouble while bots worked."""
    async with routers(folder, daemon.data, "crowd") as lines:
        await daemon.start()
        label = await launched(daemon, folder / "t", "crowd", ROWS)
        links, history = await daemon.links(label, 4), History()
        plan = patient(BotPlan(4, seed=7, arrive_s=0.1, think_s=0.1, reload=0.05, double=0.1))

        async def until_done(count: int) -> None:
            await daemon.until(label, lambda shown: shown.units_done >= count)

        async def in_trouble() -> None:
            await trouble(lines["crowd"], until_done)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(run_bots, plan, links, None, history)
            healed_at = await go_through(daemon, label, history, [(trio.lowlevel.checkpoint, in_trouble)])
            await daemon.until(label, lambda shown: shown.state == "completed")
        assert await daemon.terminate() == 0, daemon.log
        return broken_promises(history, await facts_of(daemon), healed_at)


async def slow_and_uneven(line: Line, until_done: Callable[[int], Awaitable[None]]) -> None:
    line.delay_s = (0.005, 0.035)
    await until_done(ROWS // 2)


async def thin(line: Line, until_done: Callable[[int], Awaitable[None]]) -> None:
    line.bytes_per_s = 30_000.0
    await until_done(ROWS // 2)


async def reset_again_and_again(line: Line, until_done: Callable[[int], Awaitable[None]]) -> None:
    for done in (2, 5, 8):
        await until_done(done)
        line.refusing = done != 5  # and nobody takes the next calls
        line.reset()
        await trio.sleep(0.3)
        line.refusing = False


async def killed_by_the_kernel(line: Line, until_done: Callable[[int], Awaitable[None]]) -> None:
    for done in (3, 8):
        await until_done(done)
        kill = ["ss", "--kill", "--no-header", "--numeric", "dst", "127.0.0.1", "dport", "=", f":{line.port}"]
        await trio.run_process(kill, capture_stdout=True)


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(slow_and_uneven, id="FLT10-slow-and-uneven"),
        pytest.param(thin, id="FLT11-thin"),
        pytest.param(reset_again_and_again, id="FLT11-reset-and-refused"),
        pytest.param(killed_by_the_kernel, id="FLT12-ss-kill"),
    ],
)
async def test_flt10_flt11_flt12_a_bad_line_loses_and_doubles_nothing(
    daemon: Daemon, tmp_path: Path, trouble: Trouble
) -> None:
    with trio.fail_after(PATIENCE_S):
        assert await worked_through(daemon, tmp_path, trouble) == []


async def test_flt10_a_line_that_is_silent_one_way_is_noticed_and_taken_up_again(
    daemon: Daemon, tmp_path: Path
) -> None:
    with trio.fail_after(PATIENCE_S):
        async with routers(tmp_path, daemon.data, "up", "down") as lines:
            await daemon.start()
            labels = {name: await launched(daemon, tmp_path / f"t-{name}", name, 2) for name in lines}
            links = [(await daemon.links(label, 1))[0] for label in labels.values()]
            async with open_pages(links) as pages:
                for page in pages:
                    assert (await page.register()).agent_id
                lines["up"].up.hold()
                lines["down"].down.hold()
                for label in labels.values():
                    await daemon.until(label, lambda shown: not shown.routers[0].up)
                lines["up"].up.let_go()
                lines["down"].down.let_go()
                for label in labels.values():
                    await daemon.until(label, lambda shown: shown.routers[0].up)
                for page in pages:
                    assert (await page.submit({"kind": "a"})).status == "Submitted!"
                for label in labels.values():
                    await daemon.until(label, lambda shown: shown.units_done == 1)


async def played(port: int, recorded: bytes) -> bytes:
    """What comes of saying all of this again: the upgrade first, then the frames."""
    upgrade, _, frames = recorded.partition(b"\r\n\r\n")
    came = b""
    async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
        await stream.send_all(upgrade + b"\r\n\r\n")
        while b"\r\n\r\n" not in came:
            came += await stream.receive_some()
        await stream.send_all(frames)
        while b"did not prove" not in came and (chunk := await stream.receive_some()):
            came += chunk
    return came


async def test_flt22_a_recorded_connection_played_again_says_nothing(daemon: Daemon, tmp_path: Path) -> None:
    with trio.fail_after(PATIENCE_S):
        async with routers(tmp_path, daemon.data, "crowd") as lines:
            await daemon.start()
            label = await launched(daemon, tmp_path / "t", "crowd", 3)
            (link,) = await daemon.links(label, 1)
            async with open_pages([link]) as (page,):
                assert (await page.register()).agent_id
                link_of = f"/_crowdd/link/{label}".encode()
                (recorded,) = (bytes(said) for said in lines["crowd"].up.said if link_of in said)
                came = await played(lines["crowd"].port, recorded)
                assert b"did not prove" in came
                assert (await daemon.ask("show", label)).routers[0].up
                assert (await page.submit({"kind": "a"})).status == "Submitted!"
