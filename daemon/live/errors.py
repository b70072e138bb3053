"""What ends a wait of live user code, each of its own kind. Exported by `crowdd` for task authors."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .agent import LiveAgent


class AgentGone(Exception):
    """Nothing more comes from this agent. `agent` is whose wait it was."""

    words = "is gone"

    def __init__(self, agent: "LiveAgent") -> None:
        super().__init__(f"agent {agent.number} {self.words}")
        self.agent = agent


class AgentDisconnected(AgentGone):
    """The worker was away for longer than the run's `drop_out.grace_s`, or was taken off the unit."""

    words = "has left"


class AgentReturned(AgentGone):
    """The worker, here or at the provider, gave the unit back."""

    words = "gave the unit back"


class AgentTimeout(AgentGone):
    """The worker's time for the unit is over (`limits.assignment_duration_s`)."""

    words = "has no time left"


class AgentSubmitted(AgentGone):
    """The worker has submitted the final answer: no update can come any more."""

    words = "has submitted"


class AgentShutDown(AgentGone):
    """The daemon stops. Not recorded: the code is run again from its journal when the worker is back."""

    words = "has to wait: the daemon stops"


class GroupEnded(AgentGone):
    """The group goes on no further: `agent` left, and the run's `drop_out.policy` says that this ends it."""

    words = "has left, which ends the group"


class NothingReceived(TimeoutError):
    """The `timeout_s` of `receive` or `submitted` is over, and nothing came."""


class CallFailed(Exception):
    """What `run_sync` called raised, or took too long; says which. The same again at a replay."""


class CallRefused(Exception):
    """Raised by a named function for its worker: the words go to the page that called, as they are."""


class ReplayDiverged(Exception):
    """User code did something else than its journal says that it did: what, where, and what was expected."""
