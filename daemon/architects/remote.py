"""The architect `remote`: routers that run already, each a service of its own; many runs may share one.

It starts and ends nothing: links put the run on its routers and take it off. A task names routers, the
daemon's routers.toml says where they are and which secret file proves them.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs
import trio

from ...files.secrets import SecretRefused, load_secrets
from ..channel import Channel, LinkRefused
from ..routers import KnownRouter
from ..structuring import Faults, Words
from ..websocket_channel import WebsocketChannel
from .contract import Architect, Ground, Site

log = logging.getLogger(__name__)

LOOK_S = 2.0  # how soon a mended secret file is noticed


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

    def __init__(self, options: Any, site: Site) -> None:
        super().__init__(options, site)
        self._doors: list[tuple[KnownRouter, WebsocketChannel]] = []

    @classmethod
    def check(cls, options: Any, ground: Ground) -> list[str]:
        """Routers that are not known, cannot be used, or have no address for the run."""
        try:
            _doors(options, ground)
        except Faults as exc:
            return [f"architect.routers: {problem}" for problem in exc.problems]
        return []

    @classmethod
    def address(cls, options: Any, ground: Ground) -> str:
        """At the first router."""
        first, *_ = _doors(options, ground)
        return first[0].address(ground.label, ground.shared_origin)

    async def deploy(self) -> Sequence[Channel]:
        """A channel to each router, in the task's order, whether it is up or not. LinkRefused: says why."""
        try:
            self._doors = await trio.to_thread.run_sync(_doors, self.options, self.site.ground)
        except Faults as exc:
            raise LinkRefused("; ".join(exc.problems)) from exc
        return [channel for _, channel in self._doors]

    async def watch(self) -> None:
        """Take up secrets that were changed, for the next connection: nothing needs a restart."""
        while True:
            await trio.sleep(LOOK_S)
            for known, channel in self._doors:
                secrets = await trio.to_thread.run_sync(_secrets_now, known, channel.secrets)
                if secrets != channel.secrets:
                    ids = {"run": self.site.run.id}
                    log.info("router %s has another secret now", channel.name, extra=ids)
                    channel.secrets = secrets

    async def shutdown(self) -> None:
        """The routers serve other runs, too; the links have taken this one off."""


def _doors(options: RemoteOptions, ground: Ground) -> list[tuple[KnownRouter, WebsocketChannel]]:
    """Every named router with the channel to it. Blocking; Faults: all that is wrong."""
    doors: list[tuple[KnownRouter, WebsocketChannel]] = []
    problems: list[str] = []
    for name, known in zip(options.routers, ground.routers.find(options.routers), strict=True):
        try:
            doors.append((known, _channel(known, ground)))
        except Faults as exc:
            problems += [f"{name!r}: {problem}" for problem in exc.problems]
        except (SecretRefused, LinkRefused) as exc:
            problems.append(f"{name!r}: {exc}")
    if len({channel.name for _, channel in doors}) < len(doors):
        problems.append("two of these names mean the same router")
    if problems:
        raise Faults(problems)
    return doors


def _channel(known: KnownRouter, ground: Ground) -> WebsocketChannel:
    address = known.address(ground.label, ground.shared_origin)
    return WebsocketChannel(known.url, ground.label, load_secrets(Path(known.secret_file)), address)


def _secrets_now(known: KnownRouter, before: Sequence[bytes]) -> Sequence[bytes]:
    """What the file holds; the secrets from before while it cannot be read."""
    try:
        return load_secrets(Path(known.secret_file))
    except (SecretRefused, OSError):
        return before
