"""What background work does while the disk is full: it waits and tries again. Requests answer instead."""

import errno
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

import trio

from ..storage.errors import StorageFull

log = logging.getLogger(__name__)

RETRY_S = 5.0  # people free space within minutes; a warning this often is no flood

T = TypeVar("T")

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_MAY_PASS = _FULL | {errno.EIO}


def is_full(error: OSError) -> bool:
    """Whether a file could not be written because there is no space; over a quota is the same to us."""
    return error.errno in _FULL


def may_pass(error: OSError) -> bool:
    """Whether the same may succeed later with nothing changed: no space, or a disk that failed once."""
    return error.errno in _MAY_PASS


async def with_space(doing: str, write: Callable[[], Awaitable[T]]) -> T:
    """What `write` gives. On a full disk nothing happened: it is called again until there is space."""
    while True:
        try:
            return await write()
        except StorageFull as exc:
            log.warning("%s waits for space on the disk: %s", doing, exc)
            await trio.sleep(RETRY_S)
