"""What can happen to an agent: one frozen class each. Decides nothing."""

from datetime import datetime

import attrs

from ...storage.writes import AddSubmission


@attrs.frozen
class Accepted:
    """The worker took the unit (again, after a shutdown)."""

    due_at: datetime | None = None


@attrs.frozen
class Waited:
    """It has to wait for others."""


@attrs.frozen
class Started:
    """Its work began."""


@attrs.frozen
class Joined:
    """The group that it waited for began, or goes on, with it; so long it has for the work."""

    due_at: datetime | None = None


@attrs.frozen
class Submitted:
    """The final answer came in time."""

    answer: AddSubmission


@attrs.frozen
class SubmittedLate:
    """The final answer came after the agent had ended, and its unit is still to be had."""

    answer: AddSubmission


@attrs.frozen
class TimeOver:
    """The time for the unit is over."""


@attrs.frozen
class WentAway:
    """The page has been gone for too long."""


@attrs.frozen
class ShutDown:
    """The daemon stops; the unit stays reserved until `rejoin_until`."""

    rejoin_until: datetime | None = None


@attrs.frozen
class Dismissed:
    """Staff ended the run at once."""


@attrs.frozen
class GaveBack:
    """The worker, here or at the provider, gave the unit back."""

    who: str = "worker"


@attrs.frozen
class LinkRevoked:
    """Staff revoked the personal link that it works by, and take its unit back."""

    who: str


@attrs.frozen
class SlotExpired:
    """The provider says that the slot is gone."""


@attrs.frozen
class TaskFailed:
    """The task's own code raised; the worker is not to blame."""


@attrs.frozen
class PartnerLeft:
    """Another agent of the assignment left for good."""


@attrs.frozen
class SentAway:
    """It waited for others for as long as it may, and in vain."""


@attrs.frozen
class Approved:
    """Staff approved the work."""

    who: str


@attrs.frozen
class SoftRejected:
    """Staff marked the work as below the bar; it is paid."""

    who: str


@attrs.frozen
class Rejected:
    """Staff rejected the work; it is not paid."""

    who: str


AgentEvent = (
    Accepted
    | Waited
    | Started
    | Joined
    | Submitted
    | SubmittedLate
    | TimeOver
    | WentAway
    | ShutDown
    | Dismissed
    | GaveBack
    | LinkRevoked
    | SlotExpired
    | TaskFailed
    | PartnerLeft
    | SentAway
    | Approved
    | SoftRejected
    | Rejected
)
