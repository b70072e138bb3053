"""The endpoint that gives back what workers uploaded."""

import hashlib
import logging
import re
from functools import partial
from pathlib import Path

import trio
from starlette.requests import Request
from starlette.responses import Response

from ..threads import in_thread
from .answers import SendChunk, StreamedAnswer
from .errors import ControlError
from .questions import operator_of, run_asked_for

log = logging.getLogger(__name__)

PIECE_BYTES = 256 * 1024
_NO_PAGE = {
    "Content-Disposition": "attachment",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
}
"""A worker may have sent a page with scripts: should it ever reach a browser, it is saved, not shown."""
_DIGEST = re.compile(r"[0-9a-f]{64}")


async def get_uploaded_file(request: Request) -> Response:
    """What is in a file of a submission, by the sha256 in its note. The answer is cut if reading fails.

    What is not as it was uploaded is refused by name: to ask again would not help.
    """
    operator, run = operator_of(request), await run_asked_for(request)
    sha256 = request.path_params["sha256"]
    path = operator.uploads(run.id) / sha256
    if not _DIGEST.fullmatch(sha256) or not await trio.Path(path).is_file():
        message = f"Run {run.label!r} has no uploaded file of this sha256."
        raise ControlError(404, "no_such_file", message, "An export's `files` name those there are.")
    if await in_thread(_digest_of, path) != sha256:
        log.error("the uploaded file %s is damaged on this disk", path, extra={"run": run.id})
        message = f"The uploaded file {sha256} is damaged on the daemon's disk."
        raise ControlError(
            410, "file_damaged", message, "Take it from a backup; the daemon's log has its path."
        )
    answer = StreamedAnswer(partial(_write, path), "application/octet-stream")
    answer.headers.update(_NO_PAGE)
    return answer


def _digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


async def _write(path: Path, send: SendChunk) -> None:
    async with await trio.open_file(path, "rb") as file:
        while piece := await file.read(PIECE_BYTES):
            await send(piece)
