"""Personal links of workers, as the daemon tells of them."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Link:
    """A worker's personal address."""

    worker_name: str
    url: str


@dataclass(frozen=True, kw_only=True)
class RevokedLink:
    """A personal link that is refused from now on.

    `already`: it was before. `at_work`: so many agents hold a unit by it, still; from `ended` it was taken.
    """

    run: str
    worker_name: str
    already: bool
    at_work: int
    ended: int
