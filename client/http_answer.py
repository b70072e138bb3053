"""An HTTP/1.1 answer as it comes in: its status, and a body whose end is known. Blocking; knows no sockets.

It is read here because `http.client` takes as long to be imported as all of click, for the mail headers and
the TLS that no Unix socket has.
"""

from collections.abc import Generator, Iterator, Mapping
from typing import Protocol

PIECE_BYTES = 64 * 1024
LINE_BYTES_MAX = 64 * 1024
HEADERS_MAX = 100


class NotAnAnswer(Exception):
    """It is no HTTP, or ended before it was whole."""


class Source(Protocol):
    """Where bytes come from: a buffered file. Nothing is read after the answer's end."""

    def read1(self, size: int = -1, /) -> bytes: ...
    def readline(self, limit: int | None = -1, /) -> bytes: ...


def read_answer(source: Source) -> tuple[int, Iterator[bytes]]:
    """The status, and the body in pieces, each as soon as it is there. NotAnAnswer, also by the pieces."""
    version, _, rest = _line(source).partition(b" ")
    if not version.startswith(b"HTTP/1."):
        raise NotAnAnswer("it does not begin as HTTP does")
    status = _number(rest[:3], 10)
    return status, _body(source, _headers(source))


def split_lines(pieces: Iterator[bytes]) -> Generator[bytes]:
    """The lines, each as soon as it is whole; the last may have no end."""
    begun: list[bytes] = []
    for piece in pieces:
        first, *others = piece.split(b"\n")
        begun.append(first)
        for line in others:
            yield b"".join(begun)
            begun = [line]
    if last := b"".join(begun):
        yield last


def _headers(source: Source) -> Mapping[bytes, bytes]:
    headers: dict[bytes, bytes] = {}
    for _ in range(HEADERS_MAX):
        line = _line(source)
        if not line:
            return headers
        name, _, value = line.partition(b":")
        headers[name.strip().lower()] = value.strip()
    raise NotAnAnswer("it has too many headers")


def _body(source: Source, headers: Mapping[bytes, bytes]) -> Iterator[bytes]:
    if headers.get(b"transfer-encoding", b"").lower() == b"chunked":
        return _chunks(source)
    if (length := headers.get(b"content-length")) is None:
        raise NotAnAnswer("it does not say where it ends")
    return _exactly(source, _number(length, 10))


def _chunks(source: Source) -> Generator[bytes]:
    while length := _number(_line(source).partition(b";")[0], 16):
        yield from _exactly(source, length)
        if _line(source):
            raise NotAnAnswer("a chunk is longer than it says")
    while _line(source):  # trailers
        pass


def _exactly(source: Source, length: int) -> Generator[bytes]:
    while length:
        piece = source.read1(min(length, PIECE_BYTES))
        if not piece:
            raise NotAnAnswer(f"{length} bytes are missing")
        length -= len(piece)
        yield piece


def _line(source: Source) -> bytes:
    line = source.readline(LINE_BYTES_MAX)
    if not line.endswith(b"\n"):
        raise NotAnAnswer("it ends, or goes on, in the middle of a line")
    return line.rstrip(b"\r\n")


def _number(digits: bytes, base: int) -> int:
    try:
        number = int(digits, base)
    except ValueError:
        number = -1
    if number < 0:
        raise NotAnAnswer(f"{digits[:20]!r} is no length")
    return number
