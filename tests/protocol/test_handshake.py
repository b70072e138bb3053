"""How a link begins, and every way in which it does not."""

import contextlib
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdd.protocol.codec import decode_frame, encode_frame
from crowdd.protocol.errors import LinkRefusal
from crowdd.protocol.handshake import Handshake, Peer, refusal
from crowdd.protocol.limits import FRAME_BYTES_MAX, HELLO_BYTES_MAX
from crowdd.protocol.link import Role
from crowdd.protocol.names import Outcome, WireId
from crowdd.protocol.packets import Answer, Hello, LogError, Part, RequestStatuses

SECRET = b"s" * 32
KEY = b"k" * 32


def daemon(**changed: Any) -> Handshake:
    words: dict[str, Any] = {"secrets": [SECRET], "label": "digits", "nonce": b"d" * 32, "epoch": 5}
    words |= {"key": KEY} | changed
    return Handshake(Role.DAEMON, **words)


def router(**changed: Any) -> Handshake:
    words: dict[str, Any] = {"secrets": [SECRET], "label": "digits", "nonce": b"r" * 32, "epoch": 7}
    return Handshake(Role.ROUTER, **(words | changed))


def talk(d: Handshake, r: Handshake) -> list[bytes]:
    """Let both talk until nothing is left to say; everything the daemon sent."""
    to_router, said = d.start(), list[bytes]()
    while to_router:
        said += to_router
        to_daemon = [frame for sent in to_router for frame in r.receive(sent)]
        to_router = [frame for sent in to_daemon for frame in d.receive(sent)]
    return said


def test_both_sides_know_each_other_afterwards() -> None:
    d, r = daemon(statuses={"agent": "in task"}), router(outbox=["agent"])
    talk(d, r)
    assert d.peer == Peer(1, 7, b"", {}, ["agent"])
    assert r.peer == Peer(1, 5, KEY, {"agent": "in task"}, [])


def test_the_key_is_told_only_to_a_router_that_proved_itself() -> None:
    d, r = daemon(), router()
    (first,) = d.start()
    (second,) = r.receive(first)
    assert KEY not in first
    (hello,) = decode_frame(second)
    assert isinstance(hello, Hello)
    with pytest.raises(LinkRefusal) as caught:
        d.receive(encode_frame([attrs.evolve(hello, proof=b"x" * 32)]))
    assert KEY not in b"".join(caught.value.frames)


def test_the_statuses_of_many_agents_cross_in_parts() -> None:
    statuses = {f"{number:038}": "in task" for number in range(20_000)}
    d, r = daemon(statuses=statuses), router()
    said = talk(d, r)
    assert r.peer is not None
    assert r.peer.statuses == statuses
    assert max(map(len, said)) <= FRAME_BYTES_MAX


OLD, NEW, FOREIGN = SECRET, b"n" * 32, b"f" * 32


@pytest.mark.parametrize(
    ("daemon_has", "router_has"),
    [
        ([OLD], [OLD, NEW]),
        ([OLD, NEW], [OLD]),
        ([OLD, NEW], [OLD, NEW]),
        ([OLD, NEW], [NEW]),
        ([NEW, OLD], [OLD]),
        ([NEW, OLD], [OLD, NEW]),
        ([NEW], [NEW]),
    ],
    ids=lambda secrets: "+".join({OLD: "old", NEW: "new"}[secret] for secret in secrets),
)
def test_sec4_the_link_holds_at_every_step_of_a_rotation(
    daemon_has: list[bytes], router_has: list[bytes]
) -> None:
    d, r = daemon(secrets=daemon_has), router(secrets=router_has)
    talk(d, r)
    assert d.peer is not None
    assert r.peer is not None


@pytest.mark.parametrize(
    ("daemon_has", "router_has"),
    [([NEW], [OLD]), ([OLD], [NEW]), ([FOREIGN], [OLD, NEW]), ([OLD, NEW], [FOREIGN]), ([NEW], [OLD, NEW])],
    ids=[
        "old router",
        "old daemon",
        "no daemon of ours",
        "no router of ours",
        "the first is what proves",
    ],
)
def test_sec4_what_is_not_in_both_files_proves_nothing(
    daemon_has: list[bytes], router_has: list[bytes]
) -> None:
    d, r = daemon(secrets=daemon_has), router(secrets=router_has)
    with pytest.raises(LinkRefusal, match="did not prove"):
        talk(d, r)
    assert d.peer is None
    assert r.peer is None


def test_a_hello_without_end_is_refused() -> None:
    r = router()
    within = HELLO_BYTES_MAX // 60_000
    for index in range(within):
        r.receive(encode_frame([Part(0, index, False, bytes(60_000))]))
    with pytest.raises(LinkRefusal, match="too large"):
        r.receive(encode_frame([Part(0, within, False, bytes(60_000))]))


@pytest.mark.parametrize(
    ("daemon_has", "router_has", "words"),
    [
        ({"secrets": [b"S" * 32]}, {}, "the router did not prove that it knows the secret"),
        ({"label": "other"}, {}, "the link of run 'digits'; the daemon means another run"),
        ({"versions": (3, 2)}, {}, "version 1 of the link, the daemon version 3, 2: update the router"),
        ({}, {"versions": (4, 3)}, "version 4, 3 of the link, the daemon version 1: update the daemon"),
        ({"key": b"short"}, {}, "the run's key is shorter than 16 bytes"),
    ],
    ids=["secret", "label", "old router", "old daemon", "key"],
)
def test_a_refusal_says_why_in_words_that_both_sides_read(
    daemon_has: dict[str, Any], router_has: dict[str, Any], words: str
) -> None:
    d, r = daemon(**daemon_has), router(**router_has)
    with pytest.raises(LinkRefusal) as caught:
        talk(d, r)
    assert words in caught.value.words
    for other in (daemon(), router()):
        with pytest.raises(LinkRefusal) as heard:
            other.receive(caught.value.frames[0])
        assert heard.value.words.endswith(f"refused the link: {caught.value.words}")
        assert heard.value.frames == []
    assert (d.peer, r.peer) == (None, None)


@pytest.mark.parametrize(
    ("ours", "theirs", "agreed"), [((2, 1), (3, 2), 2), ((2, 1), (2, 1), 2), ((2, 1), (1,), 1)]
)
def test_neighbouring_versions_understand_each_other(
    ours: tuple[int, ...], theirs: tuple[int, ...], agreed: int
) -> None:
    d, r = daemon(versions=ours), router(versions=theirs)
    talk(d, r)
    assert d.peer is not None
    assert r.peer is not None
    assert (d.peer.version, r.peer.version) == (agreed, agreed)


def test_a_recorded_daemon_cannot_be_played_again() -> None:
    recorded = talk(daemon(), router())
    victim = router(nonce=b"n" * 32)
    victim.receive(recorded[0])
    with pytest.raises(LinkRefusal, match="did not prove"):
        victim.receive(recorded[1])
    assert victim.peer is None


def test_a_recorded_router_cannot_be_played_again() -> None:
    recorded = router().receive(daemon().start()[0])
    with pytest.raises(LinkRefusal, match="did not prove"):
        daemon(nonce=b"n" * 32).receive(recorded[0])


def test_a_router_cannot_have_its_own_proof_taken_for_the_daemons() -> None:
    r = router()
    (answer,) = r.receive(daemon().start()[0])
    (hello,) = decode_frame(answer)
    assert isinstance(hello, Hello)
    with pytest.raises(LinkRefusal, match="did not prove"):
        r.receive(encode_frame([attrs.evolve(hello, step=3, nonce=b"d" * 32, key=KEY)]))


@pytest.mark.parametrize("step", [0, 2, 3, 4, 5])
def test_steps_come_in_turn(step: int) -> None:
    with pytest.raises(LinkRefusal, match="out of turn"):
        router().receive(encode_frame([Hello(step, [1], "digits", b"d" * 32, 5)]))


def test_a_link_that_is_up_takes_no_second_hello() -> None:
    d, r = daemon(), router()
    said = talk(d, r)
    with pytest.raises(LinkRefusal, match="out of turn"):
        r.receive(said[-1])


@pytest.mark.parametrize(
    "hello",
    [
        Hello(1, [1], "digits", b"d" * 31, 5),
        Hello(1, [1], "digits", b"d" * 33, 5),
        Hello(1, [1], "digits", b"d" * 32, 0),
        Hello(1, [1], "digits", b"d" * 32, 2**40),
    ],
    ids=["short nonce", "long nonce", "no epoch", "large epoch"],
)
def test_an_impossible_hello_is_refused(hello: Hello) -> None:
    with pytest.raises(LinkRefusal, match="nonce or epoch"):
        router().receive(encode_frame([hello]))


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"\x90",
        encode_frame([RequestStatuses()]),
        encode_frame([LogError(WireId(""))] * 2),
        b"\x91\x81\xa1t\xa5hello",
    ],
)
def test_anything_else_than_a_hello_is_refused(frame: bytes) -> None:
    with pytest.raises(LinkRefusal, match="hello"):
        router().receive(frame)


@given(st.binary(max_size=300))
def test_no_bytes_do_worse_than_being_refused(frame: bytes) -> None:
    r = router()
    with contextlib.suppress(LinkRefusal):
        r.receive(frame)
    assert r.peer is None


@pytest.mark.parametrize("retry", [True, False])
def test_a_refusal_says_if_it_will_pass(retry: bool) -> None:
    (frame,) = refusal("the bundle is not here yet", retry).frames
    with pytest.raises(LinkRefusal) as caught:
        daemon().receive(frame)
    assert caught.value.retry is retry


def test_the_words_of_a_refusal_are_made_safe_for_a_log() -> None:
    frame = encode_frame([Answer("hello", Outcome.REFUSED, text="a\nb\x1b[31m" + "x" * 9_000)])
    with pytest.raises(LinkRefusal) as caught:
        daemon().receive(frame)
    assert caught.value.words.isprintable()
    assert len(caught.value.words) < 600
