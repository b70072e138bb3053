"""Packets to bytes and back: one strict `encode` and one strict `decode` for the router link.

What is wrong inside one packet never touches its neighbours: that packet comes out as `BadPacket`, one of a
type that we do not know as `UnknownPacket`. Only a frame that is no array of packets raises.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, get_args

import attrs
import msgpack as _untyped_msgpack  # type: ignore[import-untyped]

from .documents import check_unpacked
from .errors import RemoteProtocolError, Unsendable
from .forms import Form
from .limits import (
    FRAME_BYTES_MAX,
    FRAME_LOOKS_MAX,
    FRAME_PACKETS_MAX,
    NAME_CHARACTERS_MAX,
    PACKET_CONTAINERS_MAX,
    WHOLE_PACKET_BYTES_MAX,
)
from .packets import Packet
from .strict import exactly, strict_converter


@attrs.frozen
class UnknownPacket:
    """A packet of a type that this version does not know: count it, skip it."""

    type: str
    request: str | None = None
    """Set if its sender waits for an answer."""


@attrs.frozen
class BadPacket:
    """A packet of a known type that says something impossible. `path` and `why` repeat none of its values."""

    type: str
    path: str
    why: str
    subject: str | None = attrs.field(default=None, repr=False)
    request: str | None = None
    epoch: int | None = None
    sequence: int | None = None


Decoded = Packet | UnknownPacket | BadPacket


class _TooMany(Exception):
    """Raised while a packet is read."""


_msgpack: Any = _untyped_msgpack
_CONVERTER = strict_converter(check_unpacked)
_FORMS = {cls: Form(cls, _CONVERTER) for cls in get_args(Packet)}
_BY_NAME = {form.name: form for form in _FORMS.values()}
_LONG = {b"\xdc": 3, b"\xdd": 5}
"""How an array of more than 15 things begins, and where its length ends: known before any of them is read."""
_NO_CONTAINERS = bytes(set(range(256)) - {*range(0x80, 0xA0), *range(0xDC, 0xE0)})
"""The bytes that begin no list and no map."""


def packet_map(packet: Packet) -> dict[str, Any]:
    """The map `{t, s, d, ...}` of a packet; free-form data are passed through, the very same objects."""
    return _FORMS[type(packet)].to_map(packet)


def encode_packet(packet: Packet) -> bytes:
    """One packet as bytes, to go into a frame or into parts. Unsendable if it cannot cross."""
    encoded = _pack(packet_map(packet))
    if len(encoded) > WHOLE_PACKET_BYTES_MAX:
        raise Unsendable(f"a packet of {len(encoded)} bytes; at most {WHOLE_PACKET_BYTES_MAX} can cross")
    if _may_have_too_many(encoded):
        _check_crosses(encoded)
    return encoded


def _check_crosses(encoded: bytes) -> None:
    try:
        _unpack_few(encoded)
    except RemoteProtocolError as exc:
        raise Unsendable(f"a packet that would be refused: {exc.why}") from None


def restamp(encoded: bytes, epoch: int, sequence: int) -> bytes:
    """The same stream packet of ours at another place of its stream."""
    return _pack(_unpack(encoded) | {"e": epoch, "q": sequence})


def pack_read(packet: Packet) -> bytes:
    """A packet that was read, as bytes to hold it: as large as it was, but that short numbers may be long."""
    return _pack(packet_map(packet))


def read_again(packed: bytes) -> Packet:
    """What `pack_read` gave, as a packet."""
    wire = _unpack(packed)
    return _BY_NAME[wire["t"]].from_map(wire, iter(range(1)))


def encode_frame(packets: Iterable[Packet]) -> bytes:
    """One frame of these packets. Unsendable if one cannot cross or all together are too large."""
    return join_frame([encode_packet(packet) for packet in packets])


def join_frame(encoded: list[bytes]) -> bytes:
    """One frame of packets that are already bytes; Unsendable if it would be larger than a frame may be."""
    frame = b"".join([_array_header(len(encoded)), *encoded])
    if len(frame) > FRAME_BYTES_MAX:
        raise Unsendable(f"a frame of {len(frame)} bytes; at most {FRAME_BYTES_MAX} can cross")
    return frame


def decode_frame(frame: bytes) -> list[Decoded]:
    """The packets of a frame, in order. RemoteProtocolError if it is too large or no array of packets.

    Why a packet is bad is looked for in so many of a frame; of others `BadPacket` says only that they are.
    """
    if len(frame) > FRAME_BYTES_MAX:
        raise RemoteProtocolError("frame", f"larger than {FRAME_BYTES_MAX} bytes")
    if frame[:1] in _LONG and int.from_bytes(frame[1 : _LONG[frame[:1]]]) > FRAME_PACKETS_MAX:
        raise RemoteProtocolError("frame", f"more than {FRAME_PACKETS_MAX} packets")
    wires: list[Any] = _unpack(frame)
    if type(wires) is not list:
        raise RemoteProtocolError("frame", "not an array of packets")
    looks = iter(range(FRAME_LOOKS_MAX))
    return [_decode(wire, looks) for wire in wires]


def decode_packet(encoded: bytes) -> Decoded:
    """One packet that came as parts. RemoteProtocolError if it is too large or not msgpack."""
    if len(encoded) > WHOLE_PACKET_BYTES_MAX:
        raise RemoteProtocolError("packet", f"larger than {WHOLE_PACKET_BYTES_MAX} bytes")
    wire = _unpack_few(encoded) if _may_have_too_many(encoded) else _unpack(encoded)
    return _decode(wire, iter(range(1)))


def _may_have_too_many(encoded: bytes) -> bool:
    """Whether there may be more lists and maps than a packet has. Texts and numbers have such bytes, too."""
    if len(encoded) <= PACKET_CONTAINERS_MAX:
        return False
    return len(encoded.translate(None, _NO_CONTAINERS)) > PACKET_CONTAINERS_MAX


def _decode(wire: Any, looks: Iterator[int]) -> Decoded:
    try:
        form = _BY_NAME[wire["t"]]
    except (KeyError, TypeError):  # whatever it is
        return _strange(wire)
    try:
        return form.from_map(wire, looks)
    except RemoteProtocolError as exc:
        return _bad(form.name, wire, exc)


def _strange(wire: Any) -> UnknownPacket | BadPacket:
    if not exactly(wire, dict) or not exactly(wire.get("t"), str):
        return BadPacket("", "t", "a map with a type expected")
    return UnknownPacket(wire["t"][:40], _known(wire, "r", str))


def _bad(name: str, wire: dict[str, Any], exc: RemoteProtocolError) -> BadPacket:
    place = _known(wire, "e", int), _known(wire, "q", int)
    return BadPacket(name, exc.path, exc.why, _known(wire, "s", str), _known(wire, "r", str), *place)


def _known(wire: dict[str, Any], key: str, kind: type) -> Any:
    value: Any = wire.get(key)
    is_known = exactly(value, kind) and (kind is not str or len(value) <= NAME_CHARACTERS_MAX)
    return value if is_known else None


def _pack(value: Any) -> bytes:
    try:
        packed: bytes = _msgpack.Packer().pack(value)
    except (TypeError, ValueError, OverflowError, RecursionError) as exc:
        raise Unsendable(f"not packable: {exc}") from None
    return packed


def _unpack_few(data: bytes) -> Any:
    """The same; RemoteProtocolError as soon as it has made more lists and maps than a packet may have."""
    left = iter(range(PACKET_CONTAINERS_MAX))

    def count(container: Any) -> Any:
        if next(left, None) is None:
            raise _TooMany
        return container

    return _unpack(data, object_hook=count, list_hook=count)


def _unpack(data: bytes, **hooks: Callable[[Any], Any]) -> Any:
    try:
        return _msgpack.unpackb(data, raw=False, strict_map_key=True, use_list=True, **hooks)
    except _TooMany:
        raise RemoteProtocolError("packet", f"more than {PACKET_CONTAINERS_MAX} lists and maps") from None
    except Exception as exc:
        # msgpack is many-voiced (ValueError, UnpackException, TypeError, ...); the wire has one error.
        raise RemoteProtocolError("frame", f"not msgpack: {type(exc).__name__}") from None


def _array_header(length: int) -> bytes:
    header: bytes = _msgpack.Packer().pack_array_header(length)
    return header
