"""What pages are told about the daemon's life: `last_mephisto_ping`. Pure."""

from ..protocol.limits import PAGES_CALM_S


class Pulse:
    """When the daemon was last known to live, seen generously: a page that hears "20 s ago" closes for good.

    While the link is up its frames count. After it was lost the daemon counts as alive for `PAGES_CALM_S`, or
    as long as it announced; a router that just started knows nothing and is calm as well.
    """

    def __init__(self, now: float) -> None:
        self._heard = now
        self._calm_until = now + PAGES_CALM_S

    def heard(self, now: float) -> None:
        """Something came over the link."""
        self._heard = now

    def lost(self, now: float) -> None:
        """The link is gone."""
        self._heard = now
        self._calm_until = max(self._calm_until, now + PAGES_CALM_S)

    def announced(self, for_s: float, now: float) -> None:
        """The daemon goes away on purpose for so long."""
        self._calm_until = max(self._calm_until, now + for_s)

    def age_s(self, now: float) -> float:
        """How many seconds ago the daemon lived, as pages shall see it."""
        return max(0.0, now - max(self._heard, min(now, self._calm_until)))

    def ping_ms(self, now: float, browser_s: float | None, wall_s: float) -> int:
        """The same as milliseconds on the browser's clock (or ours, when it did not say)."""
        return round(((wall_s if browser_s is None else browser_s) - self.age_s(now)) * 1000)
