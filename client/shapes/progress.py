"""A run as it goes on."""

from dataclasses import dataclass

from .runs import Progress


@dataclass(frozen=True, kw_only=True)
class Snapshot(Progress):
    """One line of `watch`; `per_minute` is None until it has been watched for a moment."""

    run: str
    id: int
    per_minute: float | None

    @property
    def is_open(self) -> bool:
        """Workers can come: a router serves its pages."""
        return self.address is not None and self.state != "launching" and any(r.up for r in self.routers)
