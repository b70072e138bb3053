"""What is killed when: as many cycles as asked for, the same for the same seed, real starts evenly spread."""

from collections import Counter

import pytest

from crowdd.testing.certify.cycles import (
    CYCLES_PER_SCENE,
    DAEMON,
    HALTED_S,
    VICTIMS,
    Cycle,
    ScenePlan,
    plan_scenes,
)


def cycles_of(scenes: list[ScenePlan], halted: bool) -> list[Cycle]:
    return [cycle for scene in scenes for cycle in scene.cycles if bool(cycle.halted_s) is halted]


@pytest.mark.parametrize(("cycles", "real"), [(1, 0), (50, 1), (199, 7), (2000, 50), (3, 3)])
def test_there_are_as_many_cycles_and_real_starts_as_asked_for(cycles: int, real: int) -> None:
    planned = [cycle for scene in plan_scenes(1, cycles, real) for cycle in scene.cycles]
    assert len(planned) == cycles
    assert sum(cycle.real for cycle in planned) == real


def test_the_same_seed_plans_the_same() -> None:
    assert plan_scenes(7, 120, 3) == plan_scenes(7, 120, 3)
    assert plan_scenes(7, 120, 3) != plan_scenes(8, 120, 3)


def test_a_scene_alone_is_planned_as_it_was_among_others() -> None:
    third = plan_scenes(5, 3 * CYCLES_PER_SCENE, 0)[2]
    (again,) = plan_scenes(third.seed, CYCLES_PER_SCENE, 0)
    assert again == third


def test_the_router_stands_still_now_and_then_with_and_without_a_daemon() -> None:
    cycles = cycles_of(plan_scenes(1, 500, 0), halted=True)
    assert {tuple(strike.victim for strike in cycle.strikes) for cycle in cycles} == {(), (DAEMON,)}
    assert all(HALTED_S[0] <= cycle.halted_s <= HALTED_S[1] and cycle.answered for cycle in cycles)
    assert all(strike.after_s < cycle.halted_s for cycle in cycles for strike in cycle.strikes)


def test_every_other_cycle_kills_somebody_once_and_all_three_together_now_and_then() -> None:
    cycles = cycles_of(plan_scenes(1, 500, 0), halted=False)
    killed = [[strike.victim for strike in cycle.strikes] for cycle in cycles]
    assert all(victims and len(set(victims)) == len(victims) for victims in killed)
    assert Counter(len(victims) for victims in killed).keys() == {1, 2, 3}
    assert {victim for victims in killed for victim in victims} == VICTIMS.keys()


def test_strikes_come_in_the_order_of_their_times() -> None:
    for scene in plan_scenes(3, 200, 0):
        for cycle in scene.cycles:
            times = [strike.after_s for strike in cycle.strikes]
            assert times == sorted(times)
