"""The limit of tasks (TasksMax=): what a service meets that may start no more threads."""

import errno
import logging

log = logging.getLogger(__name__)

WAIT_S = 5.0  # others give back theirs within seconds; whoever asked has not gone by then
LOOK_S = 0.25  # between two tries: nobody tells that a thread has ended
WORDS = "no thread can be started: the limit of tasks is reached (TasksMax= of the service, ulimit -u)"


class NoThread(OSError):
    """No thread could be started for WAIT_S. Nothing was done."""

    def __init__(self) -> None:
        super().__init__(errno.EAGAIN, WORDS)


def is_lack_of_threads(exc: BaseException) -> bool:
    """Whether this is how Python says that the system gives no more threads: it has no class for it."""
    return isinstance(exc, RuntimeError) and str(exc) == "can't start new thread"


class ThreadWait:
    """One caller's wait for a thread that the system does not give at first. Knows no loop: told the time."""

    def __init__(self, now: float) -> None:
        self._until = now + WAIT_S
        self._said = False

    def go_on(self, exc: RuntimeError, now: float) -> None:
        """To be tried again after LOOK_S. `exc`: it says something else. NoThread: that has lasted."""
        if not is_lack_of_threads(exc):
            raise exc
        if now >= self._until:
            raise NoThread from None
        if not self._said:
            log.warning("%s; waiting for one", WORDS)
            self._said = True
