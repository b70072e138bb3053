"""Request bodies on their way in: bounded in size and time, read to their end even when refused.

A browser that is answered before it has sent everything sees a broken connection instead of the answer.
"""

import hashlib
import os
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
from starlette.types import Message

from ..protocol.names import SENTENCES, Reason
from .answers import refusal
from .commands import HttpAnswer
from .limits import (
    BODY_BYTES_PER_S_MIN,
    BODY_SILENT_S,
    BODY_TOTAL_S,
    DRAIN_BYTES_MAX,
    DRAIN_S,
)
from .plain_request import PlainRequest
from .threads import in_thread
from .uploads import FormReader, FormRefused

IS_WHOLE = "crowdd.is_whole"
"""The extension of ASGI by which a server says that it has all of a request: `receive` need not wait."""
_PIECE_BYTES = 256 * 1024  # a hop to a thread costs as much as writing this


class BodyRefused(Exception):
    """The body is not taken; `answer` is what its sender gets."""

    def __init__(self, answer: HttpAnswer) -> None:
        super().__init__(answer.status)
        self.answer = answer


class PageGone(Exception):
    """The connection ended before the body did: there is nobody to answer."""


class Shares:
    """So much of something for all, and at most a share of it for one sender, who cannot shut out others."""

    def __init__(self, most: int, shares: int) -> None:
        self._left = most
        self._share = most // shares
        self._taken: dict[str, int] = {}

    def take(self, address: str, amount: int = 1) -> bool:
        """Take so much; False when it is not there."""
        taken = self._taken.get(address, 0) + amount
        if amount > self._left or taken > self._share:
            return False
        self._left -= amount
        self._taken[address] = taken
        return True

    def give_back(self, address: str, amount: int = 1) -> None:
        """Undo `take`."""
        self._left += amount
        left = self._taken.pop(address, 0) - amount
        if left > 0:
            self._taken[address] = left


class Held:
    """What one thing takes of a sender's share; given back once, however often that is said."""

    def __init__(self, shares: Shares, address: str) -> None:
        self._shares = shares
        self._address = address
        self._size = 0

    def grow_to(self, size: int) -> bool:
        """Take so much in all; False when it is not there."""
        taken = self._shares.take(self._address, size - self._size)
        if taken:
            self._size = size
        return taken

    def let_go(self) -> None:
        """Give all of it back."""
        size, self._size = self._size, 0
        if size:
            self._shares.give_back(self._address, size)


class Places:
    """Shares that are waited for."""

    def __init__(self, most: int, shares: int) -> None:
        self._shares = Shares(most, shares)
        self._news = anyio.Event()

    async def take(self, address: str) -> None:
        """Return once there is a place for this sender."""
        while not self._shares.take(address):
            await self._news.wait()

    def give_back(self, address: str) -> None:
        """Undo `take`."""
        self._shares.give_back(address)
        self._news.set()
        self._news = anyio.Event()


class Body:
    """One request's body, to be read once. What comes is counted; what is only announced takes no room."""

    def __init__(self, request: PlainRequest, room: Shares | None = None) -> None:
        self._receive = request.receive
        self._is_whole = IS_WHOLE in request.scope.get("extensions", ())
        self._began = 0.0 if self._is_whole else anyio.current_time()
        self._came = 0
        self._ended = False
        self._held = None if room is None else Held(room, request.sender)
        announced = request.said(b"content-length") or ""
        self.announced = int(announced) if announced.isascii() and announced.isdigit() else 0

    async def hold(self, size: int) -> None:
        """So much of it is in memory now; BodyRefused ("try later") when there is no room for it."""
        if self._held is not None and not self._held.grow_to(size):
            raise await self.refuse(refusal(Reason.TRY_LATER))

    def let_go(self) -> None:
        """Nothing of it is in memory any more."""
        if self._held is not None:
            self._held.let_go()

    async def read(self, bytes_max: int) -> bytes:
        """All of it, or BodyRefused."""
        body, size = bytearray(), self.announced
        while size <= bytes_max:
            if body:
                await self.hold(len(body))
            chunk = await self._chunk()
            if not chunk:
                return bytes(body)
            body += chunk
            size = len(body)
        raise await self.too_large(f"at most {bytes_max} bytes")

    async def piece(self) -> bytes:
        """The next part, of a size worth a thread's while; empty at the end."""
        piece = bytearray()
        while len(piece) < _PIECE_BYTES and (chunk := await self._chunk()):
            piece += chunk
        return bytes(piece)

    async def refuse(self, answer: HttpAnswer) -> BodyRefused:
        """Read on for a while, so that the sender gets to see the answer; raise what this returns."""
        await self.drain()
        return BodyRefused(answer)

    async def drain(self) -> None:
        """Read what is left, within limits, and forget it."""
        read = 0
        with anyio.move_on_after(DRAIN_S):
            while not self._ended and read < DRAIN_BYTES_MAX:
                read += len(await self._chunk())

    async def too_large(self, why: str) -> BodyRefused:
        """The same, for a body over its limit."""
        return await self.refuse(refusal(Reason.TOO_LARGE, f"{SENTENCES[Reason.TOO_LARGE]} ({why})"))

    async def _chunk(self) -> bytes:
        """The next bytes as they come; empty at the end."""
        while not self._ended:
            message = await self._message()
            if message["type"] != "http.request":
                raise PageGone
            self._ended = not message.get("more_body", False)
            if body := message.get("body"):
                self._came += len(body)
                return bytes(body)
        return b""

    async def _message(self) -> Message:
        if self._is_whole:
            return await self._receive()  # a clock beside it would cost more than the reading
        with anyio.move_on_at(self._patience()):
            return await self._receive()
        self._ended = True
        raise BodyRefused(HttpAnswer(408, {"reason": "too_slow", "text": "The body came too slowly."}))

    def _patience(self) -> float:
        """Until when the next bytes have to come: soon, and as a whole at no trickle."""
        trickle = BODY_SILENT_S + self._came / BODY_BYTES_PER_S_MIN
        return min(anyio.current_time() + BODY_SILENT_S, self._began + min(trickle, BODY_TOTAL_S))


async def read_form(body: Body, form: FormReader, write: Callable[[bytes], Awaitable[None]]) -> None:
    """Have the whole body written to the form, piece by piece; BodyRefused when it is not taken."""
    try:
        while piece := await body.piece():
            await write(piece)
            await body.hold(form.field_bytes)
        form.finish()
    except FormRefused as exc:
        if exc.too_large:
            raise await body.too_large(str(exc)) from None
        raise await body.refuse(refusal(Reason.BAD_REQUEST, f"The form cannot be read: {exc}")) from None


async def receive_file(body: Body, folder: Path, bytes_max: int) -> tuple[Path, str]:
    """Store the body under a random name (synced); its path and digest, or BodyRefused."""
    path = folder / secrets.token_hex(16)
    digest, size = hashlib.sha256(), 0
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        async with await anyio.open_file(fd, "wb") as file:
            while piece := await body.piece():
                size += len(piece)
                if size > bytes_max:
                    raise await body.too_large(f"at most {bytes_max} bytes")
                digest.update(piece)
                await file.write(piece)
            await file.flush()
            await in_thread(os.fsync, fd)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path, digest.hexdigest()
