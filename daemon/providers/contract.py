"""What a crowd provider is: where workers come from and are paid. The contract and the words it uses."""

import abc
import random
from collections.abc import AsyncGenerator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import attrs

from ...protocol.names import AgentStatus, Reason, UnitId
from ...storage.contract import Bar, Storage
from ...storage.records import Agent, TaskRun, Unit, Worker
from ..clock import Wall


class IdentityUnverified(Exception):
    """What the page says about its worker is not proven: forged, expired, revoked, for another run."""


class ProviderFailed(Exception):
    """The provider could not be reached or answered nonsense; whether it did it is not known."""


@attrs.frozen
class Identity:
    """A verified worker, and the link they came by."""

    worker_name: str
    link: str
    """Which personal link (crowdd pages) or registration id (unchanged pages); never secret."""
    after: str | None
    """Wire id of the agent the page has finished; "": none yet; None: an unchanged page does not say."""
    worker_data: Mapping[str, Any] = attrs.Factory(dict[str, Any])
    """Kept with the worker."""
    agent_data: Mapping[str, Any] = attrs.Factory(dict[str, Any])
    """Kept with the agent. Holds no secrets (no link tokens)."""


@attrs.frozen
class ProviderSays:
    """News from the provider about a unit's agent: returned, expired or timeout."""

    unit_id: UnitId
    status: AgentStatus


@attrs.frozen
class Place:
    """What a provider works with: its run, the store (for its own facts), time and chance."""

    run: TaskRun
    storage: Storage
    wall: Wall
    rng: random.Random
    secret: bytes = attrs.field(repr=False)
    """The daemon's link-signing secret, kept over restarts."""
    folder: Path = Path()
    """The task's unpacked folder, for what the author put there for the provider."""
    old_secrets: Sequence[bytes] = attrs.field(default=(), repr=False)
    """What signed links before; still believed, until whoever runs the daemon takes it away."""

    @property
    def secrets(self) -> Sequence[bytes]:
        """All that a link may be signed with; the first signs new ones."""
        return (self.secret, *self.old_secrets)


class LinkUnknown(Exception):
    """This is no personal link, or nobody was given one; says why, and never shows the link."""


@attrs.frozen
class RevokedLink:
    """Whose personal link it was, and by which id agents know it."""

    worker_name: str
    link: str
    """As in `Identity.link`; not secret."""
    already: bool
    """It was revoked before."""


class CrowdProvider(abc.ABC):
    """Opened once per LiveRun, and (with `set_up`) when something is to be told about a run that has ended.

    Any method may be called again after a crash and must not do things twice.
    """

    name: ClassVar[str]
    sandbox: ClassVar[bool] = False
    undoes_rejections: ClassVar[bool] = False
    """Whether `approve` may follow `reject`: work that was refused is paid after all."""
    Options: ClassVar[type[Any]]
    """A frozen attrs class with defaults; `[provider]` of task.toml is structured into it."""

    def __init__(self, options: Any, place: Place) -> None:
        self.options = options
        self.place = place

    @classmethod
    def check(cls, options: Any, folder: Path) -> list[str]:
        """Every fault found before the launch, in options and task folder: "path: what, and what to do"."""
        return []

    @abc.abstractmethod
    async def set_up(self) -> None:
        """Make what the provider needs for the run. Idempotent. ProviderFailed."""

    @abc.abstractmethod
    async def verify(self, provider_data: Mapping[str, Any]) -> Identity:
        """Who this is, proven. IdentityUnverified says why not, in words for the operator."""

    @abc.abstractmethod
    async def admits(self, worker: Worker) -> Reason | None:
        """The provider's own requirements, checked before the worker sees the task; None: welcome."""

    def welcomes_newcomers(self) -> bool:
        """Whether `admits` would welcome whoever has just become known: then it is not asked about them."""
        return False

    def bar(self, worker_name: str) -> Bar | None:
        """Scope and key of the fact of storage that is there while `admits` refuses a worker, and only then.

        Storage looks for it while it reads about who goes on, and `admits` is not asked where it is not
        there. None: it depends on more than one fact, and `admits` is asked.
        """
        return None

    @abc.abstractmethod
    async def publish(self, units: Sequence[Unit], url: str) -> None:
        """Make launched units known to the crowd, with the address to do them at."""

    @abc.abstractmethod
    async def expire(self, units: Sequence[Unit]) -> None:
        """Take units back from the crowd."""

    @abc.abstractmethod
    async def mark_done(self, agent: Agent) -> None:
        """The agent's work is complete."""

    @abc.abstractmethod
    def news(self) -> AsyncGenerator[ProviderSays]:
        """What changes at the provider, as it comes, until cancelled."""

    # The next three are told after the review was stored, and again until one call got through.
    @abc.abstractmethod
    async def approve(self, agent: Agent, note: str | None) -> None:
        """The work is accepted and paid; `note` is for the worker."""

    @abc.abstractmethod
    async def soft_reject(self, agent: Agent, note: str | None) -> None:
        """The work is paid, although it is below the bar."""

    @abc.abstractmethod
    async def reject(self, agent: Agent, note: str | None) -> None:
        """The work is refused and not paid; `note` says why."""

    @abc.abstractmethod
    async def bonus(self, worker: Worker, cents: int, reason: str, payment_id: str) -> None:
        """Pay a bonus; the same `payment_id` again pays nothing more."""

    @abc.abstractmethod
    async def block(self, worker: Worker, reason: str) -> None: ...
    @abc.abstractmethod
    async def unblock(self, worker: Worker) -> None: ...

    @abc.abstractmethod
    def page_script(self) -> str:
        """The provider's `wrap_crowd_source.js`: the globals that mephisto-task pages and crowdd.js use."""

    @abc.abstractmethod
    async def links(self, workers: Sequence[str], url: str) -> list[tuple[str, str]]:
        """A personal address for each worker name: (name, url). Not every provider has any."""

    @classmethod
    def run_of_link(cls, link: str, secret: bytes) -> str | None:
        """The label of the run that this text, a whole address or what it carries, is a proven link of.

        None: it is no link of this provider's. `secret` is one of those of `Place`.
        """
        return None

    async def revoke_link(self, link: str, who: str) -> RevokedLink:
        """Refuse this link of the run from the next request on, whoever holds it. LinkUnknown.

        Agents are not touched: what becomes of one who works by it is for others to decide.
        """
        raise LinkUnknown(f"the workers of provider {self.name!r} have no personal links")

    async def revoke_link_of(self, worker: str, who: str) -> RevokedLink:
        """The same for the link that the worker of this name was given last. LinkUnknown."""
        raise LinkUnknown(f"the workers of provider {self.name!r} have no personal links")

    async def forget_run(self, who: str) -> None:  # noqa: B027 - most have nothing to forget
        """The run is deleted: its links open nothing any more, in a later run of its label neither.

        Called before its records go, and perhaps again.
        """
