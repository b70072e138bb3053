"""Who holds the daemon's runs: one face for all that staff and the service ask, and behind it its parts."""

from .operator import Operator

__all__ = ["Operator"]
