"""Free-form JSON documents: strict reading with limits, writing, one canonical form and its digest."""

import hashlib
import re
from collections.abc import Iterable
from typing import Any, TypeGuard

import orjson

from .errors import BadRequest, RemoteProtocolError, Unsendable
from .limits import DEPTH_MAX, JSON_BODY_BYTES_MAX, JSON_CONTAINERS_MAX
from .names import Reason
from .outline import containers, is_deeper, outline
from .packets import FileNote

_CONTAINERS = frozenset({dict, list})
_LEAVES = frozenset({str, int, float, bool, type(None)})
_TEXT = frozenset({str})
_SMALL_BYTES = 4 * 1024  # what is sooner written again than walked through
_TOO_DEEP = "nested deeper than {}"
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
    brackets = containers(data)
    if brackets > JSON_CONTAINERS_MAX and containers(outline(data)) > JSON_CONTAINERS_MAX:
        raise BadRequest("", f"more than {JSON_CONTAINERS_MAX} lists and objects", Reason.TOO_LARGE)
    document, text = _parse(data)
    # Fewer lists and objects than the limit of depth cannot nest deeper.
    if len(text) > _SMALL_BYTES or brackets > DEPTH_MAX or not _says_all(document, text):
        _look_through(document, text)
    return document


def _says_all(document: Any, text: bytes) -> bool:
    """Whether nothing of a text was dropped, as a key named twice would be; False: perhaps it was."""
    # Without escapes in it, a text that is written again has as many colons, in strings or not.
    # (`find` takes half as long as `in`.)
    return text.find(b"\\") < 0 and orjson.dumps(document).count(b":") == text.count(b":")


def _look_through(document: Any, text: bytes) -> None:
    said = outline(text)
    if is_deeper(said, DEPTH_MAX):
        raise BadRequest("", _TOO_DEEP.format(DEPTH_MAX))
    # What was dropped is missing in what is written again.
    if not _says_all(document, text) and outline(orjson.dumps(document)).count(b":") < said.count(b":"):
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


def check_unpacked(document: Any) -> None:
    """The same of what msgpack read: much sooner, for it is written as JSON and dropped."""
    try:
        text = orjson.dumps(document)
    except (TypeError, RecursionError):
        check_document(document)  # it says what is wrong
    else:
        # Fewer lists and objects than the limit of depth cannot nest deeper.
        if containers(text) > DEPTH_MAX and is_deeper(outline(text), DEPTH_MAX):
            raise RemoteProtocolError("", _TOO_DEEP.format(DEPTH_MAX))


def _walk(document: Any, depth_max: int) -> None:
    """What `check_document` promises.

    Goes level by level, of which only what is no leaf is kept: no document is too deep or too wide for it.
    """
    level = [] if type(document) in _LEAVES else [document]
    for _ in range(depth_max + 1):
        if not level:
            return
        if strange := set(map(type, level)) - _CONTAINERS:
            raise RemoteProtocolError("", f"{_names(strange)} in free-form data")
        level = _inside(level)
    raise RemoteProtocolError("", _TOO_DEEP.format(depth_max))


def _inside(level: list[Any]) -> list[Any]:
    """What is no leaf in the objects and lists of a level."""
    # Plain loops: most objects and lists are too small for anything cleverer to pay.
    inner: list[Any] = []
    for container, kind in zip(level, map(type, level), strict=True):
        if kind is dict:
            for key, value in container.items():
                if type(key) is not str:
                    raise RemoteProtocolError("", "a key that is not text in free-form data")
                if type(value) not in _LEAVES:
                    inner.append(value)
        else:
            for value in container:
                if type(value) not in _LEAVES:
                    inner.append(value)
    return inner


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
