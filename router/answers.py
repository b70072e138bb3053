"""Which HTTP answer a page gets: the daemon's replies and our own refusals, in both dialects. Pure.

Pages of `mephisto-task` know no error path, so whatever `/request_agent` and `/submit_onboarding` have to say
comes as 200 with an `agent_details` packet. Pages that send X-Crowdd-Client get statuses that mean something.
"""

import math
from collections.abc import Mapping
from typing import Any

from ..protocol.answers import RETURNED, SUBMITTED, SUBMITTED_METADATA, agent_details_packet
from ..protocol.limits import RETRY_AFTER_S
from ..protocol.names import SENTENCES, AgentStatus, Outcome, Reason
from ..protocol.packets import (
    AgentDetails,
    RegisterAgent,
    Reply,
    Request,
    SubmitMetadata,
    SubmitOnboarding,
    SubmitUnit,
)
from .commands import HttpAnswer
from .tickets import Caller

_STATUS_OF = {
    Reason.BAD_REQUEST: 400,
    Reason.IDENTITY_UNVERIFIED: 403,
    Reason.BLOCKED: 403,
    Reason.NOT_QUALIFIED: 403,
    Reason.UNKNOWN_AGENT: 404,
    Reason.TOO_LARGE: 413,
    Reason.FILE_TYPE: 415,
    Reason.TOO_MANY_REQUESTS: 429,
    Reason.TRY_LATER: 503,
    Reason.PAUSED: 503,
    Reason.SHUTDOWN: 503,
}
"""Every other reason is a conflict with how things stand: 409."""

_PASSING = (429, 503)


def refusal(
    reason: Reason,
    text: str | None = None,
    retry_after_s: float | None = None,
    status: AgentStatus | None = None,
    path: str | None = None,
) -> HttpAnswer:
    """A JSON error: `reason` for programs, `text` for people, the agent's `status` where one is known."""
    code = _STATUS_OF.get(reason, 409)
    wait = _whole_seconds(retry_after_s, code)
    more = {"status": status.value if status else None, "retry_after_s": wait, "path": path or None}
    body = {"reason": reason.value, "text": text or SENTENCES[reason]}
    return HttpAnswer(code, body | {key: value for key, value in more.items() if value is not None}, wait)


def answer_of(request: Request, reply: Reply, caller: Caller, wall_s: float) -> HttpAnswer:
    """What the daemon's reply to this request means for its page."""
    if isinstance(reply, AgentDetails):
        return _details(reply, caller, wall_s)
    if reply.outcome is Outcome.OK:
        return HttpAnswer(200, done(request))
    reason = reply.reason or _default_reason(reply.outcome)
    return refuse_request(request, caller, wall_s, reason, reply.text, reply.retry_after_s, reply.status)


def done(request: Request) -> Mapping[str, Any]:
    """What a page is told once its request is done."""
    match request:
        case SubmitUnit():
            return SUBMITTED
        case SubmitMetadata():
            return SUBMITTED_METADATA
        case _:
            return RETURNED


def refuse_request(
    request: Request,
    caller: Caller,
    wall_s: float,
    reason: Reason,
    text: str | None = None,
    retry_after_s: float | None = None,
    status: AgentStatus | None = None,
) -> HttpAnswer:
    """A refusal in the shape that the page which asked can read."""
    if not isinstance(request, RegisterAgent | SubmitOnboarding):
        return refusal(reason, text, retry_after_s, status)
    outcome = Outcome.TRY_LATER if _STATUS_OF.get(reason) in _PASSING else Outcome.REFUSED
    details = AgentDetails(
        request=request.request,
        outcome=outcome,
        failure_reason=text,
        reason=reason,
        retry_after_s=retry_after_s,
        status=status,
    )
    return _details(details, caller, wall_s)


def in_words(answer: HttpAnswer, wall_s: float) -> HttpAnswer:
    """A JSON error as the `agent_details` in which an unchanged page can read it."""
    details = AgentDetails("", Outcome.REFUSED, failure_reason=str(answer.body["text"]))
    return HttpAnswer(200, agent_details_packet(details, wall_s, crowdd_client=False))


def _details(reply: AgentDetails, caller: Caller, wall_s: float) -> HttpAnswer:
    packet = agent_details_packet(reply, wall_s, caller.crowdd_client)
    if reply.outcome is Outcome.OK or not caller.crowdd_client:
        return HttpAnswer(200, packet)
    code = _STATUS_OF.get(reply.reason or _default_reason(reply.outcome), 409)
    if reply.outcome is Outcome.TRY_LATER and code not in _PASSING:
        code = 503
    return HttpAnswer(code, packet, _whole_seconds(reply.retry_after_s, code))


def _default_reason(outcome: Outcome) -> Reason:
    return Reason.TRY_LATER if outcome is Outcome.TRY_LATER else Reason.NOT_QUALIFIED


def _whole_seconds(retry_after_s: float | None, code: int) -> int | None:
    if code not in _PASSING:
        return None
    return max(1, math.ceil(RETRY_AFTER_S if retry_after_s is None else retry_after_s))
