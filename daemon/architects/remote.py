"""The architect `remote`: routers that run already, each a service of its own; many runs may share one.

It starts and ends nothing: links put the run on its routers and take it off. A task names routers, the
daemon's routers.toml says where they are and which secret file proves them.
"""

import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import trio

from ...files.secrets import SecretRefused, load_secrets
from ...supervision.tasks import NoThread
from ..channel import Channel, LinkRefused, Wire
from ..routers import KnownRouter
from ..structuring import Faults, Words
from ..threads import in_thread
from ..websocket_channel import WebsocketChannel
from .contract import Architect, Ground, Site

log = logging.getLogger(__name__)

LOOK_S = 2.0  # how soon a changed secret file is noticed while the link is up; it is read at each new one


@attrs.frozen
class RemoteOptions:
    """`[architect]` of task.toml."""

    routers: tuple[Words, ...] = ()
    """Names of routers that the daemon knows; workers are sent to the first one."""

    def __attrs_post_init__(self) -> None:
        if not self.routers:
            raise Faults(['routers: is needed: the names of routers that the daemon knows, e.g. ["crowd"]'])
        if len(set(self.routers)) < len(self.routers):
            raise Faults(["routers: names a router twice"])


class RemoteArchitect(Architect):
    """Routers that somebody else keeps running, called by their names in the daemon's routers.toml."""

    name = "remote"
    Options = RemoteOptions
    uses_known_routers = True

    def __init__(self, options: Any, site: Site) -> None:
        super().__init__(options, site)
        self._channels: list[_RemoteChannel] = []

    @classmethod
    def check(cls, options: Any, ground: Ground) -> list[str]:
        """Routers that are not known, cannot be used, or have no address for the run."""
        try:
            _channels(options, ground)
        except Faults as exc:
            return [f"architect.routers: {problem}" for problem in exc.problems]
        return []

    @classmethod
    def address(cls, options: Any, ground: Ground) -> str:
        """At the first router."""
        first, *_ = _channels(options, ground)
        return first.url

    async def deploy(self) -> Sequence[Channel]:
        """A channel to each router, in the task's order, whether it is up or not. LinkRefused: says why."""
        try:
            self._channels = await in_thread(_channels, self.options, self.site.ground)
        except Faults as exc:
            raise LinkRefused("; ".join(exc.problems)) from exc
        return self._channels

    async def lasting(self) -> Sequence[Channel]:
        """All of them: they are services of their own."""
        return await self.deploy()

    async def watch(self) -> None:
        """Take up secrets that were changed, also for requests beside the link: nothing needs a restart."""
        while True:
            await trio.sleep(LOOK_S)
            for channel in self._channels:
                await channel.take_up_secrets()

    async def shutdown(self) -> None:
        """The routers serve other runs, too; the links have taken this one off."""


class _RemoteChannel(WebsocketChannel):
    """Proves itself with what the router's secret file holds when they meet."""

    def __init__(self, known: KnownRouter, ground: Ground) -> None:
        """SecretRefused, LinkRefused."""
        self._file = Path(known.secret_file)
        address = known.address(ground.label, ground.shared_origin)
        super().__init__(known.url, ground.label, load_secrets(self._file), address)

    @asynccontextmanager
    async def connect(self) -> AsyncGenerator[Wire]:
        await self.take_up_secrets()
        async with super().connect() as wire:
            yield wire

    async def take_up_secrets(self) -> None:
        """Read the file again; what it held before goes on to be good while it cannot be used."""
        try:
            secrets = await in_thread(_secrets_now, self._file, self.secrets)
        except NoThread:  # it has been said; the next look is soon
            return
        if secrets != self.secrets:
            log.info("router %s has another secret now", self.name)
            self.secrets = secrets


def _channels(options: RemoteOptions, ground: Ground) -> list[_RemoteChannel]:
    """The channel to every named router. Blocking; Faults: all that is wrong."""
    channels: list[_RemoteChannel] = []
    problems: list[str] = []
    for name, known in zip(options.routers, ground.routers.find(options.routers), strict=True):
        try:
            channels.append(_RemoteChannel(known, ground))
        except Faults as exc:
            problems += [f"{name!r}: {problem}" for problem in exc.problems]
        except (SecretRefused, LinkRefused) as exc:
            problems.append(f"{name!r}: {exc}")
    if len({channel.name for channel in channels}) < len(channels):
        problems.append("two of these names mean the same router")
    if problems:
        raise Faults(problems)
    return channels


def _secrets_now(file: Path, before: Sequence[bytes]) -> Sequence[bytes]:
    """What the file holds; the secrets from before while it cannot be read."""
    try:
        return load_secrets(file)
    except (SecretRefused, OSError):
        return before
