"""The packets of the router link, one frozen class each. Says what they hold, not how they become bytes.

On the wire a packet is a map `{t, s, d}` plus what its class of delivery needs. A field made with
`attrs.field(metadata=_R)` is the map's own key `r`; every other field is a key of `d`. See `codec`.

Four classes of delivery:
- requests (`r`): repeated after every reconnect until answered; the daemon dedupes by content, not by `r`;
- streams (`e`, `q`): live updates, per agent and direction an epoch and a sequence starting at 1;
- state (`v`): the last version wins;
- best effort: everything else.
"""

from typing import Any, ClassVar

import attrs

from .names import AgentStatus, Outcome, PacketType, Reason, WireId
from .values import frozen

_S, _R = ({"top": key, "is_name": True} for key in "sr")
_E, _Q, _V = ({"top": key} for key in "eqv")


@frozen
class FileNote:
    """A file of a submission: what it is called and what it contains, never the contents."""

    sha256: str
    size: int
    fieldname: str
    originalname: str
    mimetype: str


@frozen
class Hello:
    """One step of the handshake; see `link` for their order.

    Step 1 daemon: versions, nonce, epoch. 2 router: the same and its proof. 3 daemon: its proof, the run's
    key, the statuses of all live agents, which uploads it takes. 4 router: what waits in its outbox; the
    link is up.
    """

    type: ClassVar = PacketType.HELLO
    step: int
    versions: list[int]
    label: str
    nonce: bytes
    epoch: int
    proof: bytes = b""
    key: bytes = attrs.field(default=b"", repr=False)
    statuses: dict[str, str] = attrs.field(factory=dict[str, str], repr=False)
    outbox: list[str] = attrs.Factory(list[str])
    upload_types: list[str] = attrs.Factory(list[str])
    upload_words: str = ""


@frozen
class RegisterAgent:
    """A page asks for work. `crowdd_client` says that it knows refusals (header X-Crowdd-Client)."""

    type: ClassVar = PacketType.REGISTER_AGENT
    request: str = attrs.field(metadata=_R)
    provider_data: dict[str, Any]
    crowdd_client: bool = False


@frozen
class SubmitOnboarding:
    """What an onboarding agent answered. Absent data is an empty map."""

    type: ClassVar = PacketType.SUBMIT_ONBOARDING
    subject: WireId = attrs.field(metadata=_S, repr=False)
    request: str = attrs.field(metadata=_R)
    onboarding_data: Any = None
    provider_data: dict[str, Any] = attrs.Factory(dict[str, Any])
    crowdd_client: bool = False


@frozen
class SubmitUnit:
    """The final answer of an agent; `answered` when the router already said "Submitted!" (outbox)."""

    type: ClassVar = PacketType.SUBMIT_UNIT
    subject: WireId = attrs.field(metadata=_S, repr=False)
    request: str = attrs.field(metadata=_R)
    final_data: Any = None
    files: list[FileNote] = attrs.Factory(list[FileNote])
    answered: bool = False


@frozen
class SubmitMetadata:
    """Something told beside the answer: tips, feedback, opinions, log lines, the post-task part."""

    type: ClassVar = PacketType.SUBMIT_METADATA
    subject: WireId = attrs.field(metadata=_S, repr=False)
    request: str = attrs.field(metadata=_R)
    metadata: Any = None
    files: list[FileNote] = attrs.Factory(list[FileNote])
    answered: bool = False


@frozen
class ReturnUnit:
    """The worker gives the unit back."""

    type: ClassVar = PacketType.RETURN_UNIT
    subject: WireId = attrs.field(metadata=_S, repr=False)
    request: str = attrs.field(metadata=_R)


@frozen
class AgentDetails:
    """The answer to register_agent and submit_onboarding. `agent_id` is None for a refusal."""

    type: ClassVar = PacketType.AGENT_DETAILS
    request: str = attrs.field(metadata=_R)
    outcome: Outcome
    worker_id: str | None = None
    agent_id: WireId | None = attrs.field(default=None, repr=False)
    init_task_data: Any = None
    failure_reason: str | None = None
    reason: Reason | None = None
    retry_after_s: float | None = None
    status: AgentStatus | None = None
    time_left_s: float | None = None
    finished: bool = False
    """True: this link has finished its last unit (`agent_id` names it, the page offers "Next")."""
    seen: int = 0
    """`init_task_data` holds every live update for this agent up to this number."""
    waiting: dict[str, Any] | None = None
    """Of a group that forms: how many are `here` and `needed`, its `size`, and `expected_s`, `limit_s`."""


@frozen
class Answer:
    """The answer to every other request; `status` is the agent's after it."""

    type: ClassVar = PacketType.ANSWER
    request: str = attrs.field(metadata=_R)
    outcome: Outcome
    reason: Reason | None = None
    text: str | None = None
    retry_after_s: float | None = None
    status: AgentStatus | None = None


@frozen
class ClientBoundLiveUpdate:
    """From user code to a page. `number` is the daemon's own count of what it tells this agent, from 1."""

    type: ClassVar = PacketType.CLIENT_BOUND_LIVE_UPDATE
    subject: WireId = attrs.field(metadata=_S, repr=False)
    epoch: int = attrs.field(metadata=_E)
    sequence: int = attrs.field(metadata=_Q)
    update: dict[str, Any]
    number: int = 0


@frozen
class MephistoBoundLiveUpdate:
    """From a page to user code.

    crowdd.js counts what it sends: `page` names one load of the page, `page_number` counts from 1 in it.
    Unchanged pages do not: "" and 0.
    """

    type: ClassVar = PacketType.MEPHISTO_BOUND_LIVE_UPDATE
    subject: WireId = attrs.field(metadata=_S, repr=False)
    epoch: int = attrs.field(metadata=_E)
    sequence: int = attrs.field(metadata=_Q)
    update: dict[str, Any]
    page: str = attrs.field(default="", metadata={"is_name": True})
    page_number: int = 0


@frozen
class Ack:
    """Everything of the other side's stream up to `sequence` is safe; `resend` asks for what follows it."""

    type: ClassVar = PacketType.ACK
    subject: WireId = attrs.field(metadata=_S, repr=False)
    epoch: int = attrs.field(metadata=_E)
    sequence: int = attrs.field(metadata=_Q)
    resend: bool = False


@frozen
class UpdateStatus:
    """An agent's status as the daemon decided it; `text` is for the worker."""

    type: ClassVar = PacketType.UPDATE_STATUS
    subject: WireId = attrs.field(metadata=_S, repr=False)
    version: int = attrs.field(metadata=_V)
    status: AgentStatus
    reason: Reason | None = None
    text: str | None = None


@frozen
class RequestStatuses:
    """The daemon's heartbeat: it lives, and wants to know who is present."""

    type: ClassVar = PacketType.REQUEST_STATUSES


@frozen
class ReturnStatuses:
    """Presence ("present" | "away") of every agent whose presence changed or is away.

    Said in answer to `RequestStatuses`; and unasked (`partial`: only of those that just changed).
    """

    type: ClassVar = PacketType.RETURN_STATUSES
    presence: dict[str, str] = attrs.field(factory=dict[str, str], repr=False)
    counters: dict[str, int] = attrs.Factory(dict[str, int])
    """What the router counted since its start: refusals and bad input by name."""
    statuses: dict[str, str] = attrs.field(factory=dict[str, str], repr=False)
    """What it shows as the status of those agents."""
    partial: bool = False
    outbox: dict[str, int] = attrs.Factory(dict[str, int])
    """What it keeps for the daemon: `answers`, `metadata`, `bytes`; whether it is `full`, `failing`."""


@frozen
class Alive:
    """A page's socket said whose it is. It has every live update up to the number `seen`; None: the page does
    not say, and the router does not know (any more).

    `here`: somebody at the page answered a roll call.
    """

    type: ClassVar = PacketType.ALIVE
    subject: WireId = attrs.field(metadata=_S, repr=False)
    seen: int | None = 0
    here: bool = False


@frozen
class RollCall:
    """The daemon asks an agent's page whether somebody is there; best effort, answered by `Alive(here)`."""

    type: ClassVar = PacketType.ROLL_CALL
    subject: WireId = attrs.field(metadata=_S, repr=False)
    within_s: float


@frozen
class LogError:
    """A page (or the router itself, with an empty subject) reports an error."""

    type: ClassVar = PacketType.LOG_ERROR
    subject: WireId = attrs.field(metadata=_S, repr=False)
    error: Any = None


@frozen
class Suspend:
    """The daemon goes away on purpose: keep pages calm for so long. `stopping`: it was told to stop."""

    type: ClassVar = PacketType.SUSPEND
    for_s: float
    stopping: bool = False


@frozen
class Part:
    """A piece of a packet too large for one."""

    type: ClassVar = PacketType.PART
    id: int
    index: int
    last: bool
    piece: bytes = attrs.field(repr=False)


Request = RegisterAgent | SubmitOnboarding | SubmitUnit | SubmitMetadata | ReturnUnit
Reply = AgentDetails | Answer
StreamUpdate = ClientBoundLiveUpdate | MephistoBoundLiveUpdate
Packet = (
    Hello
    | RegisterAgent
    | SubmitOnboarding
    | SubmitUnit
    | SubmitMetadata
    | ReturnUnit
    | AgentDetails
    | Answer
    | ClientBoundLiveUpdate
    | MephistoBoundLiveUpdate
    | Ack
    | UpdateStatus
    | RequestStatuses
    | ReturnStatuses
    | Alive
    | RollCall
    | LogError
    | Suspend
    | Part
)
