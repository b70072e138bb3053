"""An agent as live user code sees it. Every method that waits takes its result from the piece's journal."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import datetime
from functools import cached_property
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import attrs
import orjson

from ...protocol.documents import check_document
from ...protocol.errors import RemoteProtocolError
from ...protocol.names import AgentId, AgentStatus, PieceKind
from ..hooks.views import UnitView, WorkerView
from ..user_code import HOOK_LIMIT_S, UserCodeFailed
from .errors import (
    AgentDisconnected,
    AgentGone,
    AgentReturned,
    AgentShutDown,
    AgentSubmitted,
    AgentTimeout,
    CallFailed,
    GroupEnded,
    NothingReceived,
)
from .waits import AllOver, Ended, Execute, Got, How, Left, Nothing, Outcome, Seat, Sent, Stopped, Value, What

if TYPE_CHECKING:
    from .piece import Piece

T = TypeVar("T")
SENT_BYTES_MAX = 1024 * 1024  # one update to a page; more belongs into the page's files
_GONE: Mapping[How, type[AgentGone]] = {
    How.DISCONNECTED: AgentDisconnected,
    How.RETURNED: AgentReturned,
    How.TIMEOUT: AgentTimeout,
    How.SUBMITTED: AgentSubmitted,
}
_PRESENT = {PieceKind.ONBOARDING: AgentStatus.ONBOARDING}
_STATUS = {
    How.DISCONNECTED: AgentStatus.DISCONNECT,
    How.RETURNED: AgentStatus.RETURNED,
    How.TIMEOUT: AgentStatus.TIMEOUT,
    How.SUBMITTED: AgentStatus.COMPLETED,
}


@attrs.frozen
class Person:
    """Who sits in a seat at present."""

    worker: WorkerView
    unit: UnitView
    folder: Path
    present: Callable[[], bool]
    final_data: Callable[[], Awaitable[Any]]
    """What they submitted."""


class Recorded(ABC):
    """What agents and groups have alike: time, chance, and calls whose results are recorded."""

    def __init__(self, piece: "Piece", chance: str) -> None:
        self._piece = piece
        self._chance = chance

    @cached_property  # 2.5 KiB, which most code never asks for
    def random(self) -> Random:
        """Chance, the same again at a replay."""
        return Random(f"{self._piece.seed} {self._chance}")  # noqa: S311  # repeatable on purpose

    @property
    @abstractmethod
    def _whose(self) -> "LiveAgent":
        """Who is named when the daemon stops. Not kept: as a cycle it would outlive the piece."""

    async def now(self) -> datetime:
        """The present time, aware, UTC; at a replay the time it was then. AgentShutDown."""
        return datetime.fromisoformat(self._value(await self._piece.ask(What.NOW)))

    async def sleep(self, seconds: float) -> None:
        """Wait; at a replay a wait that was over is not repeated. AgentShutDown."""
        if isinstance(await self._piece.ask(What.SLEEP, within_s=seconds), Stopped):
            raise AgentShutDown(self._whose)

    async def run_sync(self, function: Callable[..., T], *args: Any, limit_s: float = HOOK_LIMIT_S) -> T:
        """The result of a synchronous function, called in a thread; it must fit into JSON.

        CallFailed when it raised or took longer than `limit_s`. At a replay it is not called again: what it
        gave, or that it failed, is recorded. AgentShutDown.
        """
        outcome = await self._piece.ask(What.RUN)
        if isinstance(outcome, Execute):
            outcome = await self._piece.ask(What.RUN, value=await self._executed(function, args, limit_s))
        said = self._value(outcome)
        if "failed" in said:
            raise CallFailed(said["failed"])
        result: T = said["result"]
        return result

    async def _executed(self, function: Callable[..., Any], args: Any, limit_s: float) -> Value:
        try:
            result = await self._piece.tools.user_code.run_sync(function, *args, limit_s=limit_s)
            return Value({"result": orjson.loads(orjson.dumps(result))})
        except (UserCodeFailed, TypeError, ValueError) as exc:
            return Value({"failed": str(exc)})

    def _value(self, outcome: Outcome) -> Any:
        if isinstance(outcome, Value):
            return outcome.value
        raise AgentShutDown(self._whose)


class LiveAgent(Recorded):
    """One worker on one unit (or in an onboarding), while they work. With `replace`, another worker may take
    the same place.

    Methods that wait raise what is an `AgentGone` when nothing can come any more, each end its own kind.
    """

    def __init__(self, piece: "Piece", seat: Seat, person: Callable[[AgentId], Person]) -> None:
        super().__init__(piece, f"agent {seat.index}")
        self._seat = seat
        self._person = person

    def __repr__(self) -> str:
        return f"<LiveAgent {self.number}>"

    @property
    def _whose(self) -> "LiveAgent":
        return self

    @property
    def number(self) -> AgentId:
        """As `crowdctl agents` shows it; in an onboarding, that one's number."""
        return self._seat.agent_id

    @property
    def index(self) -> int:
        """Its place in the group, from 0."""
        return self._seat.index

    @property
    def worker(self) -> WorkerView:
        """Who it is, with their qualifications."""
        return self._person(self.number).worker

    @property
    def unit(self) -> UnitView:
        """What they work on; in an onboarding `unit.data` is the data of its page, and it has no number."""
        return self._person(self.number).unit

    @property
    def folder(self) -> Path:
        """A folder for files about this agent, kept with the run."""
        folder = self._person(self.number).folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder

    @property
    def status(self) -> AgentStatus:
        """`in task` or `onboarding`, until a wait of this agent has said otherwise."""
        if self._seat.told is not None:
            return _STATUS[self._seat.told]
        return _PRESENT.get(self._piece.key.kind, AgentStatus.IN_TASK)

    @property
    def present(self) -> bool:
        """Whether its page is there at this moment. Not recorded: do not decide by it what is to replay."""
        return self._person(self.number).present()

    async def send(self, data: Mapping[str, Any]) -> None:
        """Send an update to the agent's page: once it is stored it goes there, and arrives once and in order.

        AgentGone when the agent's part is over. ValueError for what is no JSON object, or larger than
        SENT_BYTES_MAX.
        """
        outcome = await self._piece.ask(What.SEND, self._seat, update=checked(data))
        if not isinstance(outcome, Sent):
            self._gone(outcome)

    async def receive(self, timeout_s: float | None = None) -> dict[str, Any]:
        """The next update of the agent's page. NothingReceived after `timeout_s`; AgentGone, GroupEnded."""
        outcome = await self._piece.ask(What.RECEIVE, self._seat, timeout_s)
        return plain(outcome.update.update) if isinstance(outcome, Got) else self._gone(outcome)

    def updates(self) -> AsyncIterator[dict[str, Any]]:
        """The updates of the agent's page, until the worker submits or leaves, or the group ends."""
        return Updates(self)

    async def submitted(self, timeout_s: float | None = None) -> Any:
        """The final answer, once it is stored. NothingReceived after `timeout_s`; AgentGone."""
        outcome = await self._piece.ask(What.SUBMITTED, self._seat, timeout_s)
        if outcome == Left(How.SUBMITTED):
            return await self._person(self.number).final_data()
        return self._gone(outcome)

    def _gone(self, outcome: Outcome) -> NoReturn:
        match outcome:
            case Left():
                raise _GONE[outcome.how](self)
            case Ended() | AllOver():
                raise GroupEnded(self)
            case Nothing():
                raise NothingReceived(f"nothing came from agent {self.number} in time")
            case _:
                raise AgentShutDown(self)


class Updates(AsyncIterator[dict[str, Any]]):
    """An agent's updates, one after the other. No generator: code that leaves it has nothing to close."""

    def __init__(self, agent: LiveAgent) -> None:
        self._agent = agent

    async def __anext__(self) -> dict[str, Any]:
        try:
            return await self._agent.receive()
        except AgentShutDown:
            raise
        except AgentGone:
            raise StopAsyncIteration from None


def plain(update: Mapping[str, Any]) -> dict[str, Any]:
    """What the page's own code sent."""
    return {key: value for key, value in update.items() if key != "update_id"}


def checked(data: Mapping[str, Any]) -> dict[str, Any]:
    """The update, if a page can be sent it. ValueError says why not."""
    if not isinstance(data, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]: authors are not type-checked
        raise ValueError(f"an update is a dict, not {type(data).__name__}")
    update: dict[str, Any] = dict(data)
    try:
        size = len(orjson.dumps(update))
        check_document(update)
    except (TypeError, RemoteProtocolError) as exc:
        raise ValueError(f"an update must fit into JSON: {exc}") from exc
    if size > SENT_BYTES_MAX:
        raise ValueError(f"an update has at most {SENT_BYTES_MAX} bytes, not {size}")
    return update
