"""What providers without a service of their own share: blocks and payments as facts in storage."""

from collections.abc import AsyncGenerator, Sequence
from importlib.resources import files
from typing import Any

import trio

from ...protocol.names import Reason
from ...storage.contract import Bar
from ...storage.records import Agent, Unit, Worker
from .contract import CrowdProvider, ProviderFailed, ProviderSays


def wrapped_script(own: str) -> str:
    """`wrap_crowd_source.js` of a provider: what all share, and its own part."""
    return _page_part("common.js") + own


def page_script(name: str) -> str:
    """The script of a provider of ours, by its file."""
    return wrapped_script(_page_part(name))


def _page_part(name: str) -> str:
    return (files(__name__.rpartition(".")[0]) / "page" / name).read_text("utf-8")


class BookkeepingProvider(CrowdProvider):
    """Keeps its own books. Nobody outside is told anything; staff pay what the books say is owed.

    Blocks and payments are the provider's, not the run's: other runs of the same provider see them.
    """

    undoes_rejections = True

    async def set_up(self) -> None:
        """Nothing is needed."""

    async def admits(self, worker: Worker) -> Reason | None:
        """BLOCKED for a worker whom this provider blocked."""
        blocked = await self.place.storage.fact(*self._blocked_at(worker.name))
        return None if blocked is None else Reason.BLOCKED

    def welcomes_newcomers(self) -> bool:
        """Nobody is in the books before they are known; a provider that asks more asks newcomers, too."""
        return type(self).admits is BookkeepingProvider.admits

    def bar(self, worker_name: str) -> Bar | None:
        """Where a worker's block is in the books; a provider that asks more is asked."""
        alone = type(self).admits is BookkeepingProvider.admits
        return self._blocked_at(worker_name) if alone else None

    async def publish(self, units: Sequence[Unit], url: str) -> None:
        """Workers come by their links."""

    async def expire(self, units: Sequence[Unit]) -> None:
        """Workers who come later are told so."""

    async def mark_done(self, agent: Agent) -> None:
        """Storage knows."""

    async def news(self) -> AsyncGenerator[ProviderSays]:
        """There is no other side that could have news."""
        await trio.sleep_forever()
        yield  # never reached; makes this an async generator

    async def approve(self, agent: Agent, note: str | None) -> None:
        """Storage knows."""

    async def soft_reject(self, agent: Agent, note: str | None) -> None:
        """Storage knows."""

    async def reject(self, agent: Agent, note: str | None) -> None:
        """Storage knows."""

    async def bonus(self, worker: Worker, cents: int, reason: str, payment_id: str) -> None:
        """Enter a payment that staff make by hand. ProviderFailed: `payment_id` was used for another one."""
        entry = {"worker": worker.name, "cents": cents, "reason": reason}
        known = await self.place.storage.fact(self._scope("payments"), payment_id)
        if known is None:
            await self.place.storage.put_fact(self._scope("payments"), payment_id, entry)
        elif known != entry:
            raise ProviderFailed(f"payment {payment_id!r} was entered before with other contents")

    async def payments(self) -> dict[str, Any]:
        """What was entered: payment id → {worker, cents, reason}."""
        return await self.place.storage.facts(self._scope("payments"))

    async def block(self, worker: Worker, reason: str) -> None:
        await self.place.storage.put_fact(*self._blocked_at(worker.name), {"reason": reason})

    async def unblock(self, worker: Worker) -> None:
        await self.place.storage.put_fact(*self._blocked_at(worker.name), None)

    def _blocked_at(self, worker_name: str) -> Bar:
        return self._scope("blocked"), worker_name

    def _scope(self, book: str) -> str:
        return f"{self.name}:{book}"
