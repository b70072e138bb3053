"""What the crowd provider says about its side of a run, believed where it makes sense."""

import logging
from collections.abc import Mapping
from contextlib import aclosing, suppress
from functools import partial

import trio

from ..protocol.names import AgentStatus, RunId
from ..storage.contract import Storage
from ..storage.errors import NotFound
from .full_disk import with_space
from .lifecycle import AgentEvent, GaveBack, IllegalEvent, SlotExpired, TimeOver
from .providers.contract import CrowdProvider, ProviderFailed, ProviderSays
from .task_runner import TaskRunner

log = logging.getLogger(__name__)

AGAIN_S = 30.0  # a provider whose news stopped is asked again after this
EVENTS: Mapping[AgentStatus, AgentEvent] = {
    AgentStatus.RETURNED: GaveBack("provider"),
    AgentStatus.EXPIRED: SlotExpired(),
    AgentStatus.TIMEOUT: TimeOver(),
}


class ProviderNews:
    """One per LiveRun."""

    def __init__(self, run_id: RunId, provider: CrowdProvider, storage: Storage, runner: TaskRunner) -> None:
        self._run_id = run_id
        self._provider = provider
        self._storage = storage
        self._runner = runner

    async def hear(self) -> None:
        """Take in what the provider says, until cancelled."""
        while True:
            try:
                async with aclosing(self._provider.news()) as all_news:
                    async for news in all_news:
                        await with_space(f"run {self._run_id}", partial(self._believe, news))
            except ProviderFailed:
                log.exception("the provider's news stopped; asking again", extra={"run": self._run_id})
            await trio.sleep(AGAIN_S)

    async def _believe(self, news: ProviderSays) -> None:
        try:
            unit = await self._storage.unit(news.unit_id)
        except NotFound:
            unit = None
        if unit is None or unit.run_id != self._run_id or news.status not in EVENTS:
            log.warning("the provider's news make no sense: %s", news, extra={"run": self._run_id})
            return
        if unit.agent_id is None:
            return
        with suppress(IllegalEvent):
            await self._runner.happen(unit.agent_id, EVENTS[news.status])
