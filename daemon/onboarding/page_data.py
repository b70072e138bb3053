"""What is kept with an onboarding agent for its page: the same at every reload. Pure."""

from collections.abc import Mapping
from typing import Any

import attrs

from ...storage.records import OnboardingAgent


@attrs.frozen
class PageData:
    """What the page is filled with, and what the provider wants kept with the worker's agents."""

    page: Mapping[str, Any]
    provider: Mapping[str, Any]

    def stored(self) -> dict[str, Any]:
        """As it is kept in the agent's `provider_data`."""
        return {"page": dict(self.page), "provider": dict(self.provider)}


def page_data_of(agent: OnboardingAgent) -> PageData:
    """What was kept with the agent."""
    kept = agent.provider_data
    return PageData(kept.get("page", {}), kept.get("provider", {}))
