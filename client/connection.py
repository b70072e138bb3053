"""HTTP over the daemon's Unix socket, blocking, one connection a request. Knows no endpoints."""

import json
import os
import socket
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlencode

from .errors import (
    ClientError,
    ConnectionCut,
    DaemonUnreachable,
    ExtensionRefused,
    LaunchRefused,
    NoSuchRun,
    NoSuchThing,
    Refused,
    ReloadRefused,
)
from .http_answer import NotAnAnswer, read_answer, split_lines

CONNECT_S = 5.0
KNOCK_AGAIN_S = 0.05
BLOCK_BYTES = 64 * 1024
ERROR_BYTES_MAX = 1024 * 1024

Parameters = Sequence[tuple[str, str | int]]


def _unreachable(path: Path, exc: OSError) -> DaemonUnreachable:
    match exc:
        case FileNotFoundError() | NotADirectoryError():
            return DaemonUnreachable(
                f"No daemon is running here: there is no socket at {path}.",
                "Start one with `crowdd serve`, or say where it is with --socket PATH or CROWDD_SOCKET.",
            )
        case ConnectionRefusedError() if not path.is_socket():
            return DaemonUnreachable(
                f"{path} is not a daemon's socket.",
                "A daemon's control socket is the file `control` in its data folder: crowdd-data/control.",
            )
        case ConnectionRefusedError():
            return DaemonUnreachable(
                f"The daemon at {path} has ended: its socket is there, but nobody answers.",
                "Start it again with `crowdd serve`; it goes on where it was.",
            )
        case PermissionError():
            return DaemonUnreachable(
                f"You may not use the daemon's socket {path}.",
                "Join the group that the socket belongs to (`ls -l` shows it), or become the daemon's user.",
            )
        case TimeoutError() | BlockingIOError():
            return DaemonUnreachable(
                f"The daemon at {path} did not take the connection within {CONNECT_S:.0f} s.",
                "It is overloaded or stuck: see its log.",
            )
        case _:
            return DaemonUnreachable(f"{path}: {exc.strerror or exc}.", "Is it the daemon's socket?")


class Connection:
    """The way to one daemon. Holds nothing open between requests."""

    def __init__(self, path: Path, timeout_s: float = 60.0) -> None:
        self.path = path
        self.timeout_s = timeout_s

    def get(self, path: str, parameters: Parameters = ()) -> Any:
        """The JSON answer to a GET. Refused (and its kinds), DaemonUnreachable."""
        with self.open("GET", path, parameters) as pieces:
            return _json(b"".join(pieces))

    def post(self, path: str, content: Mapping[str, Any], timeout_s: float | None = None) -> Any:
        """Post a JSON object; the JSON answer."""
        with self.open("POST", path, body=json.dumps(content).encode(), timeout_s=timeout_s) as pieces:
            return _json(b"".join(pieces))

    def delete(self, path: str, parameters: Parameters = (), timeout_s: float | None = None) -> Any:
        """The JSON answer to a DELETE."""
        with self.open("DELETE", path, parameters, timeout_s=timeout_s) as pieces:
            return _json(b"".join(pieces))

    def upload(self, path: str, parameters: Parameters, file: IO[bytes], timeout_s: float) -> Any:
        """Post a whole file; the JSON answer."""
        with self.open("POST", path, parameters, file, timeout_s) as pieces:
            return _json(b"".join(pieces))

    @contextmanager
    def open(
        self,
        method: str,
        path: str,
        parameters: Parameters = (),
        body: bytes | IO[bytes] = b"",
        timeout_s: float | None = None,
    ) -> Generator[Iterator[bytes]]:
        """Ask, and give the answer's body in pieces, to be read while it comes in."""
        target = f"/v1{path}" + (f"?{urlencode(parameters)}" if parameters else "")
        with _plugged(self.path, timeout_s or self.timeout_s) as sock, sock.makefile("rb") as incoming:
            with _translated(self.path):
                _send(sock, f"{method} {target}", body)
                status, pieces = read_answer(incoming)
                if status >= 400:
                    raise _refusal(status, _beginning(pieces))
            with _translated(self.path):
                yield pieces


def _plugged(path: Path, timeout_s: float) -> socket.socket:
    """A connected socket that waits for at most so long each time. DaemonUnreachable."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.settimeout(CONNECT_S)
        _knock(sock, path, time.monotonic() + CONNECT_S)
        sock.settimeout(timeout_s)
    except OSError as exc:
        sock.close()
        raise _unreachable(path, exc) from exc
    return sock


def _knock(sock: socket.socket, path: Path, give_up_at: float) -> None:
    while True:
        try:
            sock.connect(os.fspath(path))
            return
        except BlockingIOError:  # a Unix socket whose queue is full does not make us wait: it refuses
            if time.monotonic() > give_up_at:
                raise
            time.sleep(KNOCK_AGAIN_S)


def _send(sock: socket.socket, asked: str, body: bytes | IO[bytes]) -> None:
    length = len(body) if isinstance(body, bytes) else os.fstat(body.fileno()).st_size
    head = f"{asked} HTTP/1.1\r\nHost: crowdd\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
    with suppress(BrokenPipeError, ConnectionResetError):  # it answers early when the body is too large
        sock.sendall(head.encode())
        for block in [body] if isinstance(body, bytes) else iter(lambda: body.read(BLOCK_BYTES), b""):
            sock.sendall(block)


def _beginning(pieces: Iterator[bytes]) -> bytes:
    """As much as an error may be long."""
    text = b""
    for piece in pieces:
        text += piece
        if len(text) >= ERROR_BYTES_MAX:
            break
    return text


@contextmanager
def _translated(path: Path) -> Generator[None]:
    try:
        yield
    except ClientError:
        raise
    except TimeoutError as exc:
        raise DaemonUnreachable(
            f"The daemon at {path} did not answer in time.", "It may be busy: try again, and see its log."
        ) from exc
    except (NotAnAnswer, ConnectionError) as exc:
        raise ConnectionCut(
            f"The daemon at {path} went away in mid-answer.",
            "See whether it runs (`crowdctl status`), and look before you ask again.",
        ) from exc


def lines(pieces: Iterator[bytes]) -> Iterator[Any]:
    """A body as JSON lines, each as soon as it is there."""
    return map(_json, split_lines(pieces))


def _json(text: bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError as exc:
        raise ConnectionCut("This is not what a crowdd daemon says.", "Is this its control socket?") from exc


def _refusal(status: int, text: bytes) -> ClientError:
    try:
        error = json.loads(text)["error"]
        code, message, hint = str(error["code"]), str(error["message"]), str(error.get("hint", ""))
    except (ValueError, KeyError, TypeError):
        return Refused(status, "unknown", f"The daemon answered {status} without saying why.")
    match code:
        case "no_such_run":
            return NoSuchRun(status, code, message, hint)
        case "launch_refused":
            return LaunchRefused(message, hint, [str(problem) for problem in error.get("problems", [])])
        case "reload_refused":
            return ReloadRefused(message, hint, [str(problem) for problem in error.get("problems", [])])
        case "extension_refused":
            return ExtensionRefused(message, hint, [str(problem) for problem in error.get("problems", [])])
        case _:
            kind = NoSuchThing if status == 404 else Refused
            return kind(status, code, message, hint)
