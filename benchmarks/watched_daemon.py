"""`crowdd` with a watch on its loop: each long turn becomes a line of JSON in the file that LOOP_TURNS names.

A turn is all that runs between two looks at what came in: nothing else is heard of meanwhile. Told are when
it ended, how long it took by the clock and of its thread's CPU, how much of that was Python's search for
garbage, its steps, whose was the longest, and which tasks took most of it together.
"""

import gc
import json
import os
import time
from collections import Counter
from functools import partial
from pathlib import Path

import trio

from crowdd.cli import crowdd

FILE = "LOOP_TURNS"
TOLD_S = 0.005  # shorter turns are of no interest
TOLD_TASKS = 4  # of each turn, those that took most


class TurnWatch(trio.abc.Instrument):
    """Sees every turn of the loop."""

    def __init__(self, file: Path) -> None:
        self._file = file.open("a", buffering=1)
        self._began = self._step_began = (time.monotonic(), time.thread_time())
        self._steps, self._longest_s, self._whose = 0, 0.0, ""
        self._by_task: Counter[str] = Counter()
        self._gc_s = self._gc_began = 0.0
        gc.callbacks.append(self._collecting)

    def _collecting(self, phase: str, _: object) -> None:
        if phase == "start":
            self._gc_began = time.thread_time()
        else:  # other threads collect, too: the loop waits for them as well
            self._gc_s += time.thread_time() - self._gc_began

    def before_run(self) -> None:
        """The loop begins; what the process did before is no turn of it."""
        self._began = (time.monotonic(), time.thread_time())

    def after_io_wait(self, timeout: float) -> None:
        """A turn begins."""
        self._began = (time.monotonic(), time.thread_time())
        self._steps, self._longest_s, self._whose, self._gc_s = 0, 0.0, "", 0.0
        self._by_task.clear()

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        """A task's step begins."""
        self._step_began = (time.monotonic(), time.thread_time())

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        """And ends."""
        took_s = time.thread_time() - self._step_began[1]
        self._steps += 1
        self._by_task[task.name] += round(took_s * 1e9)
        if took_s > self._longest_s:
            self._longest_s, self._whose = took_s, task.name

    def before_io_wait(self, timeout: float) -> None:
        """A turn ends."""
        now, cpu_s = time.monotonic(), time.thread_time()
        if now - self._began[0] > TOLD_S:
            told = {"at": now, "wall_s": now - self._began[0], "cpu_s": cpu_s - self._began[1]}
            told |= {"steps": self._steps, "longest_s": self._longest_s, "gc_s": self._gc_s}
            most = [(name, ns / 1e9) for name, ns in self._by_task.most_common(TOLD_TASKS)]
            self._file.write(json.dumps({**told, "whose": self._whose, "most": most}) + "\n")


if __name__ == "__main__":
    setattr(trio, trio.run.__name__, partial(trio.run, instruments=[TurnWatch(Path(os.environ[FILE]))]))
    crowdd()
