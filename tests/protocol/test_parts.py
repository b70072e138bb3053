"""Large packets in parts, and how frames are filled."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdd.protocol import outgoing as outgoing_module
from crowdd.protocol import parts as parts_module
from crowdd.protocol.codec import decode_frame, decode_packet, encode_packet
from crowdd.protocol.errors import RemoteProtocolError
from crowdd.protocol.limits import FRAME_BYTES_MAX, PACKET_BYTES_MAX, PARTS_OPEN_MAX
from crowdd.protocol.names import WireId
from crowdd.protocol.outgoing import Outgoing
from crowdd.protocol.packets import LogError, Packet, Part, RequestStatuses
from crowdd.protocol.parts import PIECE_BYTES, Assembler, count_parts, split

BEAT = encode_packet(RequestStatuses())


def error(size: int, mark: str = "x") -> bytes:
    return encode_packet(LogError(WireId(""), mark * size))


def parts_of(encoded: bytes, part_id: int = 0) -> list[Part]:
    decoded = [decode_packet(part) for part in split(encoded, part_id)]
    return [part for part in decoded if isinstance(part, Part)]


def opened(assembler: Assembler, part_id: int, piece: bytes = b"x") -> None:
    assert assembler.add(Part(part_id, 0, False, piece)) is None


@given(st.integers(1, 5 * PIECE_BYTES))
@settings(max_examples=30)
def test_what_was_split_is_whole_again(size: int) -> None:
    encoded = bytes(size)
    parts = parts_of(encoded)
    assembler = Assembler()
    assert [assembler.add(part) for part in parts] == [None] * (len(parts) - 1) + [encoded]
    assert len(parts) == count_parts(encoded)


@pytest.mark.parametrize(("size", "count"), [(PIECE_BYTES, 1), (PIECE_BYTES + 1, 2), (2 * PIECE_BYTES, 2)])
def test_pieces_are_as_large_as_they_may_be(size: int, count: int) -> None:
    assert len(parts_of(bytes(size))) == count


def test_a_part_is_a_packet_like_others() -> None:
    assert max(map(len, split(bytes(3 * PIECE_BYTES), 2**40))) <= PACKET_BYTES_MAX


def test_interleaved_packets_come_out_each_by_itself() -> None:
    one, two = parts_of(b"1" * 3 * PIECE_BYTES, 0), parts_of(b"2" * 3 * PIECE_BYTES, 1)
    assembler = Assembler()
    mixed = [assembler.add(part) for pair in zip(one, two, strict=True) for part in pair]
    assert [whole[:1] for whole in mixed if whole] == [b"1", b"2"]


def test_a_repeated_part_changes_nothing() -> None:
    parts = parts_of(bytes(3 * PIECE_BYTES))
    assembler = Assembler()
    doubled = [assembler.add(part) for part in [*parts[:2], parts[0], parts[1], parts[2], parts[0]]]
    assert [whole for whole in doubled if whole] == [bytes(3 * PIECE_BYTES)]


def test_a_repeated_beginning_opens_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts_module, "PARTS_OPEN_MAX", 1)
    assembler = Assembler()
    assert assembler.add(Part(0, 0, True, b"x")) == b"x"
    assert assembler.add(Part(0, 0, True, b"x")) is None
    opened(assembler, 1)


def test_a_missing_part_gives_its_packet_up() -> None:
    first, _, last = parts_of(bytes(3 * PIECE_BYTES))
    assembler = Assembler()
    assembler.add(first)
    with pytest.raises(RemoteProtocolError, match="one is missing"):
        assembler.add(last)
    opened(assembler, 1)


def test_a_part_without_a_beginning_is_refused() -> None:
    with pytest.raises(RemoteProtocolError, match="beginning"):
        Assembler().add(Part(0, 1, True, b"x"))


def test_a_packet_in_parts_may_be_as_large_as_the_limit() -> None:
    assembler = Assembler(packet_bytes_max=10)
    opened(assembler, 0, b"12345")
    assert assembler.add(Part(0, 1, True, b"67890")) == b"1234567890"
    opened(assembler, 1, b"12345")
    with pytest.raises(RemoteProtocolError, match="too large together"):
        assembler.add(Part(1, 1, True, b"678901"))


def test_only_so_many_packets_are_half_received() -> None:
    assembler = Assembler()
    for part_id in range(PARTS_OPEN_MAX):
        opened(assembler, part_id)
    with pytest.raises(RemoteProtocolError, match="half received"):
        assembler.add(Part(PARTS_OPEN_MAX, 0, False, b"x"))
    assert assembler.add(Part(0, 1, True, b"y")) == b"xy"


def test_half_received_packets_have_a_limit_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts_module, "PARTS_BYTES_MAX", 10)
    assembler = Assembler()
    opened(assembler, 0, b"12345")
    opened(assembler, 1, b"12345")
    with pytest.raises(RemoteProtocolError, match="too much"):
        assembler.add(Part(2, 0, False, b"x"))
    assembler.add(Part(0, 1, True, b""))
    opened(assembler, 3, b"12345")


# frames


def frames_of(outgoing: Outgoing) -> list[bytes]:
    return list(iter(outgoing.take_frame, None))


def received(frames: list[bytes]) -> list[Packet]:
    assembler, packets = Assembler(), list[Packet]()
    for decoded in (decoded for frame in frames for decoded in decode_frame(frame)):
        assert isinstance(decoded, Packet)
        if not isinstance(decoded, Part):
            packets.append(decoded)
        elif (whole := assembler.add(decoded)) is not None:
            inner = decode_packet(whole)
            assert isinstance(inner, Packet)
            packets.append(inner)
    return packets


@given(st.lists(st.integers(0, 4 * PACKET_BYTES_MAX), max_size=12))
@settings(max_examples=40)
def test_everything_queued_arrives_in_frames_of_bounded_size(sizes: list[int]) -> None:
    outgoing = Outgoing()
    for size in sizes:
        outgoing.put(lambda size=size: error(size))  # type: ignore[misc]
    frames = frames_of(outgoing)
    assert all(len(frame) <= FRAME_BYTES_MAX for frame in frames)
    arrived = [packet.error for packet in received(frames) if isinstance(packet, LogError)]
    assert sorted(map(len, arrived)) == sorted(sizes)


def test_whatever_is_queued_goes_out_together() -> None:
    outgoing = Outgoing()
    for _ in range(1_000):
        outgoing.put(lambda: BEAT)
    assert len(frames_of(outgoing)) == 1


def test_a_packet_at_the_limit_is_whole_and_one_beyond_is_not() -> None:
    outgoing = Outgoing()
    at_limit = error(PACKET_BYTES_MAX - len(error(0)) - 2)
    assert len(at_limit) == PACKET_BYTES_MAX
    outgoing.put(lambda: at_limit)
    outgoing.put(lambda: error(PACKET_BYTES_MAX + 1))
    (whole, *parts) = decode_frame(frames_of(outgoing)[0])
    assert isinstance(whole, LogError)
    assert [type(part) for part in parts] == [Part, Part]


def test_a_heartbeat_is_never_behind_a_large_packet() -> None:
    outgoing = Outgoing()
    for _ in range(3):
        outgoing.put(lambda: error(2_000_000))
    outgoing.take_frame()
    outgoing.put(lambda: BEAT)
    frame = outgoing.take_frame()
    assert frame is not None
    assert decode_frame(frame)[0] == RequestStatuses()


def test_a_flood_of_small_packets_does_not_starve_a_large_one() -> None:
    outgoing = Outgoing()
    outgoing.put(lambda: error(100_000))
    for _ in range(100):
        outgoing.put(lambda: error(30_000))
    first, second = outgoing.take_frame(), outgoing.take_frame()
    assert first is not None
    assert second is not None
    assert [packet.error[0] for packet in received([first, second]) if isinstance(packet, LogError)].count(
        "x"
    )
    assert sum(isinstance(packet, Part) for packet in decode_frame(first) + decode_frame(second)) == 2


def test_large_packets_take_turns() -> None:
    outgoing = Outgoing()
    outgoing.put(lambda: error(1_000_000, "a"))
    outgoing.put(lambda: error(100_000, "b"))
    arrived = [packet.error[0] for packet in received(frames_of(outgoing)) if isinstance(packet, LogError)]
    assert arrived == ["b", "a"]


def test_a_sender_opens_no_more_than_a_receiver_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing_module, "PARTS_OPEN_MAX", 2)
    monkeypatch.setattr(parts_module, "PARTS_OPEN_MAX", 2)
    outgoing = Outgoing()
    for _ in range(5):
        outgoing.put(lambda: error(200_000))
    assert len(received(frames_of(outgoing))) == 5


def test_a_sender_opens_no_more_bytes_than_a_receiver_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing_module, "PARTS_BYTES_MAX", 500_000)
    monkeypatch.setattr(parts_module, "PARTS_BYTES_MAX", 500_000)
    outgoing = Outgoing()
    for _ in range(5):
        outgoing.put(lambda: error(200_000))
    assert len(received(frames_of(outgoing))) == 5


def test_a_source_is_asked_only_when_its_turn_comes() -> None:
    outgoing, words = Outgoing(), [BEAT]
    outgoing.put(lambda: words.pop() if words else None)
    outgoing.put(lambda: words.pop() if words else None)
    assert len(received(frames_of(outgoing))) == 1


def test_the_sender_hears_when_its_last_part_is_gone() -> None:
    outgoing, done = Outgoing(), list[int]()
    outgoing.put(lambda: error(PIECE_BYTES * 6), lambda: done.append(1))
    counts = [len(done) for frame in iter(outgoing.take_frame, None) if frame]
    assert counts[-1] == 1
    assert 0 in counts
