"""Which agent each registration was answered with: for when it comes again while the daemon is away. Pure."""

import hashlib
from typing import Any

from ..protocol.documents import canonical_json
from ..protocol.names import WireId
from ..protocol.newest import Newest
from .limits import REGISTRATIONS_KEPT_MAX


class Registrations:
    """By a digest of what a page says of itself: the same link (or registration id) and `after`."""

    def __init__(self) -> None:
        self._agents: Newest[bytes, WireId] = Newest(REGISTRATIONS_KEPT_MAX)

    def __len__(self) -> int:
        return len(self._agents)

    def answered(self, provider_data: dict[str, Any], agent: WireId) -> None:
        """Whoever says this is that agent; the longest unchanged of too many are forgotten."""
        self._agents.note(_key(provider_data), agent)

    def agent_of(self, provider_data: dict[str, Any]) -> WireId | None:
        """Who said this last."""
        return self._agents.get(_key(provider_data))


def _key(provider_data: dict[str, Any]) -> bytes:
    return hashlib.sha256(canonical_json(provider_data)).digest()[:16]
