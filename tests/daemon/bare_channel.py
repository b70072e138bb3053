"""A way to a router on which nothing goes but packets."""

from pathlib import Path

import trio

from crowdd.daemon.channel import Channel, LinkRefused


class BareChannel(Channel):
    """Nobody takes note of pages, or of a run that is taken off. Who inherits it says how to connect."""

    async def put_bundle(self, label: str, sha256: str, bundle: bytes) -> None:
        await trio.lowlevel.checkpoint()

    async def fetch_file(self, label: str, sha256: str, into: Path) -> None:
        await trio.lowlevel.checkpoint()
        raise LinkRefused("there are no files here")

    async def undeploy(self, label: str, discard: bool = False) -> None:
        await trio.lowlevel.checkpoint()
