"""What the daemon, while it is away, would say to the page of an agent that has ended. Pure.

Only what is certain is said. A page whose work was only interrupted waits for the daemon, and so does
everything that the daemon may still take: metadata, and an answer that it may have already. What follows an
onboarding is the daemon's to say.
"""

from ..protocol.answers import RETURNED
from ..protocol.names import (
    ONBOARDING_PREFIX,
    SENTENCES,
    SUBMITTED_AGENT,
    AgentStatus,
    Outcome,
    Reason,
    WireId,
)
from ..protocol.packets import AgentDetails, RegisterAgent, Request, ReturnUnit, SubmitUnit
from .agents import Known
from .answers import answer_of, refusal
from .commands import HttpAnswer
from .tickets import Caller

_REASONS = {
    AgentStatus.TIMEOUT: Reason.TIME_OVER,
    AgentStatus.RETURNED: Reason.RETURNED,
    AgentStatus.EXPIRED: Reason.EXPIRED,
    AgentStatus.PARTNER_DISCONNECT: Reason.PARTNER_LEFT,
}


def is_certain(known: Known | None) -> bool:
    """Whether this agent has ended for good: it may not be interrupted by a stop of the daemon."""
    if known is None or known.lives:
        return False
    return known.status is not AgentStatus.DISCONNECT or known.reason not in (None, Reason.SHUTDOWN)


def answer_for_ended(request: Request, known: Known | None) -> HttpAnswer | None:
    """What the page of this agent is told now; None: the daemon must be asked."""
    if known is None or not is_certain(known):
        return None
    match request:
        case ReturnUnit() if known.status is AgentStatus.RETURNED:
            return HttpAnswer(200, RETURNED)
        case SubmitUnit() if known.status in SUBMITTED_AGENT:
            return None  # it may be the same answer again, which the daemon calls saved
        case SubmitUnit() | ReturnUnit():
            reason = _reason(known)
            return refusal(reason, known.text or SENTENCES[reason], status=known.status)
        case _:
            return None


def details_for_ended(
    request: RegisterAgent, caller: Caller, agent: WireId, known: Known | None, wall_s: float
) -> HttpAnswer | None:
    """What is told to who registers as before, when this was their agent; None: the daemon must be asked."""
    if known is None or not is_certain(known) or agent.startswith(ONBOARDING_PREFIX):
        return None
    # Unchanged pages know one sentence for all ends; ours show how it ended, and offer "Next".
    reason = _reason(known) if caller.crowdd_client else Reason.TASK_MISSING
    text = known.text if caller.crowdd_client else None
    goes_on = "after" in request.provider_data
    details = AgentDetails(
        request.request,
        Outcome.OK if goes_on else Outcome.REFUSED,
        agent_id=agent if goes_on else None,
        failure_reason=text or SENTENCES[reason],
        reason=reason,
        status=known.status,
        finished=goes_on,
    )
    return answer_of(request, details, caller, wall_s)


def _reason(known: Known) -> Reason:
    if known.reason is not None:
        return known.reason
    if known.status in SUBMITTED_AGENT:
        return Reason.ALREADY_SUBMITTED
    return _REASONS.get(known.status, Reason.TASK_MISSING)
