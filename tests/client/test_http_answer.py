"""An HTTP answer is read to its end and no further, as it comes in; what is none is refused."""

import io

import pytest

from crowdd.client.http_answer import NotAnAnswer, read_answer, split_lines


class Trickle(io.BytesIO):
    """Gives at most three bytes at a time, as a slow peer does."""

    def read1(self, size: int | None = -1, /) -> bytes:
        return super().read1(3 if size is None or size < 0 else min(3, size))


def answer(text: bytes) -> tuple[int, bytes]:
    status, pieces = read_answer(Trickle(text))
    return status, b"".join(pieces)


def test_a_body_of_known_length_ends_there() -> None:
    assert answer(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhelloHTTP/1.1") == (200, b"hello")


def test_a_body_in_chunks_is_put_together_and_ends_with_the_empty_one() -> None:
    head = b"HTTP/1.1 404 Not Found\r\nServer: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    body = b"5\r\nhello\r\nC;note=1\r\n, over there\r\n0\r\nTrailer: x\r\n\r\nmore"
    assert answer(head + body) == (404, b"hello, over there")


def test_pieces_are_there_before_the_rest_of_the_body() -> None:
    source = Trickle(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}")
    _, pieces = read_answer(source)
    assert next(pieces) == b"{}"
    with pytest.raises(NotAnAnswer, match="98 bytes are missing"):
        next(pieces)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 good\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}}\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nmany\r\n{}\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 101,
        b"HTTP/1.1 200 OK\r\n" + b"a" * 70_000 + b"\r\n\r\n",
    ],
)
def test_what_is_no_whole_answer_is_refused(text: bytes) -> None:
    with pytest.raises(NotAnAnswer):
        answer(text)


def test_lines_are_whole_however_they_are_cut() -> None:
    assert list(split_lines(iter([b"on", b"e\ntwo\n\nth", b"re", b"e\nlast"]))) == [
        b"one",
        b"two",
        b"",
        b"three",
        b"last",
    ]
