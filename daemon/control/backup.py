"""The endpoint that gives a backup of the daemon's whole data."""

import logging
from contextlib import aclosing
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from ...storage.errors import StorageRefused
from .answers import SendChunk, StreamedAnswer
from .errors import ControlError
from .needs import Backup
from .questions import operator_of, who_asks

log = logging.getLogger(__name__)


async def make_backup(request: Request) -> Response:
    """A tar file of the store, checked, and of all files that belong to it; work goes on meanwhile.

    It holds every secret there is. The answer is cut, never shortened, when reading fails.
    """
    try:
        backup = await operator_of(request).backup()
    except StorageRefused as refused:
        hint = "crowdd storage check says more."
        raise ControlError(500, "store_damaged", f"No backup was made: {refused}", hint) from refused
    log.info("a backup is given to %s", who_asks(request))
    return StreamedAnswer(partial(_write, backup), "application/x-tar")


async def _write(backup: Backup, send: SendChunk) -> None:
    async with aclosing(backup.pieces()) as pieces:
        async for piece in pieces:
            await send(piece)
