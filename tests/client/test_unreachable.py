"""When no daemon answers: what crowdctl says, and that it ends with 3."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from crowdd.client import Client, ConnectionCut, DaemonUnreachable, connect
from crowdd.client.crowdctl import main
from crowdd.client.exit_codes import ExitCode
from crowdd.client.socket_path import default_socket


def crowdctl(path: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["--socket", str(path), *arguments])


@contextmanager
def answering(path: Path, answer: bytes) -> Generator[None]:
    """Somebody at `path` who says `answer` to one peer, whatever is asked, and hangs up."""

    def serve() -> None:
        peer, _ = listener.accept()
        with peer:
            peer.recv(65536)
            peer.sendall(answer)

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        listener.settimeout(20)
        thread = threading.Thread(target=serve)
        thread.start()
        yield
        thread.join()


def test_without_a_socket_it_says_how_to_start_a_daemon(tmp_path: Path) -> None:
    result = crowdctl(tmp_path / "control", "runs")
    assert result.stderr == (
        f"crowdctl: No daemon is running here: there is no socket at {tmp_path}/control.\n"
        "  Start one with `crowdd serve`, or say where it is with --socket PATH or CROWDD_SOCKET.\n"
    )
    assert result.exit_code == ExitCode.UNREACHABLE


def test_a_file_that_is_no_socket_is_not_taken_for_a_daemon_that_died(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("mine")
    result = crowdctl(tmp_path / "notes", "runs")
    assert f"{tmp_path}/notes is not a daemon's socket" in result.stderr
    assert result.exit_code == ExitCode.UNREACHABLE


@pytest.mark.parametrize("command", ["status", "runs", "show x", "watch x", "wait x", "stop x", "export x"])
def test_a_daemon_that_died_is_told_apart_at_once(tmp_path: Path, command: str) -> None:
    path = tmp_path / "control"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    result = crowdctl(path, *command.split())
    assert "has ended: its socket is there, but nobody answers" in result.stderr
    assert result.exit_code == ExitCode.UNREACHABLE


def test_a_file_that_is_no_socket_is_told(tmp_path: Path) -> None:
    (tmp_path / "control").write_text("")
    result = crowdctl(tmp_path / "control", "status")
    assert "crowdctl: " in result.stderr
    assert result.exit_code == ExitCode.UNREACHABLE


def test_a_path_too_long_for_a_socket_is_told(tmp_path: Path) -> None:
    result = crowdctl(tmp_path / ("x" * 200), "status")
    assert "too long" in result.stderr
    assert result.exit_code == ExitCode.UNREACHABLE


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody who may not")
def test_somebody_who_may_not_is_told_which_group_it_takes(tmp_path: Path) -> None:
    code = f"""
import os, pathlib
from crowdd.client import Client, DaemonUnreachable
client = Client(pathlib.Path("control"))
os.chdir({str(tmp_path)!r})
os.setuid(65534)
try:
    client.status()
except DaemonUnreachable as exc:
    print(exc.message, exc.hint)
"""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "control"))
        listener.listen()
        (tmp_path / "control").chmod(0o660)
        said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "You may not use the daemon's socket control. Join the group" in said


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
    ],
)
def test_half_an_answer_is_no_answer(tmp_path: Path, answer: bytes) -> None:
    with answering(tmp_path / "control", answer), pytest.raises(ConnectionCut):
        Client(tmp_path / "control").status()


def test_a_file_that_came_as_another_is_not_taken_for_it(tmp_path: Path) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
    with (
        answering(tmp_path / "control", answer),
        pytest.raises(ConnectionCut, match="did not come as it was"),
    ):
        Client(tmp_path / "control").read_file("digits", "0" * 64)


def test_an_error_without_words_is_still_an_error(tmp_path: Path) -> None:
    with answering(tmp_path / "control", b"HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\noops"):
        result = crowdctl(tmp_path / "control", "status")
    assert result.stderr == "crowdctl: The daemon answered 500 without saying why.\n"
    assert result.exit_code == ExitCode.REFUSED


def test_a_daemon_that_says_nothing_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "control"))
        listener.listen()
        with pytest.raises(DaemonUnreachable, match="did not answer in time"):
            Client(tmp_path / "control", timeout_s=0.05).status()


def test_a_launch_that_was_cut_says_how_to_repeat_it_safely(tmp_path: Path) -> None:
    task = tmp_path / "task"
    task.mkdir()
    (task / "task.toml").write_text("")
    with answering(tmp_path / "control", b""):
        result = crowdctl(tmp_path / "control", "launch", str(task), "--launch-id", "l1")
    assert "Whether the run was launched is not known." in result.stderr
    assert "--launch-id l1: that never launches twice." in result.stderr
    assert result.exit_code == ExitCode.UNREACHABLE


def test_connect_fails_at_once_when_nobody_is_there(tmp_path: Path) -> None:
    with pytest.raises(DaemonUnreachable):
        connect(tmp_path / "control")


# --- where the socket is looked for


def test_the_environment_names_the_socket(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CROWDD_SOCKET", str(tmp_path / "named"))
    result = CliRunner().invoke(main, ["status"])
    assert f"no socket at {tmp_path}/named" in result.stderr


def test_without_any_socket_the_one_of_this_folder_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert default_socket({}) == Path("crowdd-data/control")


def test_the_socket_of_this_folder_comes_before_that_of_the_user(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("crowdd-data", "runtime/crowdd"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "control").touch()
    environment = {"XDG_RUNTIME_DIR": str(tmp_path / "runtime")}
    assert default_socket(environment) == Path("crowdd-data/control")
    (tmp_path / "crowdd-data" / "control").unlink()
    assert default_socket(environment) == tmp_path / "runtime/crowdd/control"
