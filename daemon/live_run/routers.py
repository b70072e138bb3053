"""The routers of one held run: deployed, linked, asked to keep pages calm, and taken down again."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import trio

from ...storage.records import TaskRun
from ..client_io import ClientIO
from ..house import House
from ..metrics.readings import RouterReading
from ..parts import Parts
from ..router_link import LinkDuties, RouterLink, RouterState

DEPLOYED = "deployed"
"""A file in the run's folder, from before its routers are there until after they are gone."""


class RunRouters:
    """One per LiveRun. There is a link to each once they are deployed; who serves the links is the caller."""

    def __init__(self, parts: Parts, house: House) -> None:
        self._architect = parts.architect
        self._page = parts.page
        self._uploads = parts.config.upload_rule
        self._house = house
        self.links: list[RouterLink] = []

    async def deploy(self, run: TaskRun, io: ClientIO) -> None:
        """Have the architect bring them up; what their pages say goes to `io`."""
        self._mark(run).touch()
        channels = await self._architect.deploy()
        house = self._house
        duties = LinkDuties(
            run, self._page, house.storage, io, house.wall, house.rng, house.degraded, self._uploads
        )
        self.links = [RouterLink(channel, duties) for channel in channels]

    def serve(self, nursery: trio.Nursery) -> None:
        """Begin to keep the links to them, in tasks of this nursery."""
        for link in self.links:
            nursery.start_soon(link.serve)

    async def watch(self) -> None:
        """Start again those that died, as far as they are the architect's, until cancelled."""
        await self._architect.watch()

    async def suspend(self, suspend_s: float, stopping: bool) -> None:
        """Ask them to keep all pages as they are for so long; returns once that is sent."""
        for link in self.links:
            link.suspend(suspend_s, stopping)
        for link in self.links:
            await link.drained()

    async def emptied(self) -> None:
        """Return once they keep nothing that they called submitted."""
        for link in self.links:
            await link.outbox.emptied()

    async def undeploy(self, run: TaskRun) -> None:
        """Take the run off them; off one that is away, or keeps something, after the next start."""
        discard = (await self._house.storage.run(run.id)).deleting
        is_off = [await link.undeploy(discard) for link in self.links]
        await self.end()
        if all(is_off) or discard:
            self._mark(run).unlink(missing_ok=True)

    async def end(self) -> None:
        """Take them down; a later start of an unfinished run brings them back."""
        await self._architect.shutdown()

    def _mark(self, run: TaskRun) -> Path:
        return self._house.run_folder(run.id) / DEPLOYED

    # --- how they are

    @property
    def address(self) -> str | None:
        """Where workers find the run's pages, once the routers are there."""
        return self.links[0].channel.url if self.links else None

    def states(self) -> list[RouterState]:
        """For status and watchers."""
        return [link.state for link in self.links]

    def readings(self, told: Mapping[str, Mapping[str, int]]) -> Sequence[RouterReading]:
        """For metrics; `told` has what each router told of itself last, by its name."""
        return [
            RouterReading(
                link.name,
                link.state.up,
                link.state.since,
                link.queue_length,
                link.strange,
                told.get(link.name, {}),
            )
            for link in self.links
        ]
