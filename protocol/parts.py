"""Packets too large for one: cut into parts on one side, put together on the other."""

from collections.abc import Iterator

from .codec import encode_packet
from .errors import RemoteProtocolError
from .limits import PACKET_BYTES_MAX, PARTS_BYTES_MAX, PARTS_OPEN_MAX, WHOLE_PACKET_BYTES_MAX
from .packets import Part

PIECE_BYTES = PACKET_BYTES_MAX - 256  # a part with its envelope is a packet like others


def count_parts(encoded: bytes) -> int:
    """How many parts `split` gives."""
    return (len(encoded) - 1) // PIECE_BYTES + 1


def split(encoded: bytes, part_id: int) -> Iterator[bytes]:
    """The encoded parts of one encoded packet, in order."""
    last = count_parts(encoded) - 1
    for index in range(last + 1):
        piece = encoded[index * PIECE_BYTES : (index + 1) * PIECE_BYTES]
        yield encode_packet(Part(part_id, index, index == last, piece))


class Assembler:
    """Puts parts together, within limits. The ids of one connection rise; each has its parts in order."""

    def __init__(self, packet_bytes_max: int = WHOLE_PACKET_BYTES_MAX) -> None:
        self._packet_bytes_max = packet_bytes_max
        self._open: dict[int, tuple[int, bytearray]] = {}
        self._bytes = 0
        self._newest = -1

    def add(self, part: Part) -> bytes | None:
        """Take a part; the whole packet when it was the last. A repeated part changes nothing.

        RemoteProtocolError for a part that does not fit; its packet is given up then, and nothing else.
        """
        if part.index == 0 and part.id > self._newest:
            self._begin(part.id)
        index, pieces = self._open.get(part.id, (0, None))
        if pieces is None:
            if part.id <= self._newest and part.index == 0:
                return None
            raise RemoteProtocolError("part", "of a packet whose beginning is not here")
        if part.index < index:
            return None
        if part.index > index or len(pieces) + len(part.piece) > self._packet_bytes_max:
            raise self._give_up(part.id, "one is missing" if part.index > index else "too large together")
        return self._append(part, pieces)

    def _begin(self, part_id: int) -> None:
        if len(self._open) >= PARTS_OPEN_MAX:
            raise RemoteProtocolError("part", f"more than {PARTS_OPEN_MAX} packets half received")
        self._open[part_id] = (0, bytearray())
        self._newest = part_id

    def _append(self, part: Part, pieces: bytearray) -> bytes | None:
        if self._bytes + len(part.piece) > PARTS_BYTES_MAX:
            raise self._give_up(part.id, "too much half received")
        pieces += part.piece
        self._bytes += len(part.piece)
        self._open[part.id] = (part.index + 1, pieces)
        if not part.last:
            return None
        self._close(part.id)
        return bytes(pieces)

    def _give_up(self, part_id: int, why: str) -> RemoteProtocolError:
        self._close(part_id)
        return RemoteProtocolError("part", why)

    def _close(self, part_id: int) -> None:
        _, pieces = self._open.pop(part_id)
        self._bytes -= len(pieces)
