"""The architect `mock`: starts nothing. Who runs a simulation says how the routers' cores are reached."""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

import attrs
import trio

from ..channel import Channel, LinkRefused
from .contract import Architect, Site

ChannelMaker = Callable[[Site], Sequence[Channel]]
"""Gives the channels of a run; asked again after every restart of the daemon."""

_maker: ContextVar[ChannelMaker] = ContextVar("crowdd_channel_maker")


@contextmanager
def channels_from(maker: ChannelMaker) -> Generator[None, None, None]:
    """Let every mock architect of this task, and of tasks started from it, take its channels from `maker`."""
    token = _maker.set(maker)
    try:
        yield
    finally:
        _maker.reset(token)


@attrs.frozen
class MockArchitectOptions:
    """`[architect]` of task.toml: nothing to choose."""


class MockArchitect(Architect):
    """For simulation: its routers are wherever that has them, and never die by themselves."""

    name = "mock"
    Options = MockArchitectOptions

    async def deploy(self) -> Sequence[Channel]:
        """LinkRefused outside `channels_from`."""
        maker = _maker.get(None)
        if maker is None:
            raise LinkRefused("the architect 'mock' has routers only in a simulation (channels_from)")
        return maker(self.site)

    async def watch(self) -> None:
        await trio.sleep_forever()

    async def shutdown(self) -> None:
        """The simulation's routers are the simulation's."""
