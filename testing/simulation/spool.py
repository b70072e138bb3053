"""The outbox of a simulated router on its disk: slow, sometimes full or broken, and it survives kills."""

import random

import attrs
import trio

from ...protocol.codec import decode_packet
from ...protocol.packets import SubmitMetadata, SubmitUnit
from ...router.commands import Command, Kept, Load, SetAside, Spool, SpoolCommand, Unspool
from ...router.desk import Desk
from ...router.run import RouterRun

SLOW_S = (0.001, 0.05)  # what writing or reading takes
CUT_SHORT = 0.5  # share of the writes under way that are on disk when the router dies


@attrs.define(eq=False)
class SpoolDisk:
    """What is kept, whatever becomes of the router."""

    kept: dict[int, tuple[Kept, bytes]] = attrs.Factory(dict[int, tuple[Kept, bytes]])
    set_aside: list[Kept] = attrs.Factory(list[Kept])
    broken: int = 0
    """How many faults keep anything from being written at present."""

    def load(self) -> list[Kept]:
        """What a new life of the router finds."""
        return [kept for kept, _ in self.kept.values()]

    async def carry_out(self, desk: Desk, command: SpoolCommand, rng: random.Random) -> None:
        """Do it, after a while; cancelled, it was done or was not."""
        try:
            await trio.sleep(rng.uniform(*SLOW_S))
        except trio.Cancelled:
            if rng.random() < CUT_SHORT:
                self._do(desk.run, command)
            raise
        desk.carry_out(self._do(desk.run, command))

    def _do(self, run: RouterRun, command: SpoolCommand) -> list[Command]:
        number, now = command.kept.number, trio.current_time()
        match command:
            case Spool():
                if not self.broken:
                    self.kept[number] = command.kept, command.packet
                return run.spooled(number, "the simulated disk is broken" if self.broken else None, now)
            case Load():
                packet = decode_packet(self.kept[number][1])
                assert isinstance(packet, SubmitUnit | SubmitMetadata)
                return run.loaded(number, packet, now)
            case Unspool():
                del self.kept[number]
            case SetAside():
                self.set_aside.append(self.kept.pop(number)[0])
        return run.unspooled(number, now)
