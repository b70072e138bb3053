"""The codec: what goes in comes out, and nothing a peer sends does more than spoil itself."""

import contextlib
from typing import Any, get_args, get_type_hints

import attrs
import msgpack as untyped_msgpack  # type: ignore[import-untyped]
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdd.protocol import codec as codec_module
from crowdd.protocol.codec import (
    BadPacket,
    Decoded,
    UnknownPacket,
    decode_frame,
    decode_packet,
    encode_frame,
    encode_packet,
    join_frame,
    pack_read,
    packet_map,
    read_again,
    restamp,
)
from crowdd.protocol.documents import dump_json
from crowdd.protocol.errors import RemoteProtocolError, Unsendable
from crowdd.protocol.limits import (
    DEPTH_MAX,
    FILES_PER_SUBMISSION_MAX,
    FRAME_BYTES_MAX,
    FRAME_LOOKS_MAX,
    FRAME_PACKETS_MAX,
    JSON_CONTAINERS_MAX,
    NAME_CHARACTERS_MAX,
    PACKET_CONTAINERS_MAX,
    WHOLE_PACKET_BYTES_MAX,
)
from crowdd.protocol.names import AgentStatus, Outcome, PacketType, Reason, WireId
from crowdd.protocol.outline import containers, outline
from crowdd.protocol.packets import (
    AgentDetails,
    Answer,
    ClientBoundLiveUpdate,
    FileNote,
    Hello,
    LogError,
    Packet,
    RequestStatuses,
    SubmitUnit,
    Suspend,
)

msgpack: Any = untyped_msgpack

text = st.text(max_size=20)
numbers = st.integers(-(2**63), 2**64 - 1)
floats = st.floats(allow_nan=False, allow_infinity=False)
leaves = st.none() | st.booleans() | numbers | floats | text
documents = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=12,
)
objects = st.dictionaries(text, documents, max_size=4)
notes = st.builds(FileNote, text, numbers, text, text, text)
BY_TYPE: dict[Any, st.SearchStrategy[Any]] = {
    str: text,
    WireId: text,
    int: numbers,
    float: floats,
    bool: st.booleans(),
    bytes: st.binary(max_size=20),
    Any: documents,
    dict[str, Any]: objects,
    dict[str, Any] | None: st.none() | objects,
    dict[str, str]: st.dictionaries(text, text, max_size=3),
    dict[str, int]: st.dictionaries(text, numbers, max_size=3),
    list[int]: st.lists(numbers, max_size=3),
    list[str]: st.lists(text, max_size=3),
    list[FileNote]: st.lists(notes, max_size=2),
    Outcome: st.sampled_from(Outcome),
    Reason | None: st.none() | st.sampled_from(Reason),
    AgentStatus: st.sampled_from(AgentStatus),
    AgentStatus | None: st.none() | st.sampled_from(AgentStatus),
    str | None: st.none() | text,
    WireId | None: st.none() | text,
    float | None: st.none() | floats,
    int | None: st.none() | numbers,
}


def packets_of(cls: type[Any]) -> st.SearchStrategy[Any]:
    hints = get_type_hints(cls)
    return st.builds(cls, **{a.name: BY_TYPE[hints[a.name]] for a in attrs.fields(cls)})


CLASSES: tuple[type[Any], ...] = get_args(Packet)
packets: st.SearchStrategy[Packet] = st.one_of([packets_of(cls) for cls in CLASSES])


def frame_of(*wires: Any) -> bytes:
    packed: bytes = msgpack.packb(list(wires))
    return packed


def one(wire: Any) -> Decoded:
    (decoded,) = decode_frame(frame_of(wire))
    return decoded


def nested(depth: int) -> Any:
    document: Any = "x"
    for _ in range(depth):
        document = [document]
    return document


@pytest.mark.parametrize("cls", CLASSES)
def test_every_class_has_a_type_of_its_own(cls: type[Any]) -> None:
    assert [other for other in CLASSES if other.type is cls.type] == [cls]


def test_every_type_has_a_class() -> None:
    assert {cls.type for cls in CLASSES} == set(PacketType)


@given(st.lists(packets, max_size=5))
@settings(max_examples=300)
def test_packets_come_out_as_they_went_in(some: list[Packet]) -> None:
    assert decode_frame(encode_frame(some)) == some


@given(st.binary(max_size=200))
@settings(max_examples=500)
def test_bytes_of_any_kind_give_packets_or_the_one_error(data: bytes) -> None:
    for decode in (decode_frame, decode_packet):
        with contextlib.suppress(RemoteProtocolError):
            decode(data)


@given(packets, st.data())
@settings(max_examples=300)
def test_a_frame_with_one_byte_changed_gives_packets_or_the_one_error(
    packet: Packet, data: st.DataObject
) -> None:
    frame = bytearray(encode_frame([packet]))
    frame[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(RemoteProtocolError):
        decode_frame(bytes(frame))


@given(packets, st.sampled_from("tsreqvd"), leaves | documents | st.binary(max_size=3))
@settings(max_examples=300)
def test_a_wrong_value_spoils_its_packet_only(packet: Packet, key: str, value: Any) -> None:
    wire = packet_map(packet) | {key: value}
    before, _, after = decode_frame(frame_of({"t": "request_statuses", "d": {}}, wire, {"t": "zzz", "d": {}}))
    assert (before, after) == (RequestStatuses(), UnknownPacket("zzz"))


@given(packets, st.data())
@settings(max_examples=300)
def test_wrong_values_among_the_data_are_refused_or_taken_as_they_are(
    packet: Packet, data: st.DataObject
) -> None:
    wire = packet_map(packet)
    names = sorted(wire["d"]) or ["some"]
    wire["d"][data.draw(st.sampled_from(names))] = data.draw(documents | st.binary(max_size=3))
    decoded = one(wire)
    if not isinstance(decoded, BadPacket):
        assert decode_frame(encode_frame([decoded])) == [decoded]  # type: ignore[list-item]


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("step", "1", "int expected, not str"),
        ("step", 1.0, "int expected, not float"),
        ("step", True, "int expected, not bool"),
        ("step", None, "int expected, not NoneType"),
        ("label", 5, "str expected, not int"),
        ("label", b"x", "str expected, not bytes"),
        ("nonce", "x", "bytes expected, not str"),
        ("versions", "11", "list expected, not str"),
        ("versions", [1, "1"], "int expected, not str"),
        ("statuses", [], "dict expected, not list"),
        ("statuses", {"a": 1}, "str expected, not int"),
    ],
)
def test_nothing_is_coerced(field: str, value: Any, why: str) -> None:
    wire = packet_map(Hello(1, [1], "run", b"n", 5))
    wire["d"][field] = value
    assert one(wire) == BadPacket("hello", f"d.{field}", why)


def test_an_integer_is_a_float_where_one_is_expected() -> None:
    suspend = one({"t": "suspend", "d": {"for_s": 3}})
    assert isinstance(suspend, Suspend)
    assert type(suspend.for_s) is float


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf"), True, "3"])
def test_a_duration_is_a_finite_number(number: Any) -> None:
    assert isinstance(one({"t": "suspend", "d": {"for_s": number}}), BadPacket)


def test_a_missing_key_is_named() -> None:
    wire = packet_map(Hello(1, [1], "run", b"n", 5))
    del wire["d"]["nonce"]
    assert one(wire) == BadPacket("hello", "d.nonce", "missing")


def test_a_key_of_the_map_cannot_be_smuggled_in_among_the_data() -> None:
    wire: dict[str, Any] = {"t": "submit_unit", "s": "agent", "d": {"request": "r", "final_data": {}}}
    assert one(wire) == BadPacket("submit_unit", "r", "missing", subject="agent")


def test_a_word_that_is_no_outcome_is_refused() -> None:
    wire = {"t": "answer", "r": "q", "d": {"outcome": "maybe"}}
    assert one(wire) == BadPacket("answer", "d.outcome", "not a valid Outcome", request="q")


def test_keys_of_newer_peers_are_ignored() -> None:
    wire = {"t": "answer", "r": "q", "zz": 1, "d": {"outcome": "ok", "mood": [1]}}
    assert one(wire) == Answer("q", Outcome.OK)


def test_an_unknown_type_says_if_somebody_waits_for_it() -> None:
    assert one({"t": "dance", "r": "q", "d": {}}) == UnknownPacket("dance", "q")


def test_a_bad_packet_knows_its_place() -> None:
    wire: dict[str, Any] = {"t": "client_bound_live_update", "s": "w", "e": 1, "q": 2, "d": {"update": []}}
    bad = BadPacket("client_bound_live_update", "d.update", "dict expected, not list", "w", None, 1, 2)
    assert one(wire) == bad


@pytest.mark.parametrize("wire", [None, 5, "x", [], {}, {"t": 1}, {"t": None, "d": {}}])
def test_what_is_no_map_with_a_type_is_a_bad_packet(wire: Any) -> None:
    assert isinstance(one(wire), BadPacket)


def test_bytes_are_no_free_form_data() -> None:
    bad = one({"t": "log_error", "s": "", "d": {"error": {"deep": [b"x"]}}})
    assert bad == BadPacket("log_error", "d.error", "bytes in free-form data", subject="")


def test_a_key_that_is_no_text_is_no_free_form_data() -> None:
    assert isinstance(one({"t": "log_error", "s": "", "d": {"error": {b"x": 1}}}), BadPacket)


@pytest.mark.parametrize("frame", [b"", b"\x80", b"\xc0", b"\x90\x90", b"\xdd\xff\xff\xff\xff", b"\xc1"])
def test_what_is_no_array_breaks_the_frame(frame: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        decode_frame(frame)


def test_free_form_data_may_be_nested_to_the_limit() -> None:
    packet = LogError(WireId(""), nested(DEPTH_MAX))
    assert decode_frame(encode_frame([packet])) == [packet]


def test_free_form_data_nested_deeper_are_refused() -> None:
    (bad,) = decode_frame(encode_frame([LogError(WireId(""), nested(DEPTH_MAX + 1))]))
    assert bad == BadPacket("log_error", "d.error", f"nested deeper than {DEPTH_MAX}", subject="")


OVERHEAD = len(encode_packet(LogError(WireId(""), "x" * 70_000))) - 70_000


def filler(size: int) -> LogError:
    """A packet of exactly this size (above 70,000 bytes)."""
    return LogError(WireId(""), "x" * (size - OVERHEAD))


def test_a_frame_may_be_as_large_as_the_limit() -> None:
    frame = encode_frame([filler(FRAME_BYTES_MAX - 1)])
    assert len(frame) == FRAME_BYTES_MAX
    assert len(decode_frame(frame)) == 1


def test_a_larger_frame_is_neither_made_nor_read() -> None:
    packet = encode_packet(filler(FRAME_BYTES_MAX))
    with pytest.raises(Unsendable):
        join_frame([packet])
    with pytest.raises(RemoteProtocolError, match="larger than"):
        decode_frame(b"\x91" + packet)


@pytest.mark.parametrize("count", [FRAME_PACKETS_MAX - 1, FRAME_PACKETS_MAX])
def test_a_frame_may_hold_as_many_packets_as_the_limit(count: int) -> None:
    assert len(decode_frame(frame_of(*[None] * count))) == count


@pytest.mark.parametrize("count", [FRAME_PACKETS_MAX + 1, 2**16 - 1, 2**16, FRAME_BYTES_MAX - 5])
def test_a_frame_of_more_packets_is_refused(count: int) -> None:
    with pytest.raises(RemoteProtocolError, match=f"more than {FRAME_PACKETS_MAX} packets"):
        decode_frame(frame_of(*[None] * count))


@pytest.mark.parametrize("cls", CLASSES)
@given(st.data())
@settings(max_examples=20)
def test_no_frame_of_ours_has_room_for_too_many_packets(cls: type[Any], data: st.DataObject) -> None:
    packet = data.draw(packets_of(cls))
    assert len(encode_packet(packet)) * FRAME_PACKETS_MAX >= FRAME_BYTES_MAX


def test_what_is_wrong_is_looked_for_in_so_many_packets_of_a_frame() -> None:
    bad: dict[str, Any] = {"t": "return_unit", "s": "a", "r": 5, "d": {}}
    *looked_into, last = decode_frame(frame_of(*[bad] * (FRAME_LOOKS_MAX + 1)))
    assert looked_into == [BadPacket("return_unit", "r", "str expected, not int", "a")] * FRAME_LOOKS_MAX
    assert last == BadPacket("return_unit", "", "not as it should be, as others before it", "a")


def test_a_packet_may_be_as_large_as_the_limit() -> None:
    packet = filler(WHOLE_PACKET_BYTES_MAX)
    assert decode_packet(encode_packet(packet)) == packet


def test_a_larger_packet_is_neither_made_nor_read() -> None:
    packet = filler(WHOLE_PACKET_BYTES_MAX + 1)
    with pytest.raises(Unsendable):
        encode_packet(packet)
    with pytest.raises(RemoteProtocolError, match="larger than"):
        decode_packet(frame_of(packet_map(packet))[1:])


@pytest.mark.parametrize("key", ["s", "r"])
def test_a_name_longer_than_names_are_is_refused_and_not_repeated(key: str) -> None:
    wire: dict[str, Any] = {"t": "return_unit", "s": "a", "r": "q", "d": {}}
    assert not isinstance(one(wire | {key: "n" * NAME_CHARACTERS_MAX}), BadPacket)
    bad = one(wire | {key: "n" * (NAME_CHARACTERS_MAX + 1)})
    subject, request = (None, "q") if key == "s" else ("a", None)
    assert bad == BadPacket("return_unit", key, f"at most {NAME_CHARACTERS_MAX} characters", subject, request)


def test_a_page_with_a_name_longer_than_names_are_says_nothing() -> None:
    said: dict[str, Any] = {"update": {}, "page": "n" * (NAME_CHARACTERS_MAX + 1)}
    bad = one({"t": "mephisto_bound_live_update", "s": "a", "e": 1, "q": 1, "d": said})
    why = f"at most {NAME_CHARACTERS_MAX} characters"
    assert bad == BadPacket("mephisto_bound_live_update", "d.page", why, "a", epoch=1, sequence=1)


def test_a_packet_of_short_numbers_is_held_as_it_came(monkeypatch: pytest.MonkeyPatch) -> None:
    """They become longer when they are packed again: so long that the packet could not cross."""
    monkeypatch.setattr(codec_module, "WHOLE_PACKET_BYTES_MAX", 10_000)
    head = msgpack.packb({"t": "log_error", "s": "", "d": {"error": None}})[:-1]
    numbers = msgpack.packb([1.5] * 1_900, use_single_float=True)
    came = decode_packet(head + numbers)
    assert isinstance(came, LogError)
    assert read_again(pack_read(came)) == came


FEW = 3_000


@pytest.fixture
def few_containers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codec_module, "PACKET_CONTAINERS_MAX", FEW)


def containing(kind: type, count: int) -> LogError:
    """A packet of so many lists and maps: its own, that of its data, the list in it, and these."""
    return LogError(WireId(""), [kind() for _ in range(count - 3)])


@pytest.mark.parametrize("kind", [list, dict])
def test_a_packet_may_have_as_many_lists_and_maps_as_the_limit(few_containers: None, kind: type) -> None:
    packet = containing(kind, FEW)
    assert decode_packet(encode_packet(packet)) == packet


@pytest.mark.parametrize("kind", [list, dict])
def test_a_packet_of_more_lists_and_maps_is_neither_made_nor_read(few_containers: None, kind: type) -> None:
    packet = containing(kind, FEW + 1)
    with pytest.raises(Unsendable, match=f"more than {FEW} lists and maps"):
        encode_packet(packet)
    with pytest.raises(RemoteProtocolError, match=f"more than {FEW} lists and maps"):
        decode_packet(msgpack.packb(packet_map(packet)))


def test_what_a_text_has_is_no_list_and_no_map(few_containers: None) -> None:
    packet = LogError(WireId(""), ["\U0001f600" * FEW, 0x90] * 2)
    assert decode_packet(encode_packet(packet)) == packet


def test_a_body_as_full_of_lists_and_objects_as_may_be_can_cross() -> None:
    files = [FileNote("0" * 64, 1, "f", "f.txt", "text/plain")] * FILES_PER_SUBMISSION_MAX
    around = outline(dump_json(packet_map(SubmitUnit(WireId("a"), "q", None, files))))
    assert containers(around) <= PACKET_CONTAINERS_MAX - JSON_CONTAINERS_MAX


@pytest.mark.parametrize("value", [object(), {1: object()}, 2**64, "\ud800", nested(2_000)])
def test_what_cannot_be_packed_is_refused_to_its_sender(value: Any) -> None:
    with pytest.raises(Unsendable):
        encode_packet(LogError(WireId(""), value))


class Watched(dict[str, Any]):
    """A payload that notices anybody but msgpack looking into it."""

    looks = 0

    def items(self) -> Any:
        self.looks += 1
        return super().items()

    def __iter__(self) -> Any:
        self.looks += 1
        return super().__iter__()


@pytest.mark.parametrize("depth", [0, 1])
def test_payloads_of_2_kb_are_passed_through_untouched(depth: int) -> None:
    payload = Watched({f"key {i}": "x" * 30 for i in range(50)})
    update = {"inner": payload} if depth else payload
    wire = packet_map(ClientBoundLiveUpdate(WireId("w"), 1, 2, update))
    assert wire["d"]["update"] is update
    assert payload.looks == 0


def test_the_payload_of_details_is_passed_through_untouched() -> None:
    payload = Watched({"a": Watched()})
    wire = packet_map(AgentDetails("r", Outcome.OK, init_task_data=payload))
    assert wire["d"]["init_task_data"] is payload
    assert payload.looks == 0


def test_defaults_take_no_place_on_the_wire() -> None:
    assert packet_map(Answer("r", Outcome.OK))["d"] == {"outcome": "ok"}


def test_a_restamped_update_differs_in_its_place_only() -> None:
    update = ClientBoundLiveUpdate(WireId("w"), 1, 9, {"x": [1, {"y": None}]})
    assert decode_packet(restamp(encode_packet(update), 2, 1)) == attrs.evolve(update, epoch=2, sequence=1)


def test_secrets_are_not_in_what_is_printed() -> None:
    hello = Hello(3, [1], "run", b"n", 5, key=b"the key", statuses={"wire id": "in task"})
    shown = repr([hello, SubmitUnit(WireId("wire id"), "r"), one({"t": "alive", "s": "wire id", "d": 1})])
    assert "wire id" not in shown
    assert "the key" not in shown
