"""SEC4, SEC21, FLT27: a router that was taken over. It can lie about its own run; it cannot lead the daemon
elsewhere, fill its memory or disk, or hold it up for ever."""

import gzip
import hashlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import attrs
import pytest
import trio

from crowdd.daemon import websocket_channel
from crowdd.daemon.channel import LinkLost, LinkRefused
from crowdd.daemon.websocket_channel import WebsocketChannel

SECRET = b"a secret of enough bytes"
DIGEST = hashlib.sha256(b"a file").hexdigest()
MEGABYTE = bytes(1_000_000)
SENT_MAX = 64_000_000  # what the kernels may hold on the way, many times
REDIRECTS = ["301 Moved Permanently", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent"]


@attrs.define(eq=False)
class Taken:
    """A router in strange hands: answers everything with `head`, then with `body` as often as it is taken."""

    head: bytes
    body: bytes = b""
    times: int = 1
    pause_s: float = 0.0
    asked: list[bytes] = attrs.Factory(list[bytes])
    sent: int = 0

    async def serve(self, stream: trio.SocketStream) -> None:
        async with stream:
            try:
                self.asked.append(bytes(await stream.receive_some()))
                await stream.send_all(self.head)
                for _ in range(self.times):
                    await stream.send_all(self.body)
                    self.sent += len(self.body)
                    await trio.sleep(self.pause_s)
            except trio.BrokenResourceError:
                return  # the daemon has heard enough


@asynccontextmanager
async def taken(router: Taken) -> AsyncGenerator[WebsocketChannel]:
    """The daemon's channel to this router."""
    async with trio.open_nursery() as nursery:
        [listener] = await nursery.start(partial(trio.serve_tcp, router.serve, 0, host="127.0.0.1"))
        port = listener.socket.getsockname()[1]
        yield WebsocketChannel(f"http://127.0.0.1:{port}", "digits", [SECRET], "http://workers/")
        nursery.cancel_scope.cancel()


async def fetch(channel: WebsocketChannel, folder: Path) -> None:
    await channel.fetch_file("digits", DIGEST, folder / "file")


async def deploy(channel: WebsocketChannel, folder: Path) -> None:
    await channel.put_bundle("digits", DIGEST, b"pages")


async def undeploy(channel: WebsocketChannel, folder: Path) -> None:
    await channel.undeploy("digits")


async def link(channel: WebsocketChannel, folder: Path) -> None:
    async with channel.connect():
        pytest.fail("this is no link")


Deed = Callable[[WebsocketChannel, Path], Awaitable[None]]
DEEDS: list[Deed] = [fetch, deploy, undeploy, link]


@pytest.mark.parametrize("deed", DEEDS)
@pytest.mark.parametrize("status", REDIRECTS)
async def test_sec21_a_router_cannot_lead_the_daemon_elsewhere(
    deed: Deed, status: str, tmp_path: Path
) -> None:
    elsewhere = Taken(b"")
    async with taken(elsewhere) as other:
        place = f"http://{other.name}/latest/meta-data/".encode()
        head = b"HTTP/1.1 " + status.encode() + b"\r\nContent-Length: 0\r\nLocation: " + place + b"\r\n\r\n"
        async with taken(Taken(head)) as channel:
            with pytest.raises((LinkRefused, LinkLost)):
                await deed(channel, tmp_path)
    assert elsewhere.asked == []


@pytest.mark.parametrize("deed", DEEDS)
async def test_sec21_no_proxy_of_the_environment_is_asked(
    deed: Deed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = Taken(b"")
    async with taken(proxy) as other:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://{other.name}")
        async with taken(Taken(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")) as channel:
            with pytest.raises(LinkRefused):
                await deed(channel, tmp_path)
    assert proxy.asked == []


@pytest.mark.parametrize("deed", DEEDS)
async def test_sec4_a_refusal_without_end_is_not_read_to_its_end(deed: Deed, tmp_path: Path) -> None:
    router = Taken(b"HTTP/1.1 403 No\r\nContent-Length: 9000000000\r\n\r\n", MEGABYTE, 1_000)
    async with taken(router) as channel:
        with pytest.raises((LinkRefused, LinkLost)) as refused:
            await deed(channel, tmp_path)
    assert len(str(refused.value)) < 2_000
    assert router.sent < SENT_MAX


async def test_sec4_headers_without_end_are_not_read_to_their_end(tmp_path: Path) -> None:
    router = Taken(b"HTTP/1.1 101 Yes\r\nX: ", b"a" * 1_000_000, 1_000)
    async with taken(router) as channel:
        with pytest.raises((LinkRefused, LinkLost)):
            await link(channel, tmp_path)
    assert router.sent < SENT_MAX


@pytest.mark.parametrize(
    "answer",
    [
        b"nonsense\r\n\r\n",
        b"\x00\xff\xfe" * 100,
        b"HTTP/1.1 101 Yes\r\n\r\n",
        b"HTTP/1.1 101 Yes\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        b"HTTP/1.1 200 Yes\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 403 No\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        b"HTTP/9.9 403 No\r\n\r\n",
        b"HTTP/1.1 403 No\r\n: x\r\n\r\n",
        b"HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        b"HTTP/1.1 100 Go on\r\n\r\nHTTP/1.1 999 What\r\n\r\n",
        b"",
    ],
)
@pytest.mark.parametrize("deed", DEEDS)
async def test_flt27_nonsense_instead_of_an_answer_is_a_lost_link(
    deed: Deed, answer: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket_channel, "CONNECT_S", 1.0)
    async with taken(Taken(answer)) as channel:
        with pytest.raises((LinkRefused, LinkLost)):
            await deed(channel, tmp_path)


async def test_sec4_a_packed_refusal_is_not_unpacked(tmp_path: Path) -> None:
    bomb = gzip.compress(bytes(50_000_000))
    head = f"HTTP/1.1 403 No\r\nContent-Encoding: gzip\r\nContent-Length: {len(bomb)}\r\n\r\n".encode()
    async with taken(Taken(head, bomb)) as channel:
        with pytest.raises(LinkRefused) as refused:
            await deploy(channel, tmp_path)
    assert len(str(refused.value)) < 2_000


@pytest.mark.parametrize("length", ["", "Content-Length: 1500001\r\n", "Transfer-Encoding: chunked\r\n"])
async def test_sec4_a_file_without_end_is_not_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, length: str
) -> None:
    monkeypatch.setattr(websocket_channel, "FILE_BYTES_MAX", 1_500_000)
    router = Taken(f"HTTP/1.1 200 Yes\r\n{length}Connection: close\r\n\r\n".encode(), MEGABYTE, 1_000)
    async with taken(router) as channel:
        with pytest.raises(LinkRefused, match="1500000"):
            await fetch(channel, tmp_path)
    assert router.sent < SENT_MAX
    assert list(tmp_path.iterdir()) == []


async def test_sec4_a_packed_file_is_not_unpacked(tmp_path: Path) -> None:
    packed = gzip.compress(b"a file")
    head = f"HTTP/1.1 200 Yes\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n".encode()
    async with taken(Taken(head, packed)) as channel:
        with pytest.raises(LinkLost, match="other contents"):
            await fetch(channel, tmp_path)
    assert list(tmp_path.iterdir()) == []


async def test_sec4_a_file_that_trickles_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket_channel, "FILE_S", 0.3)

    router = Taken(b"HTTP/1.1 200 Yes\r\nContent-Length: 9000\r\n\r\n", b"x", 9_000, pause_s=0.01)
    async with taken(router) as channel:
        with pytest.raises(LinkLost, match="took longer"):
            await fetch(channel, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("digest", ["../../etc/passwd", "", "A" * 64, "a" * 63, "a" * 65, "a" * 63 + "\n"])
async def test_sec4_a_router_names_no_file_of_the_daemons(tmp_path: Path, digest: str) -> None:
    async with taken(Taken(b"")) as channel:
        with pytest.raises(LinkRefused, match="digest"):
            await channel.fetch_file("digits", digest, tmp_path / "file")
