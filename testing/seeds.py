"""Many simulated worlds, one a seed: some time of faults, some of healing, and all promises checked.

Each world is one daemon, two routers and 64 workers. Which kind of work they do is drawn from the seed, and
so is everything else: a seed that finds something does so again.
"""

import contextlib
import logging
import os
import time
from collections.abc import Generator, Iterable, Iterator
from functools import partial
from multiprocessing import get_context
from multiprocessing.pool import Pool
from typing import Any

import attrs

from .checker import Violation
from .simulation.faults import Fault, Faults
from .simulation.live import ECHO, PAIRS
from .world import CROWD, Hours, SimulationReport, rehearse, sqlite_store

WORKERS, ROUTERS = 64, 2
UNITS_PER_S = 8.0  # more than they can do
FAULTS_S, HEALING_S = 60.0, 30.0
STOPPING_S = 6.0  # a daemon that is stopped last has said goodbye by then, and is back
CROWD_IN_A_HURRY = attrs.evolve(CROWD, arrive_s=15.0, think_s=8.0, socket=0.6, pause_s_max=5.0)
FAULT_EVERY_S = 6.0
FAULTS = Faults(tuple(Fault), lost_requests=0.05, socket_s=30.0)
LIMITS = "assignment_duration_s = {:g}\ngrace_s = 4\nrejoin_s = 20\n"
SHORT_S, LONG_S = 40.0, 300.0  # some run out of time; a group may not while it still waits

Scene = dict[str, Any]
SCENES: dict[str, Scene] = {
    "static": {},
    "gold": {"qualified": "gold"},
    "screening on disk": {"qualified": "screening", "make_store": sqlite_store},
    "talk": {"live": ECHO},
    "pairs": {"live": PAIRS},
    "talk on disk": {"live": ECHO, "make_store": sqlite_store},
    "static on disk": {"make_store": sqlite_store},
    "onboarded by code": {"live": ECHO, "onboarded": True},
    "unchanged pages": {"live": ECHO, "unchanged": 1.0},
}
"""What goes on in a world, by name; what is given to `simulate` for it."""


@attrs.frozen
class SeedReport:
    """What came of one seed."""

    seed: int
    scene: str
    violations: list[Violation]
    calls: int
    """Requests of pages, and what they said and were told."""
    virtual_s: float
    cpu_s: float


def run_seed(seed: int, faults_s: float = FAULTS_S, healing_s: float = HEALING_S) -> SeedReport:
    """Let the world of this seed go by, and check it. Not inside trio."""
    scene = [*SCENES][seed % len(SCENES)]
    began = time.process_time()
    report = rehearse_scene(seed, scene, faults_s, healing_s)
    return SeedReport(
        seed,
        scene,
        report.violations,
        len(report.history),
        report.lasted_s,
        time.process_time() - began,
    )


def rehearse_scene(
    seed: int, scene: str, faults_s: float = FAULTS_S, healing_s: float = HEALING_S
) -> SimulationReport:
    """The whole report of a seed: its history and what the store held."""
    more = SCENES[scene]
    duration_s = LONG_S if more.get("live") == PAIRS else SHORT_S
    faults = attrs.evolve(FAULTS, count=round(faults_s / FAULT_EVERY_S), over_s=faults_s - STOPPING_S)
    hours = Hours(faults_s + healing_s, STOPPING_S, healing_s, LIMITS.format(duration_s))
    units = round(UNITS_PER_S * (faults_s + healing_s))
    with _quiet():
        return rehearse(
            seed, WORKERS, units, faults, crowd=CROWD_IN_A_HURRY, routers=ROUTERS, hours=hours, **more
        )


@contextlib.contextmanager
def open_pool() -> Generator[Pool]:
    """As many processes as there are processors; for many `run_seeds`: each has to import everything."""
    # Spawned: a fork of a process with threads may hang.
    with get_context("spawn").Pool(len(os.sched_getaffinity(0))) as pool:
        yield pool


def run_seeds(
    pool: Pool, seeds: Iterable[int], faults_s: float = FAULTS_S, healing_s: float = HEALING_S
) -> Iterator[SeedReport]:
    """Every seed's report, as they come."""
    yield from pool.imap_unordered(partial(run_seed, faults_s=faults_s, healing_s=healing_s), seeds)


@contextlib.contextmanager
def _quiet() -> Generator[None]:
    """Faults are what it is about: a line for each would bury what matters."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)
