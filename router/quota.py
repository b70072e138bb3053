"""How much all outboxes of one router may hold together. Pure."""

from .limits import OUTBOX_BYTES_MAX, OUTBOX_CALM


class Quota:
    """Shared by the runs of a router. Full is said once, and once that there is room again."""

    def __init__(self, bytes_max: int = OUTBOX_BYTES_MAX) -> None:
        self.bytes_max = bytes_max
        self.held = 0
        self.is_full = False
        """Whether something was turned away since there was room last."""

    def has_room(self, size: int) -> bool:
        """Whether so much more may be kept."""
        return self.held + size <= self.bytes_max

    def take(self, size: int) -> None:
        """So much more is kept (or was, before this start: then there may be more than fits)."""
        self.held += size

    def give_back(self, size: int) -> None:
        """So much is not kept any more."""
        self.held -= size
        if self.held <= self.bytes_max * OUTBOX_CALM:
            self.is_full = False
