"""What one side of a comparison did in a while: operations, the time on the clock, and CPU time."""

import ctypes
import enum
import time
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from types import TracebackType
from typing import Self

import attrs


class Figure(enum.StrEnum):
    """What is told of a sample."""

    PER_S = "operations a second"
    TIME_US = "time for each"
    CPU_US = "CPU for each"
    P50_US = "wait p50"
    P99_US = "wait p99"
    LOAD = "load generator, share of a core"
    BYTES = "memory for each"


@attrs.frozen
class Sample:
    """So many operations in so much time."""

    operations: int
    wall_s: float
    cpu_s: float
    """Of all processes that do the work, not of those that ask for it."""
    load_s: float | None = None
    """CPU time of the processes that asked for it; None: the operations are done where they are asked for."""
    waits_s: Sequence[float] = ()
    """How long each operation took for who asked for it, where many ask at once."""
    more: Mapping[Figure, float] = attrs.Factory(dict[Figure, float])
    """What is told besides; of several samples together the last one's."""

    def figures(self) -> dict[Figure, float]:
        """All that can be told of it."""
        told = {
            Figure.PER_S: self.operations / self.wall_s,
            Figure.TIME_US: self.wall_s / self.operations * 1e6,
            Figure.CPU_US: self.cpu_s / self.operations * 1e6,
        }
        if self.waits_s:
            ordered = sorted(self.waits_s)
            told[Figure.P50_US] = _share(ordered, 0.5) * 1e6
            told[Figure.P99_US] = _share(ordered, 0.99) * 1e6
        if self.load_s is not None:
            told[Figure.LOAD] = self.load_s / self.wall_s
        return told | dict(self.more)


def together(samples: Sequence[Sample]) -> Sample:
    """Several samples of the same side as one."""
    loads = [sample.load_s for sample in samples if sample.load_s is not None]
    return Sample(
        sum(sample.operations for sample in samples),
        sum(sample.wall_s for sample in samples),
        sum(sample.cpu_s for sample in samples),
        sum(loads) if loads else None,
        list(chain.from_iterable(sample.waits_s for sample in samples)),
        samples[-1].more,
    )


class Meter:
    """A block whose time is taken: by the clock, and of these processes. `sample` afterwards."""

    def __init__(self, pids: Iterable[int]) -> None:
        self._pids = tuple(pids)
        self.wall_s = self.cpu_s = 0.0

    def __enter__(self) -> Self:
        self._cpu_s, self._began = self._spent(), time.perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.wall_s, self.cpu_s = time.perf_counter() - self._began, self._spent() - self._cpu_s

    def sample(
        self, operations: int, *, load_s: float | None = None, waits_s: Sequence[float] = ()
    ) -> Sample:
        """What the block did."""
        return Sample(operations, self.wall_s, self.cpu_s, load_s, waits_s)

    def _spent(self) -> float:
        return sum(map(cpu_s, self._pids))


def cpu_s(pid: int) -> float:
    """The CPU time of a process, all its threads together, to the nanosecond."""
    libc, clock = ctypes.CDLL(None, use_errno=True), ctypes.c_int()
    if libc.clock_getcpuclockid(pid, ctypes.byref(clock)):
        raise ProcessLookupError(pid)
    return time.clock_gettime(clock.value)


def _share(ordered: Sequence[float], part: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]
