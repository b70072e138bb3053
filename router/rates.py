"""How often is too often: a bucket for one sender, a minute's count for many addresses. Pure."""

import attrs

ADDRESSES_MAX = 50_000  # counted at once; beyond, the minute starts anew for all


@attrs.define(eq=False)
class Bucket:
    """Lets `per_s` things (or bytes) a second pass, and `burst` at once after a quiet time."""

    per_s: float
    burst: float
    _level: float = attrs.field(init=False, default=0.0)
    _at: float = attrs.field(init=False, default=0.0)

    def take(self, now: float, amount: float = 1) -> bool:
        """Whether one (or so much) more may pass now."""
        level = self._level - (now - self._at) * self.per_s
        if level < 0.0:
            level = 0.0
        self._at = now
        fits = level + amount <= self.burst
        self._level = level + amount if fits else level
        return fits


@attrs.define(eq=False)
class Minute:
    """Lets `most` things a minute pass for each address."""

    most: int
    _since: float = attrs.field(init=False, default=0.0)
    _counts: dict[str, int] = attrs.field(init=False, factory=dict[str, int])

    def take(self, address: str, now: float) -> bool:
        """Whether one more of this address may pass in this minute."""
        if self.full(address, now):
            return False
        self._counts[address] = self._counts.get(address, 0) + 1
        return True

    def full(self, address: str, now: float) -> bool:
        """Whether this address has used up its minute."""
        if now - self._since >= 60 or len(self._counts) > ADDRESSES_MAX:
            self._since = now
            self._counts.clear()
        return self._counts.get(address, 0) >= self.most
