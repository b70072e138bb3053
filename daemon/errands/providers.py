"""The crowd providers of runs, whether a run is held or has long ended. Tells them nothing itself."""

from collections.abc import Callable
from typing import Protocol

from ...protocol.names import RunId
from ..house import House
from ..parts import provider_of
from ..providers.contract import CrowdProvider
from ..registry import Registry

OPENED_MAX = 64  # of runs that are not held; opening one again costs a look at its folder


class Held(Protocol):
    """A run that is held at present, with its provider."""

    @property
    def provider(self) -> CrowdProvider: ...


class RunProviders:
    """Uses a held run's own provider, and opens those of other runs when they are needed."""

    def __init__(self, house: House, registry: Registry, held: Callable[[RunId], Held | None]) -> None:
        self._house = house
        self._registry = registry
        self._held = held
        self._opened: dict[RunId, CrowdProvider] = {}

    async def of(self, run_id: RunId) -> CrowdProvider:
        """The run's provider, ready to be asked. NotFound, RunBroken, ProviderFailed, UserCodeFailed."""
        held = self._held(run_id)
        if held is not None:
            self._opened.pop(run_id, None)
            return held.provider
        if run_id not in self._opened:
            await self._open(run_id)
        return self._opened[run_id]

    async def _open(self, run_id: RunId) -> None:
        run = await self._house.storage.run(run_id)
        provider = await self._house.user_code.load(provider_of, run, self._house, self._registry)
        await provider.set_up()
        while len(self._opened) >= OPENED_MAX:
            del self._opened[next(iter(self._opened))]
        self._opened[run_id] = provider
