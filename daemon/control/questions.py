"""How requests are read: which run, which page of a list, a JSON body. Refuses with words."""

import enum
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any, TypeVar

import orjson
import trio
from starlette.requests import ClientDisconnect, Request

from ...protocol.names import UNFINISHED_RUN, RunId
from ...storage.contract import Storage
from ...storage.errors import NotFound
from ...storage.records import TaskRun
from ..roles import Role, Staff
from .auditing import about
from .errors import ControlError, bad_request, no_such_run
from .limits import LINE_CHARACTERS_MAX
from .needs import Operator
from .peer import Peer

JSON_BYTES_MAX = 1024 * 1024  # a list of ten thousand worker names
BODY_S = 60.0  # a peer on the same machine that takes longer for a body has hung
PAGE_ROWS_MAX = 1000
PAGE_ROWS = 500
NUMBER_DIGITS_MAX = 18  # what fits into a database's 64 bits
NUMBER_MAX = 10**NUMBER_DIGITS_MAX - 1

E = TypeVar("E", bound=enum.Enum)


def operator_of(request: Request) -> Operator:
    """Who carries out what is asked."""
    operator: Operator = request.app.state.operator
    return operator


def who_asks(request: Request) -> str:
    """The peer, as history names them."""
    peer: Peer = request.state.peer
    return peer.who


def role_of(request: Request) -> Role:
    """What the peer may do."""
    staff: Staff = request.app.state.staff
    peer: Peer = request.state.peer
    return staff.role_of(peer)


async def run_asked_for(request: Request) -> TaskRun:
    """The run of the path, by number or by label."""
    run = await find_run(operator_of(request).storage, request.path_params["run"])
    about(request, run.label)
    return run


async def find_run(storage: Storage, name: str) -> TaskRun:
    """A run by its number, else by its label; ControlError when there is none."""
    try:
        if name.isascii() and name.isdigit() and len(name) <= NUMBER_DIGITS_MAX:
            return await storage.run(RunId(int(name)))
    except NotFound:
        pass  # digits may be a label, too
    try:
        return await storage.run_by_label(name)
    except NotFound:
        newest_first = reversed(await storage.runs())
        raise no_such_run(name, (run.label for run in newest_first)) from None


def refuse_if_ended(run: TaskRun) -> None:
    """ControlError for a run of which nothing can be asked any more."""
    if run.state not in UNFINISHED_RUN:
        raise ControlError(409, "run_ended", f"Run {run.label!r} has ended: it is {run.state.value}.")


def page_asked_for(request: Request) -> tuple[int, int]:
    """(after, limit) of a list."""
    after = number_asked_for(request, "after", 0)
    limit = number_asked_for(request, "limit", PAGE_ROWS)
    if not 1 <= limit <= PAGE_ROWS_MAX:
        raise bad_request(f"limit={limit}: must be 1 to {PAGE_ROWS_MAX}.")
    return after, limit


def statuses_asked_for(request: Request, kind: type[E]) -> frozenset[E] | None:
    """The `status=` parameters as members of `kind`; None when there is none."""
    words = request.query_params.getlist("status")
    known = {str(member.value): member for member in kind}
    for word in words:
        if word not in known:
            raise bad_request(f"status={word} is not known.", f"Known: {', '.join(known)}.")
    return frozenset(known[word] for word in words) or None


def number_asked_for(request: Request, name: str, default: int) -> int:
    """A whole number of the query."""
    text = request.query_params.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) <= NUMBER_DIGITS_MAX):
        raise bad_request(f"{name}={text}: must be a whole number.")
    return int(text)


async def take_body(request: Request, bytes_max: int, take: Callable[[bytes], Awaitable[object]]) -> None:
    """Hand the body over as it comes in; ControlError when it is too long, or does not come."""
    declared = request.headers.get("content-length", "0")
    if declared.isdigit() and int(declared) > bytes_max:
        raise _too_large(bytes_max)
    size = 0
    try:
        with trio.fail_after(BODY_S):
            async with aclosing(request.stream()) as chunks:
                async for chunk in chunks:
                    size += len(chunk)
                    if size > bytes_max:
                        raise _too_large(bytes_max)
                    await take(chunk)
    except ClientDisconnect:
        raise ControlError(400, "cut_off", "The peer left before its body was whole.") from None
    except trio.TooSlowError:
        raise ControlError(408, "too_slow", f"The body did not come within {BODY_S:.0f} s.") from None


def _too_large(bytes_max: int) -> ControlError:
    return ControlError(413, "too_large", f"The body is larger than {bytes_max} bytes.")


async def json_body(request: Request) -> dict[str, Any]:
    """The body as a JSON object; an empty body is an empty object."""
    body = bytearray()

    async def take(chunk: bytes) -> None:
        body.extend(chunk)

    await take_body(request, JSON_BYTES_MAX, take)
    try:
        content: Any = orjson.loads(body or b"{}")
    except orjson.JSONDecodeError as exc:
        raise bad_request(f"The body is not JSON: {exc}.") from None
    match content:
        case {**members}:
            return {str(key): value for key, value in members.items()}
        case _:
            raise bad_request("The body must be a JSON object.")


def flag_of(body: dict[str, Any], name: str) -> bool:
    """True or false; false when nothing is said."""
    flag = body.get(name, False)
    if not isinstance(flag, bool):
        raise bad_request(f"`{name}` must be true or false.")
    return flag


def line_of(body: dict[str, Any], key: str, characters_max: int = LINE_CHARACTERS_MAX) -> str:
    """One line of text from the body, for people to read; "" when there is none."""
    line = body.get(key, "")
    if not isinstance(line, str) or not line.isprintable() or len(line) > characters_max:
        raise bad_request(f"`{key}` must be one line of at most {characters_max} characters.")
    return line.strip()


def note_of(body: dict[str, Any], characters_max: int) -> str | None:
    """What somebody else is to read, from the body: any text; None when there is none."""
    note = body.get("note", "")
    if not isinstance(note, str) or len(note) > characters_max:
        raise bad_request(f"`note` must be text of at most {characters_max} characters.")
    return note.strip() or None


def numbers_of(body: dict[str, Any], key: str) -> list[int]:
    """Numbers of things that are kept; none when nothing is said."""
    match body.get(key, []):
        case [*numbers] if all(_is_number(number) for number in numbers):
            return [int(number) for number in numbers]
        case _:
            raise bad_request(f"`{key}` must be a list of numbers.")


def _is_number(number: object) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and 0 < number <= NUMBER_MAX


def no_other_keys(body: dict[str, Any], known: set[str]) -> None:
    """Refuse what would be ignored."""
    for key in body.keys() - known:
        raise bad_request(f"The body has an unknown key {key!r}.", f"Known: {', '.join(sorted(known))}.")
