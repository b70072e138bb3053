"""Restarting the daemon, as an upgrade does: it goes away unnoticed, and is waited for. Reloading it."""

import time

from . import shapes
from .asking import Asking
from .errors import ConnectionCut, DaemonUnreachable
from .reading import read

LOOK_AGAIN_S = 0.05


class Restarts(Asking):
    """What `Client` can do about the daemon's process."""

    def reload(self) -> "shapes.Reloaded":
        """Have the configuration read again. ReloadRefused, with all that is wrong: all stays as it was."""
        return read(shapes.Reloaded, self._connection.post("/reload", {}))

    def restart(self) -> "shapes.Restarting":
        """Let the daemon go away; who started it starts it again, if `restarts`. Refused: it is stopping."""
        epoch = self._status().epoch
        try:
            return read(shapes.Restarting, self._connection.post("/restart", {"epoch": epoch}))
        except ConnectionCut as cut:
            raise ConnectionCut(cut.message, "Look whether it was restarted: `crowdctl status`.") from cut

    def until_back(self, after_epoch: int, timeout_s: float = 60.0) -> "shapes.DaemonStatus":
        """What the next daemon on this store says of itself. DaemonUnreachable: none within the time."""
        give_up_at = time.monotonic() + timeout_s
        while True:
            try:
                status = self._status()
                if status.epoch > after_epoch:
                    return status
                trouble = DaemonUnreachable(
                    f"The daemon has not ended within {timeout_s:g} s.", "See its log."
                )
            except DaemonUnreachable as away:
                trouble = away
            if time.monotonic() > give_up_at:
                raise trouble
            time.sleep(LOOK_AGAIN_S)

    def _status(self) -> "shapes.DaemonStatus":
        return read(shapes.DaemonStatus, self._connection.get("/status"))
