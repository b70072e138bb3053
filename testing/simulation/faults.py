"""What goes wrong in the simulated world, and when: drawn from a seed, then carried out one by one."""

import enum
import random

import attrs


class Fault(enum.Enum):
    """One kind of thing that goes wrong."""

    CUT_LINK = "the connection between daemon and router breaks"
    CLOSE_ROAD = "no connection between them can be had for a while"
    MUTE_ROUTER = "what the router says vanishes for a while"
    MUTE_DAEMON = "what the daemon says vanishes for a while"
    KILL_ROUTER = "the router dies and comes back with what is on its disk"
    KILL_DAEMON = "the daemon dies and comes back with its store"
    STOP_DAEMON = "the daemon is stopped as by SIGTERM, and started again"
    RESTART_DAEMON = "staff restart the daemon, and nobody is told"
    FILL_DISK = "there is no space left under the daemon's store for a while"
    FAIL_DISK = "a write to the daemon's store fails, and nobody knows whether it is there"
    BREAK_DISK = "the router's disk takes nothing for a while"
    OFFLINE = "half of the workers have no network for a while"


@attrs.frozen
class Faults:
    """How much goes wrong. After `over_s` virtual seconds everything is healed and stays so."""

    kinds: tuple[Fault, ...] = ()
    count: int = 0
    over_s: float = 0.0
    lost_requests: float = 0.0
    """Share of the pages' requests that lose their connection, before or after they were heard."""
    socket_s: float = float("inf")
    """Mean life of a page's socket."""


NO_FAULTS = Faults()
_OURS = tuple(fault for fault in Fault if fault is not Fault.OFFLINE)
ALL_FAULTS = Faults(_OURS, count=12, over_s=400.0, lost_requests=0.05, socket_s=120.0)
LIVE_FAULTS = Faults(tuple(Fault), count=14, over_s=400.0, lost_requests=0.05, socket_s=60.0)
_LASTS_S = (0.5, 40.0)  # longer than a link may be silent, so that both sides of that limit are seen


@attrs.frozen
class Planned:
    """One fault at its time."""

    at: float
    fault: Fault
    router: int
    lasts_s: float


def plan_faults(faults: Faults, routers: int, rng: random.Random) -> list[Planned]:
    """The faults in the order of their times. The last ones end with `over_s`, whatever they are."""
    planned = [
        Planned(
            at=rng.uniform(0, faults.over_s),
            fault=rng.choice(faults.kinds),
            router=rng.randrange(routers),
            lasts_s=rng.uniform(*_LASTS_S),
        )
        for _ in range(faults.count if faults.kinds else 0)
    ]
    planned.sort(key=lambda one: one.at)
    return [attrs.evolve(one, lasts_s=min(one.lasts_s, faults.over_s - one.at)) for one in planned]
