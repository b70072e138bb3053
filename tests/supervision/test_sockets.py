"""Sockets that a supervisor hands over: taken by name, owned once, refused when they do not listen."""

import fcntl
import os
import socket
import subprocess
import sys
from pathlib import Path

from crowdd.supervision.sockets import FIRST, take_sockets

TAKE = """
import os, sys
from crowdd.supervision.sockets import SocketsRefused, take_sockets
os.environ["LISTEN_PID"] = str(os.getpid())
try:
    taken = take_sockets()
except SocketsRefused as refused:
    sys.exit(str(refused))
for name, sockets in taken.items():
    print(name, *(str(sock.getsockname()[1]) for sock in sockets), any(map(os.get_inheritable, range(3, 6))))
"""
"""As systemd starts a service: what is handed over lies from descriptor 3 on."""


HIGH = 50  # where descriptors lie until they are put in their places, so that none is overwritten


def started_with(names: str, *descriptors: int) -> subprocess.CompletedProcess[str]:
    """What a process says of what it is handed, as systemd would."""
    high = [fcntl.fcntl(each, fcntl.F_DUPFD, HIGH) for each in descriptors]
    shift = "".join(f"exec {FIRST + at}<&{each}; " for at, each in enumerate(high))
    try:
        return subprocess.run(
            ["bash", "-c", f'{shift}exec "$0" -c "$1"', sys.executable, TAKE],
            env={**os.environ, "LISTEN_FDS": str(len(high)), "LISTEN_FDNAMES": names},
            pass_fds=high,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        for each in high:
            os.close(each)


def listener() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0))


def test_handed_over_sockets_are_known_by_their_names() -> None:
    with listener() as first, listener() as second, listener() as third:
        ran = started_with("router:control:router", first.fileno(), second.fileno(), third.fileno())
        ports = [sock.getsockname()[1] for sock in (first, second, third)]
    assert ran.stdout.splitlines() == [
        f"router {ports[0]} {ports[2]} False",
        f"control {ports[1]} False",
    ]


def test_sockets_of_another_process_are_not_ours() -> None:
    assert take_sockets({"LISTEN_PID": "1", "LISTEN_FDS": "2", "LISTEN_FDNAMES": "a:b"}) == {}


def test_without_a_supervisor_there_are_none() -> None:
    assert take_sockets({}) == {}


def test_a_socket_that_does_not_listen_is_refused_with_its_unit_s_line(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagrams:
        datagrams.bind(str(tmp_path / "datagrams"))
        ran = started_with("control", datagrams.fileno())
    assert ran.returncode == 1
    assert "the socket 'control' does not listen for streams: its unit needs ListenStream=" in ran.stderr


def test_what_is_no_socket_at_all_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "file").open("w") as file:
        ran = started_with("control", file.fileno())
    assert "what systemd handed over as 'control' is no socket" in ran.stderr
