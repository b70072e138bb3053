"""SEC13: peers that are slow, huge, half there, many, or talk nonsense, harm only themselves."""

import json
import os
import random
import socket
import struct
from collections.abc import Generator
from contextlib import contextmanager

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from crowdd.daemon.control.questions import JSON_BYTES_MAX
from crowdd.daemon.control.service import CONNECTIONS_MAX

from .fakes import Desk, plug

PEERS = 100
SEEDS = range(60)
PIECES = (b"\r\n", b"\0", b"\r\nContent-Length: 9999999\r\n", b"\xff" * 5)
HEAD = b"POST /v1/runs/digits/pause HTTP/1.1\r\nHost: x\r\n"


@contextmanager
def plugs(desk: Desk, number: int) -> Generator[list[socket.socket]]:
    """So many connections at once."""
    found = [plug(desk.socket) for _ in range(number)]
    try:
        yield found
    finally:
        for each in found:
            each.close()


async def is_well(desk: Desk) -> None:
    with trio.fail_after(20):
        assert (await desk.ask("GET", "/v1/status")).status == 200


async def test_sec13_a_hundred_peers_that_say_nothing_hold_nobody_up(desk: Desk) -> None:
    assert PEERS < CONNECTIONS_MAX
    with plugs(desk, PEERS):
        await is_well(desk)


async def test_sec13_a_hundred_peers_that_stop_in_the_middle_of_a_head_hold_nobody_up(desk: Desk) -> None:
    with plugs(desk, PEERS) as peers:
        for peer in peers:
            peer.sendall(HEAD)
        await is_well(desk)


async def test_sec13_a_hundred_peers_whose_bodies_never_end_hold_nobody_up(desk: Desk) -> None:
    await desk.operator.a_run()
    with plugs(desk, PEERS) as peers:
        for peer in peers:
            peer.sendall(HEAD + b"Content-Length: 1000\r\n\r\n{")
        await wait_all_tasks_blocked()
        await is_well(desk)
    assert not (await desk.operator.storage.run_by_label("digits")).paused


async def test_sec13_a_hundred_peers_that_read_nothing_hold_nobody_up(desk: Desk) -> None:
    await desk.operator.a_run(units=500)
    with plugs(desk, PEERS) as peers:
        for peer in peers:
            peer.sendall(b"GET /v1/runs/digits/units?limit=500 HTTP/1.1\r\nHost: x\r\n\r\n")
        await is_well(desk)


async def test_sec13_a_peer_that_closes_its_half_is_still_answered(desk: Desk) -> None:
    def ask() -> bytes:
        with plug(desk.socket) as peer:
            peer.sendall(b"GET /v1/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            peer.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: peer.recv(65536), b""))

    answer = await trio.to_thread.run_sync(ask)
    assert answer.startswith(b"HTTP/1.1 200") or answer == b""  # whole, or none
    await is_well(desk)


async def test_sec13_a_peer_that_resets_its_connection_harms_nobody(desk: Desk) -> None:
    with plugs(desk, 20) as peers:
        for peer in peers:
            peer.sendall(HEAD + b"Content-Length: 10\r\n\r\n{")
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    await is_well(desk)


async def test_sec13_a_peer_that_leaves_in_the_middle_of_its_body_is_no_failure_of_ours(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    await desk.operator.a_run()
    with plug(desk.socket) as peer:
        peer.sendall(HEAD + b"Content-Length: 10\r\n\r\n{")
        with trio.fail_after(20):
            while not await desk.operator.storage.audit():
                await trio.sleep(0.01)
    with trio.fail_after(20):
        while (await desk.operator.storage.audit())[0].outcome is None:
            await trio.sleep(0.01)
    assert (await desk.operator.storage.audit())[0].outcome == "refused: cut_off"
    await is_well(desk)
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize(("size", "status"), [(JSON_BYTES_MAX, 200), (JSON_BYTES_MAX + 1, 413)])
async def test_sec13_a_body_may_be_so_large_and_no_larger(desk: Desk, size: int, status: int) -> None:
    await desk.operator.a_run()
    body = b'{"why": "x"}'
    answer = await desk.ask("POST", "/v1/runs/digits/pause", body + b" " * (size - len(body)))
    assert answer.status == status


async def test_sec13_a_head_without_end_is_cut_off(desk: Desk) -> None:
    def babble() -> int:
        with plug(desk.socket) as peer:
            peer.sendall(b"GET /v1/status HTTP/1.1\r\nHost: x\r\n")
            sent = 0
            try:
                while sent < 64 * 1024 * 1024:
                    sent += peer.send(b"X-More: " + b"x" * 4000 + b"\r\n")
            except OSError:
                pass
            return sent

    assert await trio.to_thread.run_sync(babble) < 16 * 1024 * 1024
    await is_well(desk)


def noise(seed: int) -> bytes:
    """A request with some of its bytes changed, doubled, or left out."""
    rng = random.Random(seed)
    body = json.dumps({"why": "x" * rng.randrange(50)}).encode()
    said = bytearray(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    for _ in range(rng.randrange(1, 12)):
        place = rng.randrange(len(said))
        match rng.randrange(4):
            case 0:
                said[place] = rng.randrange(256)
            case 1:
                del said[place : place + rng.randrange(1, 9)]
            case 2:
                said[place:place] = rng.choice(PIECES)
            case _:
                said[place:place] = said[: rng.randrange(40)]
    return bytes(said)


@pytest.mark.parametrize("seed", SEEDS)
async def test_sec13_noise_in_the_framing_is_refused_without_a_failure(
    desk: Desk, seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    await desk.operator.a_run()

    def babble() -> bytes:
        with plug(desk.socket) as peer:
            try:
                peer.sendall(noise(seed))
                peer.shutdown(socket.SHUT_WR)
                return b"".join(iter(lambda: peer.recv(65536), b""))
            except OSError:
                return b""

    said = await trio.to_thread.run_sync(babble)
    assert b"HTTP/1.1 5" not in said
    assert "Traceback" not in caplog.text
    assert "Traceback" not in said.decode("latin-1")
    await is_well(desk)


async def test_sec13_what_a_peer_says_of_itself_is_not_believed(desk: Desk) -> None:
    claims = {"X-Peer": "staff:root", "X-Uid": "0", "Authorization": "Basic cm9vdDo=", "X-Role": "pay"}
    await desk.operator.a_run()
    await desk.ask("POST", "/v1/runs/digits/pause", headers=claims)
    [row] = await desk.operator.storage.audit()
    assert (row.uid, row.pid) == (os.getuid(), os.getpid())
