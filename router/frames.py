"""Websocket frames by hand, as most of them are: a whole message in one. All others are the library's."""

from collections.abc import Iterable
from typing import Any

from websockets.protocol import Protocol, State
from websockets.streams import StreamReader

try:
    from websockets.speedups import apply_mask
except ImportError:  # where the library was built without C
    from websockets.utils import apply_mask

TEXT, BINARY = 0x81, 0x82  # the first byte of a frame that is a whole message
_MASKED = 0x80
_TWO_BYTES, _EIGHT_BYTES = 126, 127  # where the size follows in so many


def begins_message(protocol: Protocol) -> bool:
    """Whether what is read next begins a message; else the library waits for more of one, or for no more."""
    if protocol.state is not State.OPEN or protocol.current_size is not None:
        return False
    # What it has of a frame it keeps in generators. Between two it waits in this one of them.
    waits: Any = protocol.parser
    while waits.gi_yieldfrom is not None:
        waits = waits.gi_yieldfrom
    return waits.gi_code is StreamReader.at_eof.__code__


def whole_message(read: bytes, at: int) -> tuple[bytes, int] | None:
    """The message of a client that begins at this place of what was read, and where it ends.

    None if it is in more frames than one, larger than 64 KiB, not wholly here yet, or wrong in any way.
    """
    length = len(read)
    if length < at + 2:
        return None
    first, size, mask_at = read[at], read[at + 1] - _MASKED, at + 2
    if size == _TWO_BYTES and length >= at + 4:
        size, mask_at = read[at + 2] << 8 | read[at + 3], at + 4
    elif not 0 <= size < _TWO_BYTES:
        return None  # unmasked, or of a size in eight bytes
    start = mask_at + 4
    end = start + size
    if length < end or (first != TEXT and first != BINARY):
        return None
    message = apply_mask(read[start:end], read[mask_at:start])
    return None if first == TEXT and not is_utf8(message) else (message, end)


def is_utf8(data: bytes) -> bool:
    """Whether this may be a text."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def framed(first: int, messages: Iterable[bytes]) -> bytes:
    """Messages as a server says them: unmasked, each in one frame that begins with this byte."""
    pieces: list[bytes] = []
    for message in messages:
        pieces += (_head(first, len(message)), message)
    return b"".join(pieces)


def _head(first: int, size: int) -> bytes:
    if size < _TWO_BYTES:
        return bytes((first, size))
    if size < 1 << 16:
        return bytes((first, _TWO_BYTES)) + size.to_bytes(2)
    return bytes((first, _EIGHT_BYTES)) + size.to_bytes(8)
