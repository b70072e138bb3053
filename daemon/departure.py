"""That the daemon was told to go, and how it is to leave its runs. Knows neither signals nor runs."""

import enum

import trio


class Manner(enum.Enum):
    """How the daemon leaves what it holds. Whatever it was, the next start takes all of it up."""

    STOP = "stop"
    """Who is at work has their grace, then everybody is told goodbye; units are kept."""
    SUSPEND = "suspend"
    """Nobody is told anything: routers keep pages calm until the daemon is back."""


class Departure:
    """One per life of a daemon: signals and the control socket tell it, the operator carries it out."""

    def __init__(self, restarts: bool = False) -> None:
        self.told = trio.Event()
        self.cut = trio.Event()
        """Told again: whatever is waited for, wait no longer."""
        self.restarts = restarts
        """Whether who started the daemon starts it again when it asks for it by its exit status."""
        self._manner: Manner | None = None

    @property
    def manner(self) -> Manner | None:
        """How it goes; None: nobody told it to."""
        return self._manner

    def leave(self, manner: Manner) -> bool:
        """Tell the daemon to go. The first word counts; False: it was going already."""
        if self._manner is not None:
            return False
        self._manner = manner
        self.told.set()
        return True
