"""Threads that own connections, and the queue by which tasks give them jobs. Knows no SQL.

The promise about cancellation: a job not yet taken by a thread is withdrawn and nothing happens; once taken,
the task waits (shielded) until it is through, then `Cancelled` is raised and the job's effect stands.
"""

import contextlib
import threading
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Generic, NoReturn, Protocol, TypeVar

import attrs
import trio

from ..errors import StorageFailed
from .ask import Db
from .commit import Job

CLOSE_S = 30.0  # a thread that is not through with its last batch by then hangs in the disk: leave it


class Closes(Protocol):
    """What a thread opens and closes."""

    def close(self) -> None: ...


R = TypeVar("R", bound=Closes)


@attrs.define(eq=False)
class _Waited(Job):
    """A job that a task waits for. `raise_cancel`: its task was cancelled when a thread had taken the job."""

    task: trio.lowlevel.Task = attrs.Factory(trio.lowlevel.current_task)
    raise_cancel: Callable[[], NoReturn] | None = None


@asynccontextmanager
async def open_lane(
    open_resource: Callable[[], R],
    carry_out: Callable[[R, Sequence[Job]], None],
    *,
    name: str,
    threads: int,
    batch_max: int,
) -> AsyncGenerator["Lane[R]"]:
    """Give a lane whose threads have all opened their resource; the first error of opening is raised.

    StorageFailed when the system gives no thread.

    Left, it takes no more jobs, finishes those it has, and closes the resources on their threads. What
    closing raised is raised, unless something else is.
    """
    lane, begun = Lane(open_resource, carry_out, batch_max), 0
    try:
        for number in range(threads):
            _begin(threading.Thread(target=lane.serve, name=f"{name}-{number}", daemon=True))
            begun += 1
        await lane.opened(threads)
        yield lane
    finally:
        with trio.move_on_after(CLOSE_S, shield=True):
            await lane.close(begun)
    if lane.close_error is not None:
        raise lane.close_error


def _begin(thread: threading.Thread) -> None:
    try:
        thread.start()
    except RuntimeError as exc:
        raise StorageFailed(
            f"the store needs a thread ({thread.name}), and the system gives none: raise the limit of tasks "
            "(TasksMax= of the service, ulimit -u)"
        ) from exc


class Lane(Generic[R]):
    """One queue of jobs, and the threads that take batches from it."""

    def __init__(
        self,
        open_resource: Callable[[], R],
        carry_out: Callable[[R, Sequence[Job]], None],
        batch_max: int,
    ) -> None:
        self._open_resource = open_resource
        self._carry_out = carry_out
        self._batch_max = batch_max
        self._token = trio.lowlevel.current_trio_token()
        # A plain lock, and a bell for each thread that waits: a `Condition` does the same in Python, and
        # makes a lock for each wait.
        self._lock = threading.Lock()
        self._jobs: list[_Waited] = []
        self._waiting: list[threading.Lock] = []
        self._closing = False
        self._opened, self._ended = trio.Semaphore(0), trio.Semaphore(0)
        self._open_error: BaseException | None = None
        self.close_error: BaseException | None = None
        self.resources: list[R] = []

    async def run(self, function: Callable[[Db], Any]) -> Any:
        """Have a thread run the function; see the promise about cancellation above."""
        await trio.lowlevel.checkpoint_if_cancelled()
        job = _Waited(function)
        self._put(job)
        await trio.lowlevel.wait_task_rescheduled(partial(self._cancel, job))
        if job.raise_cancel is not None:
            job.raise_cancel()
        return job.result()

    def _cancel(self, job: _Waited, raise_cancel: Callable[[], NoReturn]) -> trio.lowlevel.Abort:
        if self._withdraw(job):
            return trio.lowlevel.Abort.SUCCEEDED
        job.raise_cancel = raise_cancel
        return trio.lowlevel.Abort.FAILED

    async def opened(self, threads: int) -> None:
        """Wait until all threads have opened their resource; raises what the first one raised."""
        for _ in range(threads):
            await self._opened.acquire()
        if self._open_error is not None:
            raise self._open_error

    async def close(self, threads: int) -> None:
        """Let the threads finish what they have, and wait for their end."""
        with self._lock:
            self._closing = True
            waiting, self._waiting = self._waiting, []
        for bell in waiting:
            bell.release()
        for _ in range(threads):
            await self._ended.acquire()

    def serve(self) -> None:
        """What each thread does."""
        try:
            self._serve()
        finally:
            self._tell(self._ended.release)

    def _serve(self) -> None:
        resource = self._open()
        if resource is None:
            return
        bell = threading.Lock()
        bell.acquire()
        try:
            while jobs := self._take(bell):
                self._run(resource, jobs)
                self._tell(_wake, jobs)
        finally:
            self._close(resource)

    def _close(self, resource: R) -> None:
        try:
            resource.close()
        except BaseException as exc:  # it is the opener's to answer, not this thread's
            self.close_error = exc

    def _open(self) -> R | None:
        try:
            resource = self._open_resource()
            self.resources.append(resource)
            return resource
        except BaseException as exc:  # it is the opener's to answer, not this thread's
            self._open_error = exc
            return None
        finally:
            self._tell(self._opened.release)

    def _run(self, resource: R, jobs: Sequence[_Waited]) -> None:
        try:
            self._carry_out(resource, jobs)
        except BaseException as exc:  # a waiter must never be left waiting, whatever happened here
            for job in jobs:
                job.error = exc

    def _put(self, job: _Waited) -> None:
        with self._lock:
            if self._closing:
                raise StorageFailed("the store is closed")
            self._jobs.append(job)
            bell = self._waiting.pop() if self._waiting else None
        if bell is not None:
            bell.release()

    def _take(self, bell: threading.Lock) -> list[_Waited]:
        """The next jobs; none once the lane is closed. `bell` is the thread's own: it rings for new ones."""
        while True:
            with self._lock:
                if self._jobs or self._closing:
                    taken, self._jobs = self._jobs[: self._batch_max], self._jobs[self._batch_max :]
                    return taken
                self._waiting.append(bell)
            bell.acquire()

    def _withdraw(self, job: _Waited) -> bool:
        with self._lock:
            if job in self._jobs:
                self._jobs.remove(job)
                return True
            return False

    def _tell(self, call: Callable[..., object], *args: object) -> None:
        with contextlib.suppress(trio.RunFinishedError):
            self._token.run_sync_soon(call, *args)


def _wake(jobs: Sequence[_Waited]) -> None:
    for job in jobs:
        trio.lowlevel.reschedule(job.task)
