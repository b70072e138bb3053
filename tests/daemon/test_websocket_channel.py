"""The channel over the network, against real sockets and peers that misbehave."""

import hashlib
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing
from trio_websocket import ConnectionClosed, WebSocketConnection, WebSocketRequest, serve_websocket

from crowdd.daemon.channel import LinkLost, LinkRefused, Wire
from crowdd.daemon.clock import wall_clock
from crowdd.daemon.websocket_channel import WebsocketChannel
from crowdd.protocol.limits import FRAME_BYTES_MAX
from crowdd.protocol.proof import verify_request

SECRET = b"a secret of enough bytes"
CONTENT = b"a file" * 1000
DIGEST = hashlib.sha256(CONTENT).hexdigest()
Serve = Callable[[WebSocketConnection], Awaitable[None]]
PATIENCE_S = 20.0


def channel_to(port: int) -> WebsocketChannel:
    return WebsocketChannel(f"http://127.0.0.1:{port}", "digits", [SECRET], "http://workers/")


async def websocket_router(nursery: trio.Nursery, serve: Serve) -> WebsocketChannel:
    """A peer that accepts the link and then does as `serve` says."""

    async def accept(request: WebSocketRequest) -> None:
        assert (request.path, request.proposed_subprotocols) == ("/_crowdd/link/digits", ("crowdd.1",))
        connection = await request.accept(subprotocol="crowdd.1")
        with suppress(ConnectionClosed):
            await serve(connection)

    start = partial(serve_websocket, accept, "127.0.0.1", 0, None, connect_timeout=1, disconnect_timeout=0.1)
    server = await nursery.start(start)
    return channel_to(server.port)


class Http:
    """A peer that answers every request with the same bytes, and remembers what it was sent."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.requests: list[bytes] = []

    async def serve(self, stream: trio.SocketStream) -> None:
        async with stream:
            request = b""
            while b"\r\n\r\n" not in request:
                request += await stream.receive_some()
            head, _, body = request.partition(b"\r\n\r\n")
            wanted = next(
                (
                    int(line[15:])
                    for line in head.lower().split(b"\r\n")
                    if line.startswith(b"content-length:")
                ),
                0,
            )
            while len(body) < wanted:
                body += await stream.receive_some()
            self.requests.append(head + b"\r\n\r\n" + body)
            await stream.send_all(self.answer)


async def http_router(nursery: trio.Nursery, status: str, body: bytes = b"", *headers: str) -> Any:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    peer = Http("\r\n".join([*lines, "", ""]).encode() + body)
    [listener] = await nursery.start(partial(trio.serve_tcp, peer.serve, 0, host="127.0.0.1"))
    return peer, channel_to(listener.socket.getsockname()[1])


async def echo(connection: WebSocketConnection) -> None:
    while True:
        await connection.send_message(await connection.get_message())


async def with_router(serve: Serve, use: Callable[[Wire], Awaitable[None]]) -> None:
    """Run `use` on a wire to such a peer; what it raises comes out as it is, the peer ends either way."""
    error: BaseException | None = None
    with trio.fail_after(PATIENCE_S):
        async with trio.open_nursery() as nursery:
            channel = await websocket_router(nursery, serve)
            try:
                async with channel.connect() as wire:
                    await use(wire)
            except Exception as exc:
                error = exc
            nursery.cancel_scope.cancel()
    if error is not None:
        raise error


async def test_frames_go_both_ways_whole_and_in_order() -> None:
    frames = [b"", b"x", bytes(range(256)) * (FRAME_BYTES_MAX // 256)]
    got: list[bytes] = []

    async def use(wire: Wire) -> None:
        for frame in frames:
            await wire.send(frame)
            got.append(await wire.receive())

    await with_router(echo, use)
    assert got == frames


async def test_what_the_daemon_raises_while_linked_comes_out_as_it_was() -> None:
    async def use(wire: Wire) -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        await with_router(echo, use)


async def test_a_group_that_the_daemon_raises_comes_out_as_a_group() -> None:
    async def use(wire: Wire) -> None:
        raise ExceptionGroup("two", [LinkLost("one"), ValueError("two")])

    with pytest.raises(ExceptionGroup) as group:
        await with_router(echo, use)
    assert group.value.message == "two"


async def test_a_router_that_closes_the_link_is_a_lost_link_with_its_words() -> None:
    async def close(connection: WebSocketConnection) -> None:
        await connection.aclose(1008, "not you")

    async def use(wire: Wire) -> None:
        await wire.receive()

    with pytest.raises(LinkLost, match="closed by the router: 1008 not you"):
        await with_router(close, use)


async def test_sending_to_a_router_that_has_gone_is_a_lost_link() -> None:
    async def close(connection: WebSocketConnection) -> None:
        await connection.aclose()

    async def use(wire: Wire) -> None:
        with pytest.raises(LinkLost):
            await wire.receive()
        await wire.send(b"x")

    with pytest.raises(LinkLost, match="while sending"):
        await with_router(close, use)


@pytest.mark.parametrize("message", ["text", b"x" * (FRAME_BYTES_MAX + 1)], ids=["text", "too long"])
async def test_a_frame_that_no_router_may_send_ends_the_link(message: str | bytes) -> None:
    async def misbehave(connection: WebSocketConnection) -> None:
        await connection.send_message(message)
        await trio.sleep_forever()

    async def use(wire: Wire) -> None:
        await wire.receive()

    with pytest.raises(LinkLost):
        await with_router(misbehave, use)


async def test_after_a_send_was_cut_off_nothing_more_is_sent() -> None:
    async def never_read(connection: WebSocketConnection) -> None:
        await trio.sleep_forever()

    async def use(wire: Wire) -> None:
        with trio.move_on_after(0.2) as scope:
            while True:
                await wire.send(b"x" * FRAME_BYTES_MAX)
        assert scope.cancelled_caught
        await wire.send(b"more")

    with pytest.raises(LinkLost, match="cut off"):
        await with_router(never_read, use)


async def test_while_a_frame_is_on_its_way_no_other_follows_it_even_once_it_is_cut_off() -> None:
    async def never_read(connection: WebSocketConnection) -> None:
        await trio.sleep_forever()

    async def fill(wire: Wire) -> None:
        while True:
            await wire.send(b"x" * FRAME_BYTES_MAX)

    async def use(wire: Wire) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(fill, wire)
            await trio.testing.wait_all_tasks_blocked()
            with pytest.raises(LinkLost, match="on its way"):
                await wire.send(b"more")
            nursery.cancel_scope.cancel()
        await wire.send(b"more")

    with pytest.raises(LinkLost, match="cut off"):
        await with_router(never_read, use)


async def test_leaving_a_router_that_does_not_read_is_bounded() -> None:
    async def never_read(connection: WebSocketConnection) -> None:
        await trio.sleep_forever()

    async def use(wire: Wire) -> None:
        with trio.move_on_after(0.2):
            while True:
                await wire.send(b"x" * FRAME_BYTES_MAX)

    with trio.fail_after(PATIENCE_S):  # for ever, if it were not
        await with_router(never_read, use)


async def test_leaving_while_cancelled_is_bounded_too() -> None:
    async with trio.open_nursery() as nursery:
        channel = await websocket_router(nursery, lambda _: trio.sleep_forever())
        with trio.fail_after(PATIENCE_S), trio.move_on_after(0.1) as scope:
            async with channel.connect() as wire:
                await wire.receive()
        assert scope.cancelled_caught
        nursery.cancel_scope.cancel()


async def test_nobody_listening_is_a_lost_link() -> None:
    with trio.socket.socket() as closed:
        await closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    with pytest.raises(LinkLost, match="no connection"):
        async with channel_to(port).connect():
            raise AssertionError("connected to nobody")


async def connecting(status: str, body: bytes = b"no") -> None:
    error: Exception | None = None
    with trio.fail_after(PATIENCE_S):
        async with trio.open_nursery() as nursery:
            _, channel = await http_router(nursery, status, body)
            try:
                async with channel.connect():
                    raise AssertionError("connected")
            except (LinkLost, LinkRefused) as exc:
                error = exc
            nursery.cancel_scope.cancel()
    assert error is not None
    raise error


@pytest.mark.parametrize("status", ["401 No", "403 No", "404 No", "302 There", "200 OK"])
async def test_a_router_that_says_no_to_the_link_refuses_it(status: str) -> None:
    with pytest.raises(LinkRefused, match=status[:3]):
        await connecting(status)


@pytest.mark.parametrize("status", ["503 Later", "429 Later", "502 Later"])
async def test_a_router_that_says_later_is_tried_again(status: str) -> None:
    with pytest.raises(LinkLost, match=status[:3]):
        await connecting(status)


@pytest.mark.parametrize("base", ["http://192.0.2.1:80", "http://router.example.org", "ftp://127.0.0.1", "x"])
def test_a_plain_link_never_leaves_this_machine(base: str) -> None:
    with pytest.raises(LinkRefused, match="neither https nor on this machine"):
        WebsocketChannel(base, "digits", [SECRET], "http://workers/")


@pytest.mark.parametrize(
    "base", ["http://127.0.0.1:1", "http://[::1]:1", "http://localhost", "https://x.org"]
)
def test_a_link_on_this_machine_or_under_tls_is_allowed(base: str) -> None:
    assert WebsocketChannel(base, "digits", [SECRET], "http://workers/").name == base.split("//")[1]


async def test_a_bundle_is_sent_with_proof() -> None:
    async with trio.open_nursery() as nursery:
        peer, channel = await http_router(nursery, "200 OK", b"{}")
        await channel.put_bundle("digits", DIGEST, CONTENT)
        nursery.cancel_scope.cancel()
    [request] = peer.requests
    head, _, body = request.partition(b"\r\n\r\n")
    path = f"/_crowdd/runs/digits/bundle/{DIGEST}"
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    proof = {key.lower(): value for key, value in headers.items()}["authorization"]
    assert (head.split(b" ")[:2], body) == ([b"PUT", path.encode()], CONTENT)
    assert verify_request(SECRET, "PUT", path, proof, wall_clock().timestamp(), DIGEST)


class Picky:
    """A router that takes one secret, and counts the proofs that it was given."""

    def __init__(self, secret: bytes) -> None:
        self.secret = secret
        self.proofs: list[bool] = []

    async def serve(self, stream: trio.SocketStream) -> None:
        async with stream:
            request = b""
            while b"\r\n\r\n" not in request:
                request += await stream.receive_some()
            line, *rest = request.partition(b"\r\n\r\n")[0].decode().split("\r\n")
            method, path, _ = line.split(" ")
            headers = {key.lower(): value for key, value in (each.split(": ", 1) for each in rest)}
            proof = headers["authorization"]
            self.proofs.append(verify_request(self.secret, method, path, proof, wall_clock().timestamp()))
            status = "200 OK" if self.proofs[-1] else "401 Unauthorized"
            await stream.send_all(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())


async def asked_twice(secrets: list[bytes]) -> list[bool]:
    router = Picky(SECRET)
    async with trio.open_nursery() as nursery:
        [listener] = await nursery.start(partial(trio.serve_tcp, router.serve, 0, host="127.0.0.1"))
        channel = channel_to(listener.socket.getsockname()[1])
        channel.secrets = secrets
        for _ in range(2):
            with suppress(LinkRefused):
                await channel.undeploy("digits")
        nursery.cancel_scope.cancel()
    return router.proofs


async def test_sec4_a_request_in_a_rotation_is_proved_by_the_secret_that_the_router_has() -> None:
    other = b"another secret, by now removed"
    assert await asked_twice([SECRET, other]) == [True, True]
    assert await asked_twice([other, SECRET]) == [False, True, True], "what was taken is tried first"
    assert await asked_twice([other]) == [False, False]


async def fetching(into: Path, status: str, body: bytes, *headers: str, digest: str = DIGEST) -> None:
    error: Exception | None = None
    with trio.fail_after(PATIENCE_S):
        async with trio.open_nursery() as nursery:
            _, channel = await http_router(nursery, status, body, *headers)
            try:
                await channel.fetch_file("digits", digest, into)
            except Exception as exc:
                error = exc
            nursery.cancel_scope.cancel()
    if error is not None:
        raise error


async def test_a_file_is_fetched_whole(tmp_path: Path) -> None:
    await fetching(tmp_path / "file", "200 OK", CONTENT)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"file": CONTENT}


async def test_a_file_fetched_again_is_the_same(tmp_path: Path) -> None:
    for _ in range(2):
        await fetching(tmp_path / "file", "200 OK", CONTENT)
    assert (tmp_path / "file").read_bytes() == CONTENT


async def test_a_file_may_be_fetched_by_two_at_once(tmp_path: Path) -> None:
    with trio.fail_after(PATIENCE_S):
        async with trio.open_nursery() as nursery:
            _, channel = await http_router(nursery, "200 OK", CONTENT)
            async with trio.open_nursery() as fetchers:
                for _ in range(4):
                    fetchers.start_soon(channel.fetch_file, "digits", DIGEST, tmp_path / "file")
            nursery.cancel_scope.cancel()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"file": CONTENT}


async def test_other_contents_are_not_taken_for_the_file(tmp_path: Path) -> None:
    with pytest.raises(LinkLost, match="sent other contents"):
        await fetching(tmp_path / "file", "200 OK", CONTENT[:-1] + b"!")
    assert list(tmp_path.iterdir()) == []


async def test_half_a_file_is_none(tmp_path: Path) -> None:
    with pytest.raises(LinkLost):
        await fetching(tmp_path / "file", "200 OK", CONTENT[:10], "Content-Length: 6000")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("status", ["404 No", "401 No", "302 There"])
async def test_a_file_that_the_router_does_not_give_is_refused(tmp_path: Path, status: str) -> None:
    with pytest.raises(LinkRefused, match=status[:3]):
        await fetching(tmp_path / "file", status, b"", "Location: http://127.0.0.1:1/")
    assert list(tmp_path.iterdir()) == []


async def test_a_router_too_busy_to_give_a_file_is_asked_again(tmp_path: Path) -> None:
    with pytest.raises(LinkLost, match="503"):
        await fetching(tmp_path / "file", "503 Later", b"")


@pytest.mark.parametrize("digest", ["../../etc/passwd", "", "A" * 64, "0" * 63, "0" * 64 + "\n"])
async def test_a_name_that_is_no_digest_is_never_asked_for(tmp_path: Path, digest: str) -> None:
    with pytest.raises(LinkRefused, match="is not a file's digest"):
        await channel_to(1).fetch_file("digits", digest, tmp_path / "file")


@pytest.mark.parametrize("status", ["200 OK", "404 Gone"])
async def test_a_run_that_is_off_the_router_is_off(status: str) -> None:
    async with trio.open_nursery() as nursery:
        peer, channel = await http_router(nursery, status)
        await channel.undeploy("digits")
        nursery.cancel_scope.cancel()
    assert peer.requests[0].startswith(b"DELETE /_crowdd/runs/digits HTTP/1.1\r\n")


async def test_the_secret_is_never_said_or_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with trio.open_nursery() as nursery:
        peer, channel = await http_router(nursery, "200 OK")
        await channel.put_bundle("digits", DIGEST, CONTENT)
        nursery.cancel_scope.cancel()
    assert SECRET not in b"".join(peer.requests)
    assert SECRET.decode() not in caplog.text + channel.name
