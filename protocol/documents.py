"""Free-form JSON documents: strict reading with limits, writing, one canonical form and its digest."""

import hashlib
import re
from collections.abc import Iterable
from typing import Any, TypeGuard

import orjson

from .errors import BadRequest, RemoteProtocolError, Unsendable
from .limits import DEPTH_MAX, JSON_BODY_BYTES_MAX, JSON_CONTAINERS_MAX
from .names import Reason
from .packets import FileNote

_CONTAINERS = frozenset({dict, list})
_LEAVES = frozenset({str, int, float, bool, type(None)})
_TEXT = frozenset({str})
_BLOCK_BYTES = 64 * 1024
_SMALL_BYTES = 4 * 1024  # what is sooner written again than walked through
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)", re.DOTALL
)
_HALF = re.compile(rb"\\u[dD][89a-fA-F]..\Z", re.DOTALL)


def load_json(data: bytes, bytes_max: int = JSON_BODY_BYTES_MAX) -> Any:
    """Parse a document from outside; BadRequest when it is too large, too deep or no JSON.

    NaN and Infinity are refused, and an object that names a key twice: others may take the other value.
    Half a surrogate pair (a page cut an emoji in two) becomes U+FFFD: such an answer is worth keeping, and
    refusing it would refuse every retry.
    """
    if len(data) > bytes_max:
        raise BadRequest("", f"larger than {bytes_max} bytes", Reason.TOO_LARGE)
    containers = data.count(b"[") + data.count(b"{")
    if containers > JSON_CONTAINERS_MAX:
        raise BadRequest("", f"more than {JSON_CONTAINERS_MAX} lists and objects", Reason.TOO_LARGE)
    document, text = _parse(data)
    # Fewer lists and objects than the limit of depth cannot nest deeper.
    if len(text) > _SMALL_BYTES or containers > DEPTH_MAX or not _says_all(document, text):
        _look_through(document, text)
    return document


def _says_all(document: Any, text: bytes) -> bool:
    """Whether nothing of a small text was dropped, as a key named twice would be; False: perhaps it was."""
    # Without escapes in it, a text that is written again has as many colons, in strings or not.
    # (`find` takes half as long as `in`.)
    return text.find(b"\\") < 0 and orjson.dumps(document).count(b":") == text.count(b":")


def _look_through(document: Any, text: bytes) -> None:
    try:
        members = _walk(document, DEPTH_MAX)
    except RemoteProtocolError as exc:
        raise BadRequest(exc.path, exc.why) from None
    # Colons are cheap to count; only where strings have some, too, it takes a closer look.
    if text.count(b":") > members and _members(text) > members:
        raise BadRequest("", "an object names a key twice")


def _parse(data: bytes) -> tuple[Any, bytes]:
    """The document, and the text it was read from."""
    try:
        return orjson.loads(data), data
    except orjson.JSONDecodeError as exc:
        mended = _ESCAPE.sub(_mend, data)
        if mended == data:
            raise BadRequest("", f"not JSON: {exc.msg}") from None
    try:
        return orjson.loads(mended), mended
    except orjson.JSONDecodeError as exc:
        raise BadRequest("", f"not JSON: {exc.msg}") from None


def _mend(escape: re.Match[bytes]) -> bytes:
    return rb"\ufffd" if len(escape[0]) == 6 and _HALF.match(escape[0]) else escape[0]


def _members(text: bytes) -> int:
    """How many members the objects of a JSON text name: its colons outside of strings."""
    if b"\\" in text:  # in strings only; without escapes every quote begins or ends one
        text = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    members, inside = 0, False
    for at in range(0, len(text), _BLOCK_BYTES):  # in blocks, or all the pieces would take many times as much
        pieces = text[at : at + _BLOCK_BYTES].split(b'"')
        members += b"".join(pieces[inside::2]).count(b":")
        inside ^= len(pieces) % 2 == 0
    return members


def check_document(document: Any, depth_max: int = DEPTH_MAX) -> None:
    """Promise that a document is plain JSON data of bounded depth, or raise RemoteProtocolError."""
    if depth_max < 1 or not _is_flat(document):
        _walk(document, depth_max)


def _is_flat(document: Any) -> bool:
    """Whether it is an object of nothing but leaves, as most rows of data are: seen without a walk."""
    return (
        _is_object(document)
        and _TEXT.issuperset(map(type, document))
        and _LEAVES.issuperset(map(type, document.values()))
    )


def _is_object(document: Any) -> TypeGuard[dict[Any, Any]]:
    return type(document) is dict


def check_small_document(document: Any) -> None:
    """The same of what msgpack read from a few bytes: much sooner, for it is written as JSON and dropped."""
    try:
        text = orjson.dumps(document)
    except (TypeError, RecursionError):
        check_document(document)  # it says what is wrong
    else:
        if text.count(b"[") + text.count(b"{") > DEPTH_MAX:  # fewer cannot nest deeper
            check_document(document)


def _walk(document: Any, depth_max: int) -> int:
    """What `check_document` promises; returns how many members all objects have.

    Goes level by level, of which only what is no leaf is kept: no document is too deep or too wide for it.
    """
    level, members = [] if type(document) in _LEAVES else [document], 0
    for _ in range(depth_max + 1):
        if not level:
            return members
        if strange := set(map(type, level)) - _CONTAINERS:
            raise RemoteProtocolError("", f"{_names(strange)} in free-form data")
        level, found = _inside(level)
        members += found
    raise RemoteProtocolError("", f"nested deeper than {depth_max}")


def _inside(level: list[Any]) -> tuple[list[Any], int]:
    """What is no leaf in the objects and lists of a level, and how much in them has a name."""
    # Plain loops: most objects and lists are too small for anything cleverer to pay.
    inner: list[Any] = []
    members = 0
    for container, kind in zip(level, map(type, level), strict=True):
        if kind is dict:
            members += len(container)
            for key, value in container.items():
                if type(key) is not str:
                    raise RemoteProtocolError("", "a key that is not text in free-form data")
                if type(value) not in _LEAVES:
                    inner.append(value)
        else:
            for value in container:
                if type(value) not in _LEAVES:
                    inner.append(value)
    return inner, members


def _names(kinds: Iterable[type]) -> str:
    return ", ".join(sorted(kind.__name__ for kind in kinds))


def dump_json(value: Any) -> bytes:
    """JSON for a browser; Unsendable for what is no JSON. NaN and infinities become null."""
    return _dump(value, 0)


def canonical_json(value: Any) -> bytes:
    """The one way to write a document: equal documents give equal bytes, whatever the order of their keys."""
    return _dump(value, orjson.OPT_SORT_KEYS)


def _dump(value: Any, option: int) -> bytes:
    try:
        return orjson.dumps(value, option=option)
    except (TypeError, RecursionError) as exc:
        raise Unsendable(f"not JSON: {exc}") from None


def content_digest(final_data: Any, files: Iterable[FileNote] = ()) -> str:
    """What a submission contains, as hex: equal for the same data and the same files, in any order."""
    digest = hashlib.sha256(canonical_json(final_data))
    for sha256 in sorted(note.sha256 for note in files):
        digest.update(b"\n" + sha256.encode())
    return digest.hexdigest()
