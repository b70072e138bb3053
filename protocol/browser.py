"""What browsers say to a router, as JSON: the bodies of their requests and the packets of their sockets.

The shapes are those of `mephisto-task` 2.0.4; `crowdd.js` speaks the same with a few keys more. Parsing is
strict about what is used and silent about keys it does not know. Every error is one BadRequest.
"""

import enum
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import attrs

from .documents import load_json
from .errors import BadRequest
from .limits import BROWSER_FRAME_BYTES_MAX, JSON_BODY_BYTES_MAX, NAME_CHARACTERS_MAX
from .names import Reason, WireId
from .values import frozen

PAGE_CHARACTERS_MAX = 64  # crowdd.js makes 22
NUMBER_MAX = 2**53 - 1  # the highest that a browser counts to exactly

T = TypeVar("T")


@frozen
class Register:
    """POST /request_agent (also /register_worker)."""

    provider_data: dict[str, Any] = attrs.field(repr=False)
    client_timestamp: float | None


@frozen
class Onboarding:
    """POST /submit_onboarding. Absent onboarding_data is an empty map; `provider_data` is all the rest."""

    wire_id: WireId = attrs.field(repr=False)
    onboarding_data: Any
    provider_data: dict[str, Any] = attrs.field(repr=False)
    client_timestamp: float | None


@frozen
class Submit:
    """POST /submit_task, as JSON or as the text fields of a form."""

    wire_id: WireId = attrs.field(repr=False)
    final_data: Any
    client_timestamp: float | None


@frozen
class MetadataBody:
    """POST /submit_metadata, as JSON or as the text fields of a form."""

    wire_id: WireId = attrs.field(repr=False)
    metadata: Any
    client_timestamp: float | None


@frozen
class ErrorLog:
    """POST /log_error. A page that has no agent yet may have errors, too: `wire_id` is empty then."""

    wire_id: WireId = attrs.field(repr=False)
    error_data: Any
    client_timestamp: float | None


@frozen
class Return:
    """POST /return_unit. `leaving`: a page's last beacon; it is going, and keeps its unit."""

    wire_id: WireId = attrs.field(repr=False)
    leaving: bool = False


class SocketType(enum.Enum):
    """All that a browser may say on its websocket."""

    ALIVE = "alive"
    HEARTBEAT = "heartbeat"
    ACK = "ack"
    MEPHISTO_BOUND_LIVE_UPDATE = "mephisto_bound_live_update"


_SOCKET_TYPES = {kind.value: kind for kind in SocketType}


@frozen
class SocketPacket:
    """One packet of a browser. Real pages leave out `subject` now and then: then it is the socket's agent.

    The rest is what only crowdd.js says.
    """

    type: SocketType
    subject: WireId | None = attrs.field(repr=False)
    data: dict[str, Any]
    client_timestamp: float | None
    crowdd: bool = False
    """An `alive` of crowdd.js: this socket understands acks and roll calls."""
    here: bool = False
    """An `alive` in answer to a roll call."""
    seen: int | None = None
    """Of `alive` and `ack`: the page has every live update up to this number."""
    page: str = ""
    page_number: int = 0
    """Of a live update: the load of the page it was sent from, and its number there; or "" and 0."""


def parse_register(body: bytes) -> Register:
    """`provider_data` must be an object; what is in it is the provider's business."""
    fields = _object(body)
    return Register(_object_field(fields, "provider_data"), _timestamp(fields))


def parse_onboarding(body: bytes) -> Onboarding:
    """The agent's id and answers come inside `provider_data`."""
    fields = _object(body)
    rest = _object_field(fields, "provider_data")
    wire_id = _within("provider_data", _agent_id, rest)
    del rest["USED_AGENT_ID"]
    return Onboarding(wire_id, rest.pop("onboarding_data", {}), rest, _timestamp(fields))


def parse_submit(body: bytes) -> Submit:
    """`final_data` may be anything, `{}` and null too, but not absent."""
    return _submit(_object(body))


def parse_submit_form(fields: Mapping[str, str]) -> Submit:
    """The text fields of a form: `final_string_data` (JSON) wins over `final_data` (JSON, or plain text)."""
    return _submit(_form(fields, "final_data"))


def parse_metadata(body: bytes) -> MetadataBody:
    """`metadata` may be anything but absent."""
    return _metadata(_object(body))


def parse_metadata_form(fields: Mapping[str, str]) -> MetadataBody:
    """The text fields of a form; `metadata` is JSON text, or plain text."""
    return _metadata(_form(fields, "metadata"))


def parse_error_log(body: bytes) -> ErrorLog:
    """Takes what it gets: an error report that is refused helps nobody."""
    fields = _object(body)
    wire_id = WireId("") if fields.get("USED_AGENT_ID") is None else _agent_id(fields)
    return ErrorLog(wire_id, fields.get("error_data"), _timestamp(fields))


def parse_return(body: bytes) -> Return:
    """The agent's id; a beacon says `"leaving": true`."""
    fields = _object(body)
    return Return(_agent_id(fields), fields.get("leaving") is True)


def parse_socket_packet(text: bytes) -> SocketPacket:
    """One text frame of a browser's websocket; BadRequest for every type that is not a browser's to say."""
    fields = _object(text, BROWSER_FRAME_BYTES_MAX)
    kind = _socket_type(fields.get("packet_type"))
    subject = None if fields.get("subject_id") is None else _agent_id(fields, "subject_id")
    if kind is SocketType.MEPHISTO_BOUND_LIVE_UPDATE:
        data, (page, number) = _object_field(fields, "data"), _place(fields)
        return SocketPacket(kind, subject, data, _timestamp(fields), page=page, page_number=number)
    data = {} if fields.get("data") is None else _object_field(fields, "data")
    return SocketPacket(kind, subject, data, _timestamp(fields), **_ours(kind, data))


def _ours(kind: SocketType, data: dict[str, Any]) -> dict[str, Any]:
    match kind:
        case SocketType.ALIVE:
            seen = None if data.get("seen") is None else _number(data, "seen", 0)
            return {"crowdd": data.get("crowdd") == 1, "here": data.get("here") is True, "seen": seen}
        case SocketType.ACK:
            return {"seen": _number(data, "seen", 0)}
        case _:
            return {}


def _place(fields: dict[str, Any]) -> tuple[str, int]:
    """Which load of its page an update was sent from, and its number there, where pages count."""
    if fields.get("page") is None:
        return "", 0
    return _page(fields["page"]), _number(fields, "number", 1)


def _page(value: Any) -> str:
    if type(value) is not str or not 0 < len(value) <= PAGE_CHARACTERS_MAX:
        raise BadRequest("page", f"text of 1 to {PAGE_CHARACTERS_MAX} characters expected")
    return value


def _number(fields: dict[str, Any], name: str, least: int) -> int:
    value = _required(fields, name)
    if type(value) is not int or not least <= value <= NUMBER_MAX:
        raise BadRequest(name, f"a whole number from {least} expected")
    return value


def _submit(fields: dict[str, Any]) -> Submit:
    wire_id = _agent_id(fields)
    if "final_string_data" in fields:
        final_data = _json_text(fields, "final_string_data")
    else:
        final_data = _required(fields, "final_data")
    return Submit(wire_id, final_data, _timestamp(fields))


def _metadata(fields: dict[str, Any]) -> MetadataBody:
    return MetadataBody(_agent_id(fields), _required(fields, "metadata"), _timestamp(fields))


def _object(body: bytes, bytes_max: int = JSON_BODY_BYTES_MAX) -> dict[str, Any]:
    document: dict[str, Any] = load_json(body, bytes_max)
    if type(document) is not dict:
        raise BadRequest("", "not a JSON object")
    return document


def _form(fields: Mapping[str, str], free: str) -> dict[str, Any]:
    plain: dict[str, Any] = dict(fields)
    if free in plain:
        plain[free] = _json_or_text(fields[free])
    return plain


def _json_or_text(text: str) -> Any:
    try:
        return load_json(_utf8(text))
    except BadRequest as exc:
        if exc.reason is Reason.TOO_LARGE:
            raise
        return text


def _json_text(fields: dict[str, Any], name: str) -> Any:
    text = fields[name]
    if type(text) is not str:
        raise BadRequest(name, "JSON text expected")
    return _within(name, load_json, _utf8(text))


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _within(path: str, parse: Callable[[Any], T], value: Any) -> T:
    try:
        return parse(value)
    except BadRequest as exc:
        raise BadRequest(f"{path}.{exc.path}".rstrip("."), exc.why, exc.reason) from None


def _required(fields: dict[str, Any], name: str) -> Any:
    try:
        return fields[name]
    except KeyError:
        raise BadRequest(name, "missing") from None


def _object_field(fields: dict[str, Any], name: str) -> dict[str, Any]:
    value: dict[str, Any] = _required(fields, name)
    if type(value) is not dict:
        raise BadRequest(name, "object expected")
    return value


def _agent_id(fields: dict[str, Any], name: str = "USED_AGENT_ID") -> WireId:
    value = _required(fields, name)
    if type(value) is not str:
        raise BadRequest(name, "text expected")
    if not 0 < len(value) <= NAME_CHARACTERS_MAX:
        raise BadRequest(name, "not an agent id")
    return WireId(value)


def _timestamp(fields: dict[str, Any]) -> float | None:
    # Pages send a number in JSON, text in forms. Nothing depends on it: nonsense must not cost an answer.
    value: Any = fields.get("client_timestamp")
    if type(value) not in (int, float, str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if number - number == 0.0 else None


def _socket_type(value: Any) -> SocketType:
    if type(value) is not str:
        raise BadRequest("packet_type", "text expected")
    kind = _SOCKET_TYPES.get(value)
    if kind is None:
        raise BadRequest("packet_type", "not a packet that a page may send")
    return kind
