"""What pages POST: each body becomes one packet for the daemon, and its answer the page's answer."""

import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path

import anyio
import attrs
from starlette.responses import Response

from ..files.kinds import TYPES, is_one_of
from ..protocol.browser import parse_metadata_form, parse_submit_form
from ..protocol.errors import BadRequest
from ..protocol.names import Reason
from ..protocol.packets import FileNote, RegisterAgent, SubmitMetadata, SubmitUnit
from ..protocol.packets import Request as Asked
from ..protocol.uploads import UploadRule, is_no_file
from ..supervision.tasks import NoThread
from .answers import in_words, refusal
from .bodies import Body, BodyRefused, Held, Places, Shares, read_form
from .commands import HttpAnswer
from .desk import Answered
from .house import House
from .json_posts import JSON_POSTS, JsonPost, new_id
from .limits import (
    BODIES_BYTES_MAX,
    BODIES_SHARES,
    DISK_RESERVE_BYTES,
    FORMS_OPEN_MAX,
    FORMS_SHARES,
    UPLOAD_BYTES_MAX,
    UPLOAD_TURN_S,
    UPLOADS_AT_ONCE_MAX,
    UPLOADS_KEPT_BYTES_MAX,
)
from .plain_request import PlainRequest
from .replies import json_response
from .runs import Served
from .threads import in_thread
from .tickets import Caller
from .uploads import FormReader, FormRefused, Received

CLIENT_HEADER = b"x-crowdd-client"
_NO_ROOM = refusal(Reason.TRY_LATER, retry_after_s=60.0)
_REGISTERING = ("request_agent", "register_worker", "submit_onboarding")


def readable(name: str, request: PlainRequest, answer: HttpAnswer) -> Response:
    """A refusal as the page that POSTed to this name can read it: unchanged ones know words, not statuses."""
    if name in _REGISTERING and request.said(CLIENT_HEADER) is None:
        answer = in_words(answer, time.time())
    return json_response(answer)


@attrs.frozen
class Post:
    """One POST of a page: where it goes, who sent it."""

    served: Served
    request: PlainRequest
    caller: Caller
    body: Body


class Posts:
    """The handlers by path. Forms are written in turns, for each piece that is here: they cannot starve the
    pages, and who sends slowly keeps nobody waiting."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._turns = anyio.Semaphore(UPLOADS_AT_ONCE_MAX)
        self._places = Places(FORMS_OPEN_MAX, FORMS_SHARES)
        self._room = Shares(BODIES_BYTES_MAX, BODIES_SHARES)

    def names(self) -> Iterable[str]:
        """What a page can POST to."""
        return JSON_POSTS

    def __contains__(self, name: str) -> bool:
        return name in JSON_POSTS

    def take(self, name: str, served: Served, request: PlainRequest, body: bytes, answered: Answered) -> bool:
        """Answer a POST of which all is here, without a task. False: it is one for `handle`."""
        known = JSON_POSTS.get(name)
        if known is None or len(body) > known.bytes_max or _is_form(request):
            return False
        held = Held(self._room, request.sender)
        if not held.grow_to(len(body)):
            return False
        try:
            _ask_at_once(known, served, _caller(request), body, partial(_done, held, answered))
        except BaseException:
            held.let_go()
            raise
        return True

    async def handle(self, name: str, served: Served, request: PlainRequest) -> Response:
        """Answer a POST to one of these names."""
        post = Post(served, request, _caller(request), Body(request, self._room))
        try:
            return json_response(await self._answer(name, post))
        except BodyRefused as exc:
            served.desk.run.count_refusal(str(exc.answer.body["reason"]))
            return readable(name, request, exc.answer)
        except NoThread:
            served.desk.run.count_refusal(Reason.TRY_LATER.value)
            return readable(name, request, refusal(Reason.TRY_LATER))
        except BadRequest as exc:
            return json_response(_refused(served, exc))
        finally:
            post.body.let_go()

    async def _answer(self, name: str, post: Post) -> HttpAnswer:
        packet_of = _FORMS.get(name)
        if packet_of is not None and _is_form(post.request):
            return await self._ask_with_files(post, packet_of)
        known = JSON_POSTS[name]
        asked = known.read(await post.body.read(known.bytes_max), post.caller, post.served.desk)
        return asked if isinstance(asked, HttpAnswer) else await _ask(post, asked)

    async def _ask_with_files(
        self, post: Post, packet: Callable[[dict[str, str], list[FileNote]], Asked]
    ) -> HttpAnswer:
        form = _open_form(post.request, self._house.incoming)
        try:
            await self._wait_for_place(post)
            try:
                await in_thread(self._check_room, post)
                await read_form(post.body, form, partial(self._write, form))
            finally:
                self._places.give_back(post.caller.address)
            asked = packet(_texts(form.fields), [received.note for received in form.files])
            return await _keep_and_ask(post, asked, form.files)
        finally:
            with anyio.CancelScope(shield=True):
                try:
                    await in_thread(form.close)
                except NoThread:  # a few files are removed, at most once a refused form
                    form.close()

    async def _wait_for_place(self, post: Post) -> None:
        with anyio.move_on_after(UPLOAD_TURN_S) as waiting:
            await self._places.take(post.caller.address)
        if waiting.cancelled_caught:
            raise await post.body.refuse(refusal(Reason.TRY_LATER))

    async def _write(self, form: FormReader, piece: bytes) -> None:
        async with self._turns:
            await in_thread(self._feed, form, piece)

    def _feed(self, form: FormReader, piece: bytes) -> None:
        if self._house.disk_free() < DISK_RESERVE_BYTES:
            raise BodyRefused(_NO_ROOM)
        form.feed(piece)

    def _check_room(self, post: Post) -> None:
        kept = sum(entry.st_size for entry in post.served.folder.uploads().values())
        if kept > UPLOADS_KEPT_BYTES_MAX or self._house.disk_free() < DISK_RESERVE_BYTES + UPLOAD_BYTES_MAX:
            raise BodyRefused(_NO_ROOM)


def _ask_at_once(known: JsonPost, served: Served, caller: Caller, body: bytes, done: Answered) -> None:
    try:
        asked = known.read(body, caller, served.desk)
    except BadRequest as exc:
        asked = _refused(served, exc)
    if isinstance(asked, HttpAnswer):
        done(asked)
    else:
        served.desk.ask_for(asked, caller, done)


def _done(held: Held, answered: Answered, answer: HttpAnswer) -> None:
    held.let_go()
    answered(answer)


def _caller(request: PlainRequest) -> Caller:
    return Caller(request.sender, request.said(CLIENT_HEADER) is not None)


def _refused(served: Served, exc: BadRequest) -> HttpAnswer:
    served.desk.run.count_refusal(exc.reason.value)
    text = f"{exc.path}: {exc.why}" if exc.path else exc.why
    return refusal(exc.reason, text, path=exc.path)


async def _keep_and_ask(post: Post, asked: Asked, files: list[Received]) -> HttpAnswer:
    """Check whose files these are before they are kept; they stay until the daemon has answered."""
    assert not isinstance(asked, RegisterAgent)
    unknown = post.served.desk.run.knows(asked.subject)
    if unknown is not None:
        return unknown
    why_not = await in_thread(_why_not, post.served.desk.run.uploads, files)
    if why_not is not None:
        raise BodyRefused(refusal(Reason.FILE_TYPE, why_not))
    digests = {received.note.sha256 for received in files}
    desk, folder, answered = post.served.desk, post.served.folder, False
    desk.run.hold_files(digests)
    try:
        for received in files:
            await in_thread(folder.keep_upload, received.path, received.note.sha256)
        answer = await _ask(post, asked)
        answered = answer.status != 503
        return answer
    finally:
        desk.carry_out(desk.run.release_files(digests, answered))


def _why_not(rule: UploadRule | None, files: list[Received]) -> str | None:
    """What is said of the first file that the run does not take. What we do not know the daemon judges."""
    if rule is None or not TYPES.keys() >= set(rule.types):
        return None
    for received in files:
        if not is_no_file(received.note) and not is_one_of(received.path, rule.types):
            return rule.refusal(received.note)
    return None


async def _ask(post: Post, asked: Asked) -> HttpAnswer:
    return await post.served.desk.ask(asked, post.caller)


def _open_form(request: PlainRequest, folder: Path) -> FormReader:
    try:
        return FormReader(request.said(b"content-type") or "", folder)
    except FormRefused as exc:
        raise BodyRefused(refusal(Reason.BAD_REQUEST, str(exc))) from None


def _is_form(request: PlainRequest) -> bool:
    return (request.said(b"content-type") or "").lower().startswith("multipart/form-data")


def _texts(fields: dict[str, bytes]) -> dict[str, str]:
    try:
        return {name: value.decode() for name, value in fields.items()}
    except UnicodeDecodeError:
        raise BadRequest("", "a field of the form is not UTF-8") from None


def _submission(fields: dict[str, str], notes: list[FileNote]) -> Asked:
    told = parse_submit_form(fields)
    return SubmitUnit(told.wire_id, new_id(), told.final_data, notes)


def _metadata(fields: dict[str, str], notes: list[FileNote]) -> Asked:
    told = parse_metadata_form(fields)
    return SubmitMetadata(told.wire_id, new_id(), told.metadata, notes)


_FORMS: Mapping[str, Callable[[dict[str, str], list[FileNote]], Asked]] = {
    "submit_task": _submission,
    "submit_metadata": _metadata,
}
"""Which may be forms as well, and what they ask."""
