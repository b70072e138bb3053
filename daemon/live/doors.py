"""Where packets of live work go when a run has a stage for its units and one for its onboardings."""

from collections.abc import Mapping
from typing import Protocol

from ...protocol.names import ONBOARDING_PREFIX, WireId
from .line import LiveLink, LivePacket


class LiveDoor(Protocol):
    """Where the packets of live work go."""

    def check(self, link: LiveLink) -> None:
        """Asked before a frame is read. RemoteProtocolError: too much of this router is held already."""
        ...

    def take(self, link: LiveLink, packet: LivePacket) -> None:
        """A packet about live work; never waits."""
        ...

    def hear_presence(self, presence: Mapping[str, str], present: str) -> None:
        """What a router says of whose page is there; `present` is its word for it."""
        ...


class LiveDoors:
    """To each stage what is about its own agents: their ids say which these are."""

    def __init__(self, units: LiveDoor, onboardings: LiveDoor) -> None:
        self._units = units
        self._onboardings = onboardings

    def check(self, link: LiveLink) -> None:
        """Asked before a frame is read. RemoteProtocolError: too much of this router is held already."""
        self._units.check(link)
        self._onboardings.check(link)

    def take(self, link: LiveLink, packet: LivePacket) -> None:
        """A packet about live work; never waits."""
        self._of(packet.subject).take(link, packet)

    def hear_presence(self, presence: Mapping[str, str], present: str) -> None:
        """What a router says of whose page is there; `present` is its word for it."""
        for door in (self._units, self._onboardings):
            own = {name: said for name, said in presence.items() if self._of(name) is door}
            door.hear_presence(own, present)

    def _of(self, wire_id: WireId | str) -> LiveDoor:
        return self._onboardings if wire_id.startswith(ONBOARDING_PREFIX) else self._units
