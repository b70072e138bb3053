"""The outline of a JSON text: its brackets and colons outside of strings. Pure; looks at no value.

What builds or walks through a document takes time for each list, object and value in it; an outline is found
at the pace of memory, and for each string.
"""

_BLOCK_BYTES = 64 * 1024
_DROPPED = bytes(set(range(256)) - set(b"[]{}:"))
_ALL_SQUARE = bytes.maketrans(b"{}", b"[]")


def outline(text: bytes) -> bytes:
    """Its brackets and colons, in order."""
    if b"\\" in text:  # in strings only; without escapes every quote begins or ends one
        text = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    kept, inside = bytearray(), False
    for at in range(0, len(text), _BLOCK_BYTES):  # in blocks, or all the pieces would take many times as much
        pieces = text[at : at + _BLOCK_BYTES].split(b'"')
        kept += b"".join(pieces[inside::2]).translate(None, _DROPPED)
        inside ^= len(pieces) % 2 == 0
    return bytes(kept)


def containers(brackets: bytes) -> int:
    """How many lists and objects an outline has; of a text, no fewer than it has."""
    return brackets.count(b"[") + brackets.count(b"{")


def is_deeper(said: bytes, depth_max: int) -> bool:
    """Whether the outline of a document nests deeper than that."""
    said = said.translate(_ALL_SQUARE, b":")
    for _ in range(depth_max):
        if not said:
            break
        said = said.replace(b"[]", b"")  # the innermost level of each branch
    return bool(said)
