"""The daemon's way to a simulated router: the contract of channels, kept in memory."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from ...daemon.channel import Channel, LinkRefused, Wire
from .router import SimulatedRouter


class SimulatedChannel(Channel):
    """Reaches one simulated router."""

    def __init__(self, name: str, router: SimulatedRouter) -> None:
        self.name = name
        self.url = f"http://{router.label}.localhost/"
        self.secrets = [router.secret]
        self._router = router

    @asynccontextmanager
    async def connect(self) -> AsyncGenerator[Wire, None]:
        await trio.lowlevel.checkpoint()
        connection = self._router.connect()
        try:
            yield connection.daemon_end
        finally:
            connection.close()

    async def put_bundle(self, label: str, sha256: str, bundle: bytes) -> None:
        await trio.lowlevel.checkpoint()
        self._router.deploy(sha256)

    async def fetch_file(self, label: str, sha256: str, into: Path) -> None:
        raise LinkRefused("nothing is uploaded in the simulated world")

    async def undeploy(self, label: str, discard: bool = False) -> None:
        await trio.lowlevel.checkpoint()
        self._router.undeploy(discard)
