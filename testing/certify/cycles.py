"""What is killed or stands still, and when: one plan for each scene, from its seed. Pure."""

import random
from collections.abc import Sequence

import attrs

DAEMON, ROUTER, BROWSERS = "daemon", "router", "browsers"
VICTIMS = {DAEMON: 0.6, ROUTER: 0.35, BROWSERS: 0.25}
"""How often each is among those who die."""
AT_ONCE = 0.35  # of all cycles: the next strike comes while what died is still coming back
WORKS_S = (0.0, 0.08)  # how long there is work between the first answer and the strike
COMES_BACK_S = (0.0, 0.12)  # a strike within this time of a start hits its recovery
APART_S = 0.02  # those who die together die within so long
AWAY = 0.05  # of all cycles: the daemon is away for a while, routers keep answers for it, then another dies
AWAY_S = (0.3, 1.2)
HALTED = 0.015  # of all cycles: the router stands still for a while, and goes on with whatever came meanwhile
HALTED_S = (0.3, 3.0)  # after two its daemon counts as silent, once it goes on
DIES_MEANWHILE = 0.5  # of these: the daemon is killed while the router stands still
CYCLES_PER_SCENE = 50


@attrs.frozen
class Strike:
    """One process is killed, so long after the cycle began."""

    victim: str
    after_s: float


@attrs.frozen
class Cycle:
    """Wait for an answer (or not), have the router stand still (or not), kill, start again."""

    answered: bool
    """Whether somebody must have been answered since the last strike before the clock of this one runs."""
    strikes: Sequence[Strike]
    """In the order of their times."""
    real: bool = False
    """Whether what died is started by exec."""
    halted_s: float = 0.0
    """So long the router stands still (SIGSTOP); what dies meanwhile is started again meanwhile."""


@attrs.frozen
class ScenePlan:
    """One scene: its seed, and all that happens in it."""

    seed: int
    cycles: Sequence[Cycle]


def plan_scenes(seed: int, cycles: int, real: int) -> list[ScenePlan]:
    """So many cycles, in scenes of at most CYCLES_PER_SCENE; `real` of them spread evenly."""
    scenes: list[ScenePlan] = []
    for first in range(0, cycles, CYCLES_PER_SCENE):
        count = min(CYCLES_PER_SCENE, cycles - first)
        of_scene = seed + len(scenes)
        rng = random.Random(f"{of_scene} kills")  # noqa: S311  # repeatable on purpose
        reals = [_is_real(first + number, cycles, real) for number in range(count)]
        scenes.append(ScenePlan(of_scene, [_cycle(rng, each) for each in reals]))
    return scenes


def _is_real(number: int, cycles: int, real: int) -> bool:
    """Evenly spread: the number of real ones up to each cycle is the right share."""
    return (number + 1) * real // cycles > number * real // cycles


def _cycle(rng: random.Random, real: bool) -> Cycle:
    chance = rng.random()
    if chance < AWAY:
        other = rng.choice([ROUTER, BROWSERS])
        return Cycle(True, [Strike(DAEMON, 0.0), Strike(other, rng.uniform(*AWAY_S))], real)
    if chance < AWAY + HALTED:
        return _halt(rng, real)
    victims = [victim for victim, share in VICTIMS.items() if rng.random() < share]
    victims = victims or [rng.choice(list(VICTIMS))]
    answered = rng.random() >= AT_ONCE
    at = rng.uniform(*(WORKS_S if answered else COMES_BACK_S))
    strikes = [Strike(victim, at + rng.uniform(0, APART_S)) for victim in victims]
    return Cycle(answered, sorted(strikes, key=lambda strike: strike.after_s), real)


def _halt(rng: random.Random, real: bool) -> Cycle:
    halted_s = rng.uniform(*HALTED_S)
    strikes = [Strike(DAEMON, rng.uniform(0, halted_s))] if rng.random() < DIES_MEANWHILE else []
    return Cycle(True, strikes, real, halted_s)
