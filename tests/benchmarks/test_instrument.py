"""The instrument: takes turns, tells ratios by round, keeps records and compares them. 1 s in sum."""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import trio
from benchmarks.instrument.record import last_record, record_of, write_record
from benchmarks.instrument.report import comparison, markdown, words_of
from benchmarks.instrument.rounds import ROUNDS, Result, measure
from benchmarks.instrument.row import Measure, Recorded, Row, Setting, Sides, at_least, at_most
from benchmarks.instrument.sample import Figure, Meter, Sample, together

CPU = at_most(Figure.CPU_US, 1.5)


def row_of(ours: Measure, baseline: Measure | Recorded, *bounds: Any, turns: int = 2) -> Row:
    @asynccontextmanager
    async def open_sides(setting: Setting) -> AsyncGenerator[Sides]:
        yield Sides(ours, baseline)

    return Row("a-row", "what is measured", "beside what", bounds or (CPU,), open_sides, turns)


def told(*samples: Sample) -> Measure:
    """Says these in turn, the last for ever."""
    left = list(samples)

    async def say() -> Sample:
        await trio.lowlevel.checkpoint()
        return left.pop(0) if len(left) > 1 else left[0]

    return say


async def measured(row: Row, small: bool = False) -> Result:
    return await measure(row, small, lambda words: None)


def result_of(ours: list[float], baseline: list[float]) -> Result:
    """With these CPU times for an operation, by round."""
    mine, others = ([Sample(1, 1.0, us / 1e6) for us in figures] for figures in (ours, baseline))
    return Result(row_of(told(*mine), told(*others)), False, mine, others)


async def test_sides_take_turns_and_who_is_first_changes() -> None:
    heard: list[str] = []

    def side(name: str) -> Measure:
        async def say() -> Sample:
            await trio.lowlevel.checkpoint()
            heard.append(name)
            return Sample(1, 1.0, 1.0)

        return say

    result = await measured(row_of(side("o"), side("b")))
    warm_up, rounds = "".join(heard[:2]), "".join(heard[2:])
    assert warm_up == "ob"
    assert rounds == "obbo" + "boob" + "obbo" + "boob" + "obbo"
    assert len(result.ours) == len(result.baseline) == ROUNDS == 5  # type: ignore[arg-type]


async def test_a_recorded_baseline_is_not_measured_but_compared_with() -> None:
    result = await measured(
        row_of(told(Sample(100, 1.0, 0.5)), Recorded({Figure.PER_S: 50.0}), at_least(Figure.PER_S, 2.5))
    )
    assert result.ratios(result.row.bounds[0]) == [2.0] * ROUNDS
    assert not result.holds
    assert "*(recorded)*" in markdown([record_of(result)])


def test_the_median_of_the_ratios_of_rounds_is_held_against_the_bound() -> None:
    # Round three was disturbed: the ratio of the medians would be 2, that of the rounds is 1.
    result = result_of([10.0, 20.0, 90.0, 20.0, 10.0], [10.0, 20.0, 10.0, 20.0, 10.0])
    assert result.ratios(CPU) == [1.0, 1.0, 9.0, 1.0, 1.0]
    assert result.ratio(CPU) == 1.0
    assert result.holds


def test_a_bound_from_below_wants_more_and_one_from_above_less() -> None:
    assert at_least(Figure.PER_S, 6).holds(6.1)
    assert not at_least(Figure.PER_S, 6).holds(5.9)
    assert at_most(Figure.CPU_US, 2).holds(1.9)
    assert not at_most(Figure.CPU_US, 2).holds(2.1)


def test_samples_together_weigh_by_their_operations() -> None:
    both = together([Sample(1, 1.0, 0.1, 0.2, [0.5]), Sample(3, 1.0, 0.3, 0.4, [0.1, 0.2, 0.3])]).figures()
    assert both[Figure.PER_S] == 2.0
    assert round(both[Figure.CPU_US]) == 100_000
    assert round(both[Figure.LOAD], 3) == 0.3
    assert both[Figure.P50_US] == 0.3e6


def test_a_meter_takes_the_cpu_time_of_the_processes_named_and_no_waiting() -> None:
    with Meter([os.getpid()]) as meter:
        sum(range(200_000))
    assert 0 < meter.cpu_s <= meter.wall_s * (os.cpu_count() or 1)
    with Meter([]) as none:
        sum(range(200_000))
    assert none.cpu_s == 0 < none.wall_s


def test_a_record_keeps_every_round_and_names_no_host_and_no_path(tmp_path: Path) -> None:
    result = result_of([10.0, 12.0], [10.0, 10.0])
    path = write_record(tmp_path / "records", record_of(result))
    kept = last_record(tmp_path / "records", "a-row")
    assert kept is not None
    assert [round(each["cpu_us"]) for each in kept["ours"]["rounds"]] == [10, 12]
    assert {"date", "commit", "machine", "cores", "python"} <= set(kept["measured"])
    assert os.uname().nodename not in path.read_text()
    assert str(Path.home()) not in path.read_text()


def test_a_comparison_points_at_what_changed_much() -> None:
    before, now = record_of(result_of([10.0], [10.0])), record_of(result_of([14.0], [10.0]))
    lines = comparison(now, before)
    assert "1 before, 1.4 now (+40%)  <--" in lines[0]
    assert "10 us before, 14 us now (+40%)  <--" in lines[1]
    assert comparison(now, None) == ["  no earlier record"]


def test_times_of_other_machines_are_not_compared_and_small_runs_not_at_all() -> None:
    before, now = (record_of(result_of([10.0], [10.0])) for _ in range(2))
    before["measured"]["machine"] = "another"
    assert not any("of ours" in line for line in comparison(now, before))
    assert comparison(now, {**before, "small": True}) == ["  no earlier record"]


def test_the_report_says_what_falls_short() -> None:
    record = record_of(result_of([20.0], [10.0]))
    assert "ratio of CPU for each: 2 (2); at most 1.5: FALLS SHORT" in words_of(record)[-1]
    assert "| **2** (2 to 2) | at most 1.5 | falls short |" in markdown([record])


def test_figures_are_told_in_units_that_people_read() -> None:
    sample = Sample(2000, 1.0, 0.0005, 0.25, [0.01], {Figure.BYTES: 2048.0})
    result = attrs.evolve(result_of([1.0], [1.0]), ours=[sample])
    said = "\n".join(words_of(record_of(result)))
    assert "operations a second: 2,000;" in said
    assert "CPU for each: 0.25 us;" in said
    assert "wait p50: 10 ms;" in said
    assert "share of a core: 25%;" in said
    assert "memory for each: 2.0 KiB;" in said
