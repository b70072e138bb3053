"""A router process that is kept ready: it has everything imported, and waits to be told which router it is.

Until then it holds nothing: no lock, no port, no folder. It waits at a socket that only we hold, so it ends
when we end, however that is. What is said there is in `supervision/handover.py`.
"""

import socket
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import trio

from ...supervision.handover import READY, TAKEN, hand_over
from .detached import Detached, start_waiting

HAND_OVER_S = 5.0  # one that was just started needs its imports; a new one would need them, too


class Spare:
    """One such process."""

    def __init__(self, process: Detached, door: socket.socket) -> None:
        self.process = process
        self._door = door

    async def become(self, config: Path, lock: int, log: int) -> bool:
        """Have it be the router with this config, which holds the lock and adds to the log; whether it is.

        It is told once. False: it has ended, or may be anything: `process` is to be ended. Cancelled: it is
        that router, or ends by itself.
        """
        try:
            with suppress(OSError), trio.move_on_after(HAND_OVER_S):
                if await self._says(READY):
                    hand_over(self._door, config, lock, log)
                    return await self._says(TAKEN)
            return False
        finally:
            self.let_go()

    async def _says(self, word: bytes) -> bool:
        await trio.lowlevel.wait_readable(self._door)
        return self._door.recv(len(word)) == word

    def let_go(self) -> None:
        """Have it end, unless it was told what it is."""
        self._door.close()


def start_spare(argv: list[str], environment: Mapping[str, str]) -> Spare:
    """Start the program, which is to wait. OSError."""
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with its:
        try:
            ours.setblocking(False)
            return Spare(start_waiting(argv, its.fileno(), environment), ours)
        except BaseException:
            ours.close()
            raise
