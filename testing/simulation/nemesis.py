"""Carries out planned faults on the simulated world, and heals them."""

from collections.abc import Sequence

import attrs
import trio

from ...daemon.departure import Manner
from .browser import Air
from .daemon import SimulatedDaemon
from .disk import StoreDisk
from .faults import Fault, Faults, Planned
from .router import SimulatedRouter
from .wire import Weather


@attrs.frozen
class Targets:
    """What can break."""

    routers: Sequence[SimulatedRouter]
    daemon: SimulatedDaemon
    air: Air


async def go_wrong(faults: Faults, planned: Sequence[Planned], targets: Targets) -> None:
    """Let everything happen that is planned, from now on; when this returns, all is healed."""
    began = trio.current_time()
    calm = attrs.evolve(targets.air)
    targets.air.lost, targets.air.socket_s = faults.lost_requests, faults.socket_s
    async with trio.open_nursery() as nursery:
        for one in planned:
            await trio.sleep_until(began + one.at)
            nursery.start_soon(_happen, one, targets)
        await trio.sleep_until(began + faults.over_s)
    targets.air.lost, targets.air.socket_s = calm.lost, calm.socket_s


async def _happen(one: Planned, targets: Targets) -> None:
    router = targets.routers[one.router]
    match one.fault:
        case Fault.CUT_LINK:
            router.cut()
        case Fault.CLOSE_ROAD:
            router.cut()
            await _worsen(router.weather, "closed", one.lasts_s)
        case Fault.MUTE_ROUTER:
            await _worsen(router.weather, "mute_up", one.lasts_s)
        case Fault.MUTE_DAEMON:
            await _worsen(router.weather, "mute_down", one.lasts_s)
        case Fault.KILL_ROUTER:
            router.restart(one.lasts_s)
        case Fault.KILL_DAEMON:
            targets.daemon.kill(one.lasts_s)
        case Fault.STOP_DAEMON:
            targets.daemon.stop(one.lasts_s)
        case Fault.RESTART_DAEMON:
            targets.daemon.stop(one.lasts_s, Manner.SUSPEND)
        case Fault.FILL_DISK:
            await _worsen(targets.daemon.disk, "full", one.lasts_s)
        case Fault.FAIL_DISK:
            targets.daemon.disk.failing = True
        case Fault.BREAK_DISK:
            spool = router.disk.spool
            spool.broken += 1
            await trio.sleep(one.lasts_s)
            spool.broken -= 1
        case Fault.OFFLINE:
            targets.air.go_offline()
            await trio.sleep(one.lasts_s)
            targets.air.come_back()


async def _worsen(what: Weather | StoreDisk, how: str, lasts_s: float) -> None:
    setattr(what, how, getattr(what, how) + 1)
    await trio.sleep(lasts_s)
    setattr(what, how, getattr(what, how) - 1)
