"""Whatever strangers send: a clear answer, and nothing else happens."""

import json
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from crowdd.protocol.errors import RemoteProtocolError
from crowdd.router.addressing import locate
from crowdd.router.bundle import BundleRefused, read_bundle
from crowdd.router.commands import CloseSocket, TellSocket
from crowdd.router.origin import may_connect
from crowdd.router.uploads import FormReader, FormRefused

from .kit import Pair, agent_id

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=15), inner, max_size=4),
    max_leaves=12,
)
PACKETS = st.fixed_dictionaries(
    {},
    optional={
        "packet_type": JSON | st.sampled_from(["alive", "heartbeat", "mephisto_bound_live_update"]),
        "subject_id": JSON | st.just(agent_id()) | st.just("mephisto"),
        "data": JSON,
        "client_timestamp": JSON,
    },
)


@given(st.lists(st.binary(max_size=200) | PACKETS.map(lambda packet: repr(packet).encode()), max_size=6))
def test_a_socket_that_talks_nonsense_hears_errors_and_is_closed(texts: list[bytes]) -> None:
    pair = Pair()
    socket = pair.run.socket_opened("10.0.0.1", 0.0)
    assert socket is not None
    for text in texts:
        for command in pair.run.socket_heard(socket, text, 0.0):
            assert isinstance(command, TellSocket | CloseSocket)
    assert pair.pump() == []
    assert pair.heard == []


@given(PACKETS)
def test_no_packet_of_any_shape_is_heard_for_another_agent(packet: object) -> None:
    pair = Pair()
    socket = pair.seat(agent_id(2))
    pair.heard.clear()
    pair.run.socket_heard(socket, json.dumps(packet).encode(), 0.0)
    pair.pump()
    assert {getattr(heard, "subject", agent_id(2)) for heard in pair.heard} <= {agent_id(2)}


@given(st.binary(max_size=400))
def test_a_link_that_talks_nonsense_is_an_error_or_ignored(frame: bytes) -> None:
    pair = Pair()
    try:
        pair.run.link_frame(frame, 0.0)
    except RemoteProtocolError:
        return
    assert pair.run.linked


PIECES = st.lists(
    st.sampled_from(
        [
            b"--XX",
            b"\r\n",
            b"--",
            b'Content-Disposition: form-data; name="a"',
            b'Content-Disposition: form-data; name="f"; filename="../x"',
            b"Content-Type: text/plain",
            b"\r\n\r\n",
            b"content",
            b":",
            b"\x00\xff",
        ]
    ),
    max_size=14,
)


@settings(max_examples=200)
@given(PIECES)
def test_a_form_of_any_shape_is_taken_or_refused_and_leaves_nothing(pieces: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        form = FormReader("multipart/form-data; boundary=XX", Path(folder))
        try:
            for piece in pieces:
                form.feed(piece)
            form.finish()
        except FormRefused:
            pass
        form.close()
        assert list(Path(folder).iterdir()) == []


@given(st.binary(max_size=300))
def test_an_archive_of_any_shape_is_refused(archive: bytes) -> None:
    try:
        read_bundle(archive)
    except BundleRefused:
        return
    raise AssertionError("300 random bytes are no bundle")


@given(st.text(max_size=60), st.text(max_size=60))
def test_hosts_and_origins_of_any_shape_are_judged(origin: str, host: str) -> None:
    assert may_connect(origin, host, "http", ()) in (True, False)
    assert locate(host, origin, {"digits"}, None, shared_origin=True) is None or "digits" in host + origin
