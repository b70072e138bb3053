"""The control socket itself: its file, who may come, how it ends."""

import os
import pwd
import socket
import stat
from pathlib import Path

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from crowdd.daemon.control import ControlSocketTaken, serve_control
from crowdd.daemon.control.peer import peer_of
from crowdd.daemon.control.service import CONNECTIONS_MAX, USER_CONNECTIONS_MAX
from crowdd.daemon.control.shapes.service import HeldView

from .fakes import STAFF, Desk, FakeOperator, ask, plug


async def test_the_socket_is_there_for_its_user_and_group_only(desk: Desk) -> None:
    status = desk.socket.stat()
    assert stat.S_ISSOCK(status.st_mode)
    assert stat.S_IMODE(status.st_mode) == 0o660


async def test_the_socket_file_is_removed_at_the_end(tmp_path: Path) -> None:
    async with trio.open_nursery() as nursery:
        path = await nursery.start(serve_control, FakeOperator(), tmp_path / "control", STAFF)
        assert path.exists()
        nursery.cancel_scope.cancel()
    assert not path.exists()


async def test_the_socket_of_a_daemon_that_died_is_replaced(tmp_path: Path, nursery: trio.Nursery) -> None:
    path = tmp_path / "control"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    await nursery.start(serve_control, FakeOperator(), path, STAFF)
    assert (await trio.to_thread.run_sync(ask, path, "GET", "/v1/status")).status == 200


async def test_the_socket_of_a_living_daemon_is_left_alone(desk: Desk) -> None:
    with pytest.raises(ControlSocketTaken, match="another daemon answers"):
        await serve_control(FakeOperator(), desk.socket, STAFF)
    assert (await desk.ask("GET", "/v1/status")).status == 200


async def test_a_file_that_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "control"
    path.write_text("precious")
    with pytest.raises(ControlSocketTaken, match="not a socket"):
        await serve_control(FakeOperator(), path, STAFF)
    assert path.read_text() == "precious"


async def test_a_successor_at_the_same_path_keeps_its_file(tmp_path: Path) -> None:
    path = tmp_path / "control"
    async with trio.open_nursery() as nursery:
        await nursery.start(serve_control, FakeOperator(), path, STAFF)
        path.unlink()
        with socket.socket(socket.AF_UNIX) as successor:
            successor.bind(str(path))
        nursery.cancel_scope.cancel()
    assert path.exists()


async def test_a_path_too_long_for_a_socket_is_refused_with_the_limit(tmp_path: Path) -> None:
    with pytest.raises(ControlSocketTaken, match="107"):
        await serve_control(FakeOperator(), tmp_path / ("x" * 108), STAFF)


async def test_the_peer_is_who_the_kernel_says(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        listener.listen()
        with plug(tmp_path / "s"):
            accepted, _ = listener.accept()
            async with trio.SocketStream(trio.socket.from_stdlib_socket(accepted)) as stream:
                peer = peer_of(stream)
    assert (peer.pid, peer.uid, peer.gid) == (os.getpid(), os.getuid(), os.getgid())


async def test_status_tells_who_asks(desk: Desk) -> None:
    answer = (await desk.ask("GET", "/v1/status", headers={"X-Peer": "staff:root", "X-User": "boss"})).json()
    assert answer["you"] == f"staff:{pwd.getpwuid(os.getuid()).pw_name}"
    assert answer["version"]


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\x00\xff\x16\x03\x01garbage\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /%ff HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
async def test_a_peer_that_talks_nonsense_harms_only_itself(desk: Desk, nonsense: bytes) -> None:
    def babble() -> None:
        with plug(desk.socket) as sock:
            sock.sendall(nonsense)
            sock.shutdown(socket.SHUT_WR)
            while sock.recv(65536):
                pass

    await trio.to_thread.run_sync(babble)
    assert (await desk.ask("GET", "/v1/status")).status == 200


@pytest.mark.parametrize(("others", "status"), [(USER_CONNECTIONS_MAX - 1, 200), (USER_CONNECTIONS_MAX, 503)])
async def test_sec13_a_user_has_so_many_connections_and_is_told_of_one_too_many(
    desk: Desk, others: int, status: int
) -> None:
    assert USER_CONNECTIONS_MAX < CONNECTIONS_MAX
    plugs: list[socket.socket] = []
    for _ in range(others):
        plugs.append(plug(desk.socket))
        await wait_all_tasks_blocked()
    answer = await desk.ask("GET", "/v1/status")
    for sock in plugs:
        sock.close()
    assert answer.status == status
    assert status == 200 or answer.error()["code"] == "busy"


async def test_a_seat_is_free_again_when_its_peer_has_gone(desk: Desk) -> None:
    for _ in range(CONNECTIONS_MAX * 2):
        assert (await desk.ask("GET", "/v1/status")).status == 200


async def test_a_peer_that_reads_nothing_does_not_hold_up_the_end(tmp_path: Path) -> None:
    operator = FakeOperator()
    await operator.a_run("digits", units=1000)
    async with trio.open_nursery() as nursery:
        path = await nursery.start(serve_control, operator, tmp_path / "control", STAFF)
        with plug(path) as sock:
            for _ in range(5):
                sock.sendall(b"GET /v1/runs/digits/units?limit=1000 HTTP/1.1\r\nHost: x\r\n\r\n")
            await wait_all_tasks_blocked(0.05)
            with trio.fail_after(5):
                nursery.cancel_scope.cancel()
                await trio.lowlevel.checkpoint_if_cancelled()


async def test_a_bug_is_answered_500_without_a_traceback(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> HeldView:
        raise RuntimeError("secret detail")

    desk.operator.status = broken  # type: ignore[method-assign]
    answer = await desk.ask("GET", "/v1/status")
    assert (answer.status, answer.error()["code"]) == (500, "internal")
    assert b"secret detail" not in answer.body
    await wait_all_tasks_blocked()  # it is logged once it has been answered
    assert "secret detail" in caplog.text


async def test_a_socket_that_was_handed_over_is_served_and_left_as_it_is(
    tmp_path: Path, nursery: trio.Nursery
) -> None:
    path = tmp_path / "systemd-s"
    with socket.socket(socket.AF_UNIX) as systemd_s:
        systemd_s.bind(str(path))
        systemd_s.listen()
        async with trio.open_nursery() as daemon:
            where = await daemon.start(
                serve_control, FakeOperator(), tmp_path / "ours", STAFF, systemd_s.dup()
            )
            assert where == path
            assert not (tmp_path / "ours").exists()
            assert (await trio.to_thread.run_sync(ask, path, "GET", "/v1/status")).status == 200
            daemon.cancel_scope.cancel()
        assert path.exists()
        answers: list[int] = []

        async def ask_meanwhile() -> None:
            answers.append((await trio.to_thread.run_sync(ask, path, "GET", "/v1/status")).status)

        async with trio.open_nursery() as waiting:
            waiting.start_soon(ask_meanwhile)  # no daemon runs: the next one answers
            await nursery.start(serve_control, FakeOperator(), tmp_path / "ours", STAFF, systemd_s.dup())
    assert answers == [200]


async def test_a_handed_over_socket_that_is_no_unix_socket_is_refused(tmp_path: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as strange,
        pytest.raises(ControlSocketTaken, match="no Unix socket"),
    ):
        await serve_control(FakeOperator(), tmp_path / "ours", STAFF, strange)
