"""The provider `mock`: believes every name and does as it is told; for tests, simulation and first tries.

Its workers can never be paid, so they are kept apart from real ones by a suffix.
"""

from collections import defaultdict, deque
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import attrs
import trio

from ...protocol.names import Reason
from ...storage.contract import Bar
from ...storage.records import Agent, Unit, Worker
from .bookkeeping import BookkeepingProvider, page_script
from .claims import NAME_CHARACTERS_MAX, claimed_after, claimed_text, kept_claims
from .contract import Identity, IdentityUnverified, ProviderFailed, ProviderSays

SANDBOX_SUFFIX = "_sandbox"
LEDGER_MAX = 1_000  # things remembered of what it was told: a run may hold it for weeks
_KEPT = ("agent_registration_id", "assignment_id", "provider_type")


@attrs.frozen
class MockOptions:
    """`[provider]` of task.toml: what it is to do wrong."""

    unverified: tuple[str, ...] = ()
    """Names it does not believe."""
    refused: dict[str, Reason] = attrs.Factory(dict[str, Reason])
    """Names it does not admit, and why."""
    failing: tuple[str, ...] = ()
    """Methods that raise ProviderFailed."""


@attrs.frozen
class Told:
    """One thing the provider was asked to do: the method and what it was given."""

    method: str
    given: tuple[Any, ...]


class MockProvider(BookkeepingProvider):
    """Believes every name; scripted by its options and, where a test holds it, by its attributes.

    `ledger` is what it was told last; `fail_next[method]` counts calls still to fail; `say` makes news.
    """

    name = "mock"
    sandbox = True
    Options = MockOptions

    def __init__(self, options: Any, place: Any) -> None:
        super().__init__(options, place)
        self.ledger: deque[Told] = deque(maxlen=LEDGER_MAX)
        self.fail_next: defaultdict[str, int] = defaultdict(int)
        self._news: deque[ProviderSays] = deque()
        self._said = trio.Event()

    def told(self, method: str) -> list[tuple[Any, ...]]:
        """What it was given by all calls of `method` that the ledger still has."""
        return [entry.given for entry in self.ledger if entry.method == method]

    def say(self, news: ProviderSays) -> None:
        """Let the provider have this news."""
        self._news.append(news)
        self._said.set()

    async def set_up(self) -> None:
        self._note("set_up")

    async def verify(self, provider_data: Mapping[str, Any]) -> Identity:
        """Whoever the page says; the registration id plays the part of the link."""
        self._may_fail("verify")
        worker = claimed_text(provider_data, "worker_name", NAME_CHARACTERS_MAX)
        if worker in self.options.unverified:
            raise IdentityUnverified(f"{worker} is told not to be believed")
        return Identity(
            worker_name=worker + SANDBOX_SUFFIX,
            link=claimed_text(provider_data, "agent_registration_id"),
            after=claimed_after(provider_data),
            agent_data=kept_claims(provider_data, _KEPT),
        )

    async def admits(self, worker: Worker) -> Reason | None:
        """As scripted; BLOCKED for a worker whom this provider blocked."""
        self._may_fail("admits")
        refused: Reason | None = self.options.refused.get(worker.name.removesuffix(SANDBOX_SUFFIX))
        return refused or await super().admits(worker)

    def welcomes_newcomers(self) -> bool:
        return self._asks_its_books_alone()

    def bar(self, worker_name: str) -> Bar | None:
        return self._blocked_at(worker_name) if self._asks_its_books_alone() else None

    def _asks_its_books_alone(self) -> bool:
        told = self.options.refused or "admits" in self.options.failing or self.fail_next["admits"]
        return type(self).admits is MockProvider.admits and not told

    async def publish(self, units: Sequence[Unit], url: str) -> None:
        self._note("publish", [unit.id for unit in units], url)

    async def expire(self, units: Sequence[Unit]) -> None:
        self._note("expire", [unit.id for unit in units])

    async def mark_done(self, agent: Agent) -> None:
        self._note("mark_done", agent.id)

    async def news(self) -> AsyncGenerator[ProviderSays]:
        while True:
            await self._said.wait()
            while self._news:
                yield self._news.popleft()
            self._said = trio.Event()

    async def approve(self, agent: Agent, note: str | None) -> None:
        self._note("approve", agent.id, note)

    async def soft_reject(self, agent: Agent, note: str | None) -> None:
        self._note("soft_reject", agent.id, note)

    async def reject(self, agent: Agent, note: str | None) -> None:
        self._note("reject", agent.id, note)

    async def bonus(self, worker: Worker, cents: int, reason: str, payment_id: str) -> None:
        self._note("bonus", worker.name, cents, reason, payment_id)
        await super().bonus(worker, cents, reason, payment_id)

    async def block(self, worker: Worker, reason: str) -> None:
        self._note("block", worker.name, reason)
        await super().block(worker, reason)

    async def unblock(self, worker: Worker) -> None:
        self._note("unblock", worker.name)
        await super().unblock(worker)

    def page_script(self) -> str:
        return page_script("mock.js")

    async def links(self, workers: Sequence[str], url: str) -> list[tuple[str, str]]:
        """An unsigned address for each name."""
        run = self.place.run.label
        return [(name, f"{url}?{urlencode({'worker_id': name, 'assignment_id': run})}") for name in workers]

    def _note(self, method: str, *given: Any) -> None:
        self._may_fail(method)
        self.ledger.append(Told(method, given))

    def _may_fail(self, method: str) -> None:
        if self.fail_next[method] > 0:
            self.fail_next[method] -= 1
            raise ProviderFailed(f"{method} is told to fail")
        if method in self.options.failing:
            raise ProviderFailed(f"{method} is told to fail")
