"""A stranger at the router's port: raw bytes, from any loopback address, with or without reading answers."""

import socket
import struct
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import attrs
import httpx
import trio

from ..router.conftest import Process
from ..router.daemon import proof, sha256
from ..router.kit import bundle_of

PATIENCE_S = 20.0
TINY_BYTES = 4096
KEY = b"dGhlIHNhbXBsZSBub25jZQ=="


@attrs.define(eq=False)
class Stranger:
    """One TCP connection."""

    stream: trio.SocketStream
    host: str

    async def send(self, data: bytes) -> bool:
        """False when the router has ended the connection."""
        try:
            with trio.fail_after(PATIENCE_S):
                await self.stream.send_all(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return False
        return True

    async def read(self) -> bytes:
        """What comes next; empty at the end."""
        with trio.fail_after(PATIENCE_S):
            try:
                return await self.stream.receive_some()
            except trio.BrokenResourceError:
                return b""

    async def read_all(self) -> bytes:
        """Everything until the router ends the connection."""
        came = b""
        with trio.fail_after(PATIENCE_S):
            while data := await self.read():
                came += data
        return came

    async def answer(self) -> bytes:
        """One whole answer with a length, status line and all."""
        came = await self.read()
        while b"\r\n\r\n" not in came:
            came += await self.read()
        head, _, body = came.partition(b"\r\n\r\n")
        lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        wanted = int(lengths[0].partition(b":")[2]) if lengths else 0
        while len(body) < wanted:
            body += await self.read()
        return head + b"\r\n\r\n" + body

    async def become_a_page(self, extra: Sequence[bytes] = ()) -> bytes:
        """Ask for a websocket as a page of the run's own; the answer."""
        host = self.host.encode()
        lines = [
            b"GET / HTTP/1.1",
            b"Host: " + host,
            b"Origin: http://" + host,
            b"Connection: Upgrade",
            b"Upgrade: websocket",
            b"Sec-WebSocket-Version: 13",
            b"Sec-WebSocket-Key: " + KEY,
            *extra,
        ]
        await self.send(b"\r\n".join(lines) + b"\r\n\r\n")
        return await self.answer()


@asynccontextmanager
async def stranger(
    router: Process, source: str = "127.0.0.1", tiny: bool = False
) -> AsyncGenerator[Stranger]:
    """Connect from this loopback address; `tiny`: with the smallest window, as who wants nothing."""
    host = router.url.removeprefix("http://")
    raw = trio.socket.socket()
    try:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if tiny:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, TINY_BYTES)
        await raw.bind((source, 0))
        await raw.connect((host.split(":")[0], int(host.split(":")[1])))
        yield Stranger(trio.SocketStream(raw), host)
    finally:
        raw.close()


def frame(opcode: int, payload: bytes = b"", fin: bool = True, rsv1: bool = False) -> bytes:
    """A client's websocket frame, masked with zeros."""
    first = (0x80 if fin else 0) | (0x40 if rsv1 else 0) | opcode
    if len(payload) < 126:
        return bytes([first, 0x80 | len(payload)]) + bytes(4) + payload
    return bytes([first, 0x80 | 126]) + struct.pack("!H", len(payload)) + bytes(4) + payload


CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA


def close_code(came: bytes) -> int | None:
    """The code of the close frame at the end of what came, if there is one."""
    at = came.rfind(bytes([0x80 | CLOSE]))
    return None if at < 0 or len(came) < at + 4 else int(struct.unpack("!H", came[at + 2 : at + 4])[0])


def memory_mib(router: Process) -> float:
    """What the router process has in memory."""
    assert router.process is not None
    status = Path(f"/proc/{router.process.pid}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def deploy_pages(router: Process, pages: dict[str, bytes]) -> None:
    """Give the router its pages."""
    archive = bundle_of(pages)
    path = f"/_crowdd/runs/digits/bundle/{sha256(archive)}"
    headers = proof("PUT", path, sha256(archive))
    answer = httpx.put(router.url + path, content=archive, headers=headers, trust_env=False, timeout=30)
    assert answer.status_code == 200, answer.text


async def is_well(router: Process) -> bool:
    """An honest visitor is served, and the process is the one that was started."""
    assert router.process is not None
    async with httpx.AsyncClient(base_url=router.url, trust_env=False, timeout=PATIENCE_S) as client:
        served = (await client.get("/")).status_code == 200
    return served and router.process.poll() is None
