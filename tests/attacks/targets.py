"""What reads bytes of strangers, as functions of bytes: each takes any, and raises nothing."""

import tempfile
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

from crowdd.protocol.browser import (
    parse_error_log,
    parse_metadata,
    parse_onboarding,
    parse_register,
    parse_return,
    parse_socket_packet,
    parse_submit,
)
from crowdd.protocol.codec import decode_frame, decode_packet
from crowdd.protocol.errors import BadRequest, LinkRefusal, RemoteProtocolError
from crowdd.protocol.handshake import Handshake
from crowdd.protocol.ids import verify_wire_id
from crowdd.protocol.link import LinkEnd, Role
from crowdd.protocol.proof import verify_request
from crowdd.router.addresses import sender
from crowdd.router.addressing import locate
from crowdd.router.bundle import BundleRefused, read_bundle
from crowdd.router.origin import may_connect
from crowdd.router.uploads import FormReader, FormRefused

from ..router.kit import KEY, Pair, agent_id

PARSERS = (
    parse_error_log,
    parse_metadata,
    parse_onboarding,
    parse_register,
    parse_return,
    parse_socket_packet,
    parse_submit,
)


def _browser(data: bytes) -> None:
    for parse in PARSERS:
        with suppress(BadRequest):
            parse(data)


def _frame(data: bytes) -> None:
    for decode in (decode_frame, decode_packet):
        with suppress(RemoteProtocolError):
            decode(data)


def _link(data: bytes) -> None:
    for role in Role:
        end = LinkEnd(role, 7)
        end.connection_made(0.0, 1)
        with suppress(RemoteProtocolError):
            end.receive(data, 0.0)
            end.receive(data, 0.0)


def _hello(data: bytes) -> None:
    for role in Role:
        with suppress(LinkRefusal):
            Handshake(role, [b"s" * 32], "digits", b"n" * 32, 7, key=KEY).receive(data)


def _socket(data: bytes) -> None:
    pair = Pair()
    for socket in (pair.seat(agent_id(1)), pair.run.socket_opened("10.0.0.2", 0.0)):
        assert socket is not None
        for text in data.split(b"\0"):
            pair.run.socket_heard(socket, text, 0.0)


def _form(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        with (
            closing(FormReader("multipart/form-data; boundary=XX", Path(folder))) as form,
            suppress(FormRefused),
        ):
            form.feed(data)
            form.finish()
        assert not list(Path(folder).iterdir())


def _bundle(data: bytes) -> None:
    with suppress(BundleRefused):
        read_bundle(data)


def _words(data: bytes) -> None:
    """What stands in headers and addresses."""
    text = data.decode("latin-1")
    verify_wire_id(KEY, text)
    verify_request(b"s" * 32, "GET", text, text, 0.0)
    locate(text, text, {"digits"}, None, True)
    may_connect(text, text, "https", [text[:9]])
    sender(text)


TARGETS: dict[str, Callable[[bytes], None]] = {
    "browser": _browser,
    "frame": _frame,
    "link": _link,
    "hello": _hello,
    "socket": _socket,
    "form": _form,
    "bundle": _bundle,
    "words": _words,
}
