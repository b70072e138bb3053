"""A row's profile: first the CPU time of each thread by its clock, then rounds with a sampler beside them."""

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import attrs

from ..instrument.rounds import ROUNDS, ROUNDS_SMALL
from ..instrument.row import Measure, Row, Setting, Sides
from ..instrument.sample import Sample, together
from .sampler import CannotSample, Sampled, open_sampler
from .stacks import Stack, read_stacks
from .threads import cpu_of_threads, spent_since

CLOCKED_ROUNDS = 1  # with those that are sampled as many as a row has work for
SAMPLED_ROUNDS = ROUNDS - CLOCKED_ROUNDS
SAMPLED_ROUNDS_SMALL = ROUNDS_SMALL - CLOCKED_ROUNDS


@attrs.frozen
class ThreadProfile:
    """What the threads of one kind took, in one process."""

    process: str
    thread: str
    cpu_us: float
    """For each operation, by the system's count, without a sampler beside it."""
    stacks: Sequence[Stack]


@attrs.frozen
class Profile:
    """All that was found."""

    row: Row
    clocked: Sample
    threads: Sequence[ThreadProfile]
    """The most expensive first."""
    rate: int
    late: bool
    load: float
    """How many processes wanted the machine when it began."""


async def take_profile(row: Row, small: bool, rate: int, tell: Callable[[str], None]) -> Profile:
    """Set the row up, profile our side of it, take it down. CannotSample: not this row, or not here."""
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="crowdd-benchmark-") as folder:
        tell("setting up")
        async with row.open(Setting(Path(folder), small, tell)) as sides:
            if not sides.servers:
                raise CannotSample(f"{row.name} has no server of ours that could be sampled")
            tell("warming up")
            await sides.ours()
            turns = 1 if small else row.turns
            tell("by the clocks of the threads")
            clocked, spent = await _clocked(sides, CLOCKED_ROUNDS * turns)
            tell("sampled")
            rounds = SAMPLED_ROUNDS_SMALL if small else SAMPLED_ROUNDS
            sampled = await _sampled(sides, rounds * turns, rate, Path(folder))
    found = _threads(spent, sampled, clocked.operations)
    return Profile(row, clocked, found, rate, any(each.late for each in sampled.values()), load)


async def _clocked(sides: Sides, times: int) -> tuple[Sample, Mapping[str, Mapping[int, float]]]:
    """What was done, and what each thread of each process took for it."""
    before = {name: cpu_of_threads(pid) for name, pid in sides.servers.items()}
    sample = await _repeated(sides.ours, times)
    return sample, {
        name: spent_since(before[name], cpu_of_threads(pid)) for name, pid in sides.servers.items()
    }


async def _sampled(sides: Sides, times: int, rate: int, folder: Path) -> Mapping[str, Sampled]:
    with ExitStack() as samplers:
        sampled = {
            name: samplers.enter_context(open_sampler(pid, rate, folder))
            for name, pid in sides.servers.items()
        }
        await _repeated(sides.ours, times)
    return sampled


async def _repeated(ours: Measure, times: int) -> Sample:
    return together([await ours() for _ in range(times)])


def _threads(
    spent: Mapping[str, Mapping[int, float]], sampled: Mapping[str, Sampled], operations: int
) -> list[ThreadProfile]:
    found: list[ThreadProfile] = []
    for process, of_threads in spent.items():
        found += threads_of(process, of_threads, list(read_stacks(sampled[process].raw)), operations)
    return sorted(found, key=lambda thread: -thread.cpu_us)


def threads_of(
    process: str, spent: Mapping[int, float], stacks: Sequence[Stack], operations: int
) -> list[ThreadProfile]:
    """Threads by their names; those that no sample met are the others."""
    kinds = {stack.thread_id: stack.thread for stack in stacks}
    cpu_s: dict[str, float] = {}
    for thread, took in spent.items():
        kind = kinds.get(thread, "others")
        cpu_s[kind] = cpu_s.get(kind, 0.0) + took
    return [
        ThreadProfile(
            process, kind, took / operations * 1e6, [each for each in stacks if each.thread == kind]
        )
        for kind, took in cpu_s.items()
    ]
