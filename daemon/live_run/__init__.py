"""One task run while the daemon holds it: its face is `LiveRun`, its parts are put together by its `Crew`."""

from .live_run import LiveRun
from .routers import DEPLOYED

__all__ = ["DEPLOYED", "LiveRun"]
