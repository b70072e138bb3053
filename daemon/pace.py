"""The daemon's own times, as its operator may set them."""

import attrs

from .structuring import Seconds


@attrs.frozen
class Pace:
    """The daemon's own times, in seconds; simulation shortens them."""

    linger_s: Seconds = 600.0
    """How long an ended run still answers late pages (post-task answers, "this task has ended")."""
    settle_s: Seconds = 60.0
    """After a start, nobody is timed out for so long, or until every router has said what it kept."""
    goodbye_s: Seconds = 8.0
    """How long telling every page may take at a shutdown, after the grace."""
    suspend_s: Seconds = 120.0
    """How long routers keep pages calm while the daemon is away on purpose."""
