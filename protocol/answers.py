"""What a router says to browsers, as JSON: packets of seven keys, as pages of `mephisto-task` know them."""

from typing import Any

from .browser import SocketPacket, SocketType
from .limits import RETRY_AFTER_S
from .names import SENTENCES, AgentStatus, Outcome, PacketType, Reason, WireId
from .packets import AgentDetails, ClientBoundLiveUpdate, RollCall, UpdateStatus

SUBMITTED = {"status": "Submitted!"}
SUBMITTED_METADATA = {"status": "Submitted metadata"}
ERROR_LOG_SENT = {"status": "Error log sent!"}
RETURNED = {"status": "Returned"}
_LIVE_UPDATE, _ACK = PacketType.CLIENT_BOUND_LIVE_UPDATE.value, PacketType.ACK.value


def browser_packet(
    packet_type: str,
    subject: str,
    data: dict[str, Any],
    now: float,
    *,
    client_timestamp: float | None = None,
    incoming: float | None = None,
) -> dict[str, Any]:
    """The seven keys of every packet to a page. `now` is wall-clock seconds; `incoming` when it was asked."""
    return {
        "packet_type": packet_type,
        "subject_id": subject,
        "data": data,
        "client_timestamp": client_timestamp,
        "router_incoming_timestamp": now if incoming is None else incoming,
        "router_outgoing_timestamp": now,
        "server_timestamp": now,
    }


def agent_details_packet(details: AgentDetails, now: float, crowdd_client: bool) -> dict[str, Any]:
    """The answer to /request_agent and /submit_onboarding. A refusal always says why, in words."""
    data: dict[str, Any] = {
        "request_id": details.request,
        "worker_id": details.worker_id,
        "agent_id": details.agent_id,
        "init_task_data": details.init_task_data,
        "failure_reason": details.failure_reason or _failure_reason(details),
    }
    if crowdd_client:
        data |= {
            "reason": _value(details.reason),
            "retry_after_s": details.retry_after_s,
            "status": _value(details.status),
            "time_left_s": details.time_left_s,
            "finished": details.finished,
            "seen": details.seen,
            "waiting": details.waiting,
        }
    return browser_packet(PacketType.AGENT_DETAILS.value, details.request, data, now)


def _failure_reason(details: AgentDetails) -> str | None:
    match details.outcome:
        case Outcome.OK:
            return None
        case Outcome.REFUSED:
            return SENTENCES[details.reason or Reason.NOT_QUALIFIED]
        case Outcome.TRY_LATER:
            wait_s = RETRY_AFTER_S if details.retry_after_s is None else details.retry_after_s
            return f"We cannot take you in at this moment. Please try again in {wait_s:.0f} seconds."


def _value(word: Reason | AgentStatus | None) -> str | None:
    return None if word is None else word.value


def update_status_packet(update: UpdateStatus, now: float) -> dict[str, Any]:
    """An agent's status for its page; `reason` and `text` only where there are any."""
    words = {"reason": _value(update.reason), "text": update.text}
    data = {"status": update.status.value, **{key: word for key, word in words.items() if word is not None}}
    return browser_packet(PacketType.UPDATE_STATUS.value, update.subject, data, now)


def heartbeat_packet(
    asked: SocketPacket, subject: WireId, status: AgentStatus, last_mephisto_ping_ms: int, now: float
) -> dict[str, Any]:
    """Answer a page's heartbeat. The ping is the daemon's last sign of life, on the browser's clock."""
    data = {"last_mephisto_ping": last_mephisto_ping_ms, "status": status.value}
    return browser_packet(
        SocketType.HEARTBEAT.value, subject, data, now, client_timestamp=asked.client_timestamp, incoming=now
    )


def live_update_packet(packet: ClientBoundLiveUpdate, now: float) -> dict[str, Any]:
    """A live update for a page. Pages drop repeats by `update_id`, so there is always one."""
    data = {"update_id": f"{packet.epoch}-{packet.sequence}", **packet.update}
    told = browser_packet(_LIVE_UPDATE, packet.subject, data, now)
    if packet.number:
        told["number"] = packet.number
    return told


def stored_packet(subject: WireId, page: str, number: int, now: float) -> dict[str, Any]:
    """The daemon has stored everything that this load of the page sent up to this number; for crowdd.js."""
    return browser_packet(_ACK, subject, {"page": page, "number": number}, now)


def roll_call_packet(call: RollCall, now: float) -> dict[str, Any]:
    """Ask who is at the page to say so within some seconds; for crowdd.js."""
    return browser_packet(PacketType.ROLL_CALL.value, call.subject, {"within_s": call.within_s}, now)
