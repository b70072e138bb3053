"""A scribe at work, for what has its turns stored."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import trio

from crowdd.daemon.live.scribe import Scribe


@asynccontextmanager
async def open_scribe(scribe: Scribe) -> AsyncGenerator[trio.Nursery]:
    """It stores what it is asked to until this is left."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(scribe.serve)
        yield nursery
        nursery.cancel_scope.cancel(reason="nobody writes any more")
