"""What `systemctl status` shows of the daemon: what it does, and what is missing."""

from collections.abc import Sequence

from ..supervision.notify import Notifier
from .degraded import Degradation, Degraded

LINE_CHARACTERS_MAX = 300  # one line on a terminal, or two


class StatusLine:
    """Says STATUS= to systemd, again whenever what the daemon does or lacks has changed."""

    def __init__(self, notifier: Notifier, degraded: Degraded) -> None:
        self._notifier = notifier
        self._degraded = degraded
        self._doing = "starting"

    def say(self, doing: str, **fields: str | int) -> None:
        """The daemon does this from now on; `fields` are told with it, in one message."""
        self._doing = doing
        self._notifier.say(**fields, status=status_line(doing, self._degraded.now()))

    async def keep(self) -> None:
        """Tell of what is missing whenever that changes, until cancelled."""
        while True:
            await self._degraded.until_changed()
            self.say(self._doing)


def status_line(doing: str, missing: Sequence[Degradation]) -> str:
    """The line: what the daemon does, or since when it is degraded, and by what."""
    if not missing:
        return doing
    words = "; ".join(f"since {each.since.astimezone():%H:%M:%S}, {_named(each)}" for each in missing)
    return f"{doing}; degraded {words}"[:LINE_CHARACTERS_MAX]


def _named(each: Degradation) -> str:
    return f"{each.about}: {each.words}" if each.about else each.words
