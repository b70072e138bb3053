"""The control API: HTTP over the daemon's Unix socket, for crowdctl and other programs of staff."""

from .service import ControlSocketTaken, serve_control

__all__ = ["ControlSocketTaken", "serve_control"]
