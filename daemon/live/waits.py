"""What live user code waits for, and what it can be given. Pure data; the words are those of the journal."""

import enum
import math
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from ...protocol.names import AgentId
from ...protocol.values import frozen
from ...storage.records import LiveUpdate


class What(enum.Enum):
    """The kinds of waits, and of what else a journal notes."""

    BEGUN = "begun"
    RECEIVE = "receive"
    RECEIVE_ANY = "receive_any"
    SEND = "send"
    SUBMITTED = "submitted"
    NOW = "now"
    RUN = "run"
    SLEEP = "sleep"
    JOINED = "joined"
    ENDED = "ended"

    def __init__(self, word: str) -> None:
        self.word = word
        """As the journal says it. An enum's `value` is computed each time that it is asked for."""


NOTES = frozenset({What.BEGUN, What.JOINED, What.ENDED})
"""Entries that no wait gets: they happened to the piece."""


class How(enum.Enum):
    """In which way an agent's part of the piece is over."""

    DISCONNECTED = "disconnected"
    RETURNED = "returned"
    TIMEOUT = "timeout"
    SUBMITTED = "submitted"


@frozen
class Got:
    """An update of an agent."""

    update: LiveUpdate


@frozen
class Nothing:
    """The time to wait is over."""


@frozen
class Left:
    """The agent's part is over."""

    how: How


@frozen
class AllOver:
    """No agent of the group has anything more to say."""


@frozen
class Ended:
    """The group goes on no further, because of this agent."""

    agent_id: AgentId


@frozen
class Sent:
    """The update is stored, under this number."""

    number: int


@frozen
class Value:
    """What was recorded: a time, or what a function gave."""

    value: Any


@frozen
class Execute:
    """Nothing is recorded of this call: execute it, then have its result recorded."""


@frozen
class Stopped:
    """The daemon stops. Never recorded: after the next start the wait is there again."""


Outcome = Got | Nothing | Left | AllOver | Ended | Sent | Value | Execute | Stopped


@attrs.define(eq=False)
class Seat:
    """The place of one agent in a piece; a replacement takes the same seat."""

    index: int
    agents: list[AgentId]
    """Who sat here, one after the other; the last one sits here now."""
    told: How | None = None
    """How the agent left, as far as user code was told."""

    @property
    def agent_id(self) -> AgentId:
        """Who sits here now."""
        return self.agents[-1]


@attrs.define(eq=False)
class Wait:
    """One wait of user code. `settled` is called once `outcome` is there, unless who asks is told at once."""

    what: What
    settled: Callable[[], None]
    seat: Seat | None = None
    deadline: float = math.inf
    update: Mapping[str, Any] | None = None
    """What is to be sent."""
    value: Value | None = None
    """What was executed, to be recorded."""
    outcome: Outcome | None = None
    asked_at: int = 0
    """The newest entry of the journal when it began: user code may have been given all up to there."""
