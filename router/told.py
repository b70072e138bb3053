"""What a page that confirms nothing by itself was told: its heartbeats confirm, a moment later. Pure."""

import attrs

from .limits import UNDER_WAY_S


@attrs.define(eq=False)
class Told:
    """Of one socket. A heartbeat proves what was told well before it: it may have been under way by then."""

    _before: int = 0
    _since: float = 0.0
    _highest: int | None = None
    """Of what was told since then, within `UNDER_WAY_S`."""

    def tell(self, number: int, now: float) -> None:
        """The page is being sent the update of this number."""
        if self._highest is None or now - self._since >= UNDER_WAY_S:
            self._before = max(self._before, self._highest or 0)
            self._since, self._highest = now, number
        else:
            self._highest = max(self._highest, number)

    def proved(self, now: float) -> int:
        """A heartbeat came: up to which number the page has everything that it was told."""
        if self._highest is not None and now - self._since >= 2 * UNDER_WAY_S:
            self._before, self._highest = max(self._before, self._highest), None
        return self._before
