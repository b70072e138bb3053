"""The virtual clock of our tests: it jumps to the next deadline when nothing happens, but not past a thread.

Trio's own jumps as soon as every task waits, also for a thread that is at work: how much virtual time such a
thread takes is then a matter of the machine's load, and deadlines pass that nothing was late for.
"""

import time
from typing import Any

import trio
from trio.testing import MockClock

LOOK_S = 0.0005  # real time between two looks at threads that are at work


def patient_clock() -> MockClock:
    """Jumps at once when every task waits; while threads of trio's usual limiter work, it stands still.

    Threads of limiters of their own do not hold it: they may be a task's code that never returns.
    """
    clock: Any = MockClock(autojump_threshold=0)
    jump = clock._autojump  # private, and the class is final: tests hold that trio still calls it

    def jump_if_nobody_works() -> None:
        if trio.to_thread.current_default_thread_limiter().borrowed_tokens:
            time.sleep(LOOK_S)  # blocks a loop that has nothing to do, and leaves the thread a core
        else:
            jump()

    clock._autojump = jump_if_nobody_works
    return clock  # type: ignore[no-any-return]  # it is what it was made as
