"""What our doors read of a request's headers."""

import pytest
from starlette.types import Message

from crowdd.router.plain_request import PlainRequest


async def nothing() -> Message:
    raise AssertionError("nobody reads a body here")


def request(*headers: tuple[bytes, bytes], client: tuple[str, int] | None = None) -> PlainRequest:
    """A request with these headers, from there."""
    return PlainRequest({"type": "http", "headers": list(headers), "client": client}, nothing)


def test_of_a_header_that_comes_twice_the_first_counts() -> None:
    twice = request((b"origin", b"https://a.example"), (b"accept", b"*/*"), (b"origin", b"https://b.example"))
    assert twice.said(b"origin") == twice.headers["origin"] == "https://a.example"


def test_an_empty_header_is_another_than_none() -> None:
    assert (request((b"origin", b"")).said(b"origin"), request().said(b"origin")) == ("", None)


@pytest.mark.parametrize(("client", "sender"), [(("2001:db8::1", 4000), "2001:db8::/64"), (None, "")])
def test_its_sender_is_who_connected(client: tuple[str, int] | None, sender: str) -> None:
    assert request(client=client).sender == sender
