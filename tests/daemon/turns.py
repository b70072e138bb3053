"""Counts what one turn of trio's loop does: all that runs between two looks at what came in."""

import trio


class TurnCounter(trio.abc.Instrument):
    """How many tasks of one name ended in each turn in which any did."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._now = 0
        self.ended: list[int] = []

    def task_exited(self, task: trio.lowlevel.Task) -> None:
        """A task is over."""
        self._now += task.name.endswith(self._name)

    def before_io_wait(self, timeout: float) -> None:
        """A turn is over."""
        if self._now:
            self.ended.append(self._now)
            self._now = 0
