"""What honest workers wait while thousands of strangers hold connections to their router.

Usage: python -m benchmarks.hostile [--strangers 10000] [--seconds 20]. They come 1,000 a second. A third says
nothing, a third asks for a websocket and never says whose it is, a third sends headers letter by letter; who
is cut off comes again. All are at loopback addresses. Needs as many open files; says so when there are fewer.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import trio
from tests.system.pages import Page
from tests.system.processes import PAGE, Daemon

from crowdd.testing.http_doors import HttpDoors, PageAddress
from crowdd.testing.verdicts import Verdict

from .crowd_of_pages import cost_of, ms, share
from .idle import FILES_SPARE, allow_files

PER_ADDRESS = 1_800  # below SOCKETS_PER_ADDRESS_MAX: strangers who are refused at once hold nothing
HONEST_AT_ONCE = 4
LETTER_S = 2.0  # between two letters of a header; HEADER_S ends it all the same
AGAIN_S = 1.0  # after a stranger was cut off
ARRIVING_PER_S = 1_000.0
TASK_TOML = """
name = "hostile"
[blueprint]
type = "static"
[provider]
type = "mock"
[limits]
allowed_concurrent = 1000
no_submission_patience_s = 0
"""


def main() -> None:
    """Measure and print; as a crowd of strangers (`--crowd`), be one until ended."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--strangers", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--crowd", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    allow_files(asked.strangers + FILES_SPARE)
    if asked.crowd:
        trio.run(_be_a_crowd, asked.crowd, asked.strangers)
    else:
        trio.run(_measure, asked.strangers, asked.seconds)


async def _measure(strangers: int, seconds: float) -> None:
    with tempfile.TemporaryDirectory(prefix="crowdd-benchmark-") as folder:
        daemon = Daemon(Path(folder) / "data")
        try:
            await daemon.start("--log-level", "warning")
            label = await daemon.launch(_task(Path(folder)))
            address = str((await daemon.ask("show", label)).address)
            _tell("alone", daemon, await _work(address, seconds, "a"))
            async with _crowd(address, strangers):
                _tell(f"among {strangers} strangers", daemon, await _work(address, seconds, "b"))
            _tell("afterwards", daemon, await _work(address, seconds, "c"))
        finally:
            daemon.clean_up()


def _tell(when: str, daemon: Daemon, waited: list[float]) -> None:
    waited.sort()
    cost = cost_of(daemon)
    print(
        f"{when}: {len(waited)} requests, each waited {ms(statistics.median(waited))} (p50),"
        f" {ms(share(waited, 0.99))} (p99), {ms(waited[-1])} at most;"
        f" router {cost.router_bytes / 2**20:.0f} MiB, {cost.router_cpu_s:.0f} s of CPU so far",
        flush=True,
    )


async def _work(address: str, seconds: float, name: str) -> list[float]:
    """What every request of honest workers waited, who register and submit one after the other."""
    waited: list[float] = []
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        with trio.move_on_after(seconds):
            async with trio.open_nursery() as nursery:
                for number in range(HONEST_AT_ONCE):
                    nursery.start_soon(_work_on, client, address, f"{name}{number}", waited)
    return waited


async def _work_on(client: httpx.AsyncClient, address: str, name: str, waited: list[float]) -> None:
    number = 0
    while True:
        number += 1
        link = f"{address}?worker_id={name}-{number}&assignment_id=x"
        page = Page(HttpDoors(client, PageAddress(link)))
        for ask in (page.register, lambda page=page: page.submit({"kind": "a"})):
            began = trio.current_time()
            answered = await ask()
            assert answered.verdict is Verdict.OK, answered
            waited.append(trio.current_time() - began)


def _task(folder: Path) -> Path:
    task = folder / "task"
    (task / "page").mkdir(parents=True)
    (task / "task.toml").write_text(TASK_TOML)
    (task / "data.jsonl").write_text("".join(f'{{"text": "{n}"}}\n' for n in range(20_000)))
    (task / "page" / "index.html").write_text(PAGE)
    return task


@asynccontextmanager
async def _crowd(address: str, strangers: int) -> AsyncGenerator[None]:
    """So many strangers, in a process of their own, all connected."""
    command = [sys.executable, "-m", "benchmarks.hostile", "--crowd", address, "--strangers", str(strangers)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            print((await trio.to_thread.run_sync(process.stdout.readline)).decode().strip(), flush=True)
            yield
        finally:
            process.kill()


async def _be_a_crowd(address: str, strangers: int) -> None:
    parts = urlsplit(address)
    port, host = int(parts.port or 80), parts.netloc.encode()
    came: set[int] = set()
    async with trio.open_nursery() as nursery:
        for number in range(strangers):
            nursery.start_soon(_be_a_stranger, number, port, host, came)
        while len(came) < strangers:
            await trio.sleep(0.1)
        print(f"{strangers} strangers are connected", flush=True)
        await trio.sleep_forever()


async def _be_a_stranger(number: int, port: int, host: bytes, came: set[int]) -> None:
    await trio.sleep(number / ARRIVING_PER_S)
    source = f"127.0.1.{1 + number // PER_ADDRESS}"
    while True:
        with trio.socket.socket() as raw:
            try:
                await raw.bind((source, 0))
                await raw.connect(("127.0.0.1", port))
                came.add(number)
                await (_say_nothing, _ask_for_a_websocket, _trickle)[number % 3](raw, host)
            except OSError:
                pass
        await trio.sleep(AGAIN_S)


async def _say_nothing(raw: trio.socket.SocketType, host: bytes) -> None:
    await raw.recv(1)


async def _ask_for_a_websocket(raw: trio.socket.SocketType, host: bytes) -> None:
    await raw.send(
        b"GET / HTTP/1.1\r\nHost: " + host + b"\r\nOrigin: http://" + host + b"\r\nConnection: Upgrade\r\n"
        b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    while await raw.recv(4_096):
        pass


async def _trickle(raw: trio.socket.SocketType, host: bytes) -> None:
    await raw.send(b"GET / HTTP/1.1\r\nHost: " + host + b"\r\nX: ")
    while True:
        await raw.send(b"a")
        await trio.sleep(LETTER_S)


if __name__ == "__main__":
    main()
