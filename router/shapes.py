"""What the router answers, as typed dictionaries. Its OpenAPI document is made of them."""

from typing import Any, Literal, NotRequired, TypedDict

from ..protocol.names import AgentStatus, Reason


class RefusalView(TypedDict):
    """Why not: `reason` for programs, `text` for people, the agent's `status` where one is known."""

    reason: str
    text: str
    status: NotRequired[AgentStatus]
    retry_after_s: NotRequired[int]
    path: NotRequired[str]


class DetailsView(TypedDict):
    """Whether there is work, and what. What follows `failure_reason` is told to pages of ours only."""

    request_id: str
    worker_id: str | None
    agent_id: str | None
    init_task_data: Any
    failure_reason: str | None
    reason: NotRequired[Reason | None]
    retry_after_s: NotRequired[float | None]
    status: NotRequired[AgentStatus | None]
    time_left_s: NotRequired[float | None]
    finished: NotRequired[bool]
    seen: NotRequired[int]
    waiting: NotRequired[dict[str, Any] | None]


class AgentDetailsView(TypedDict):
    """A packet of seven keys, as pages of `mephisto-task` know them. Times in seconds of the epoch."""

    packet_type: Literal["agent_details"]
    subject_id: str
    data: DetailsView
    client_timestamp: float | None
    router_incoming_timestamp: float
    router_outgoing_timestamp: float
    server_timestamp: float


class SubmittedView(TypedDict):
    """The answer is saved, once."""

    status: Literal["Submitted!"]


class MetadataSavedView(TypedDict):
    """What was told beside the answer is saved."""

    status: Literal["Submitted metadata"]


class ErrorLoggedView(TypedDict):
    """The report is on its way; it may be lost."""

    status: Literal["Error log sent!"]


class ReturnedView(TypedDict):
    """The unit was given back; or, of a page that is leaving, its word was noted."""

    status: Literal["Returned", "Noted"]


class AliveView(TypedDict):
    """The router lives."""

    status: Literal["Alive!"]


class TimestampView(TypedDict):
    """The router's clock, in milliseconds of the epoch."""

    timestamp: int


class DeployedView(TypedDict):
    """The run's pages are these."""

    status: Literal["Deployed"]
    sha256: str


class RemovedView(TypedDict):
    """The run's pages, key and files are gone."""

    status: Literal["Removed"]
