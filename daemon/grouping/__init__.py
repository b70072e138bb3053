"""Carries out what becomes of groups: the waiting room, simulated partners, empty seats. `groups` decides."""

from .keeper import GroupKeeper, Room
from .opening import KeeperNeeds, make_keeper
from .seats import is_simulated

__all__ = ["GroupKeeper", "KeeperNeeds", "Room", "is_simulated", "make_keeper"]
