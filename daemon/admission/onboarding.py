"""Where a worker stands with the onboarding of a run. Pure.

The grant is the truth: a worker who failed stays failed, in this run and the next, until staff revoke it.
"""

import enum
from collections.abc import Mapping

from ...protocol.names import LIVE_AGENT, AgentStatus

PASSED_VALUE, FAILED_VALUE = 1, 0
FAILED_SUFFIX = "-failed"


class OnboardingState(enum.Enum):
    """What is to be done about a worker's onboarding."""

    NOT_ASKED = "not asked"
    NEEDED = "needed"
    UNDER_WAY = "under way"
    PASSED = "passed"
    FAILED = "failed"


def failed_name(qualification: str) -> str:
    """The qualification that a worker who failed is granted beside the onboarding's own value 0."""
    return qualification + FAILED_SUFFIX


def onboarding_state(
    qualification: str | None, grants: Mapping[str, int], newest: AgentStatus | None
) -> OnboardingState:
    """`qualification`: the run's (None: it does not onboard); `newest`: the worker's last try in this run."""
    if qualification is None:
        return OnboardingState.NOT_ASKED
    granted = grants.get(qualification)
    if granted is not None:
        return OnboardingState.PASSED if granted > FAILED_VALUE else OnboardingState.FAILED
    if newest is not None and newest in LIVE_AGENT:
        return OnboardingState.UNDER_WAY
    return OnboardingState.NEEDED
