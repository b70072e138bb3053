"""A process that outlives us: started in a session of its own, found again by the lock it holds. Linux only.

The lock is taken here and inherited, so it is held from before the process's first instruction to its last.
One that waits (`spare.py`) is handed it later. Who holds it is read from /proc: no program is asked. The lock
names its holder, which only says where to look first: among hundreds of processes a search takes long.
"""

import contextlib
import fcntl
import os
import signal
import weakref
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import Any

import trio

LOG_BYTES_MAX = 10 * 1024 * 1024  # a log found larger than this at a start becomes the `.old` one


class Detached:
    """One such process, ours or adopted. Holds its pidfd, so its pid never means another one."""

    def __init__(self, pid: int, pidfd: int) -> None:
        self.pid = pid
        self._pidfd = pidfd
        self._close = weakref.finalize(self, os.close, pidfd)

    async def ended(self) -> None:
        """Return once the process is gone; a child is reaped. One task may wait at a time."""
        if self._close.alive:
            await trio.lowlevel.wait_readable(self._pidfd)
            _reap(self.pid)
            self._close()

    async def end(self, grace_s: float) -> None:
        """Ask it to end, insist after `grace_s`; returns when it is gone. Cancelled: it may live on."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self._close.alive:
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(self._pidfd, number)
            with trio.move_on_after(grace_s):
                await self.ended()
                return


def start_detached(argv: list[str], lock: Path, log: Path, environment: Mapping[str, str]) -> Detached:
    """Start the program, its output added to `log`. BlockingIOError: one holds the lock already. OSError."""
    with held_lock(lock) as held, opened_log(log) as out:
        os.set_inheritable(held, True)
        process = _spawn(argv, environment, (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0), out)
        name_holder(held, process.pid)
        return process


def start_waiting(argv: list[str], door: int, environment: Mapping[str, str]) -> Detached:
    """Start a program that waits at `door`, its standard input; its output is for nobody. OSError."""
    with open(os.devnull, "ab") as nowhere:
        return _spawn(argv, environment, (os.POSIX_SPAWN_DUP2, door, 0), nowhere.fileno())


def _spawn(argv: list[str], environment: Mapping[str, str], stdin: tuple[Any, ...], out: int) -> Detached:
    pid = os.posix_spawn(
        argv[0],
        argv,
        environment,
        file_actions=[stdin, (os.POSIX_SPAWN_DUP2, out, 1), (os.POSIX_SPAWN_DUP2, out, 2)],
        setsid=True,
        setsigmask=(),
        setsigdef=(signal.SIGPIPE, signal.SIGXFSZ),  # Python ignores these; the program should choose
    )
    return Detached(pid, os.pidfd_open(pid))


@contextlib.contextmanager
def held_lock(lock: Path) -> Generator[int]:
    """The lock, held by us and by who is given it, until the last has closed it. BlockingIOError. OSError."""
    held = _open_lock(lock)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield held
    finally:
        os.close(held)


def name_holder(held: int, pid: int) -> None:
    """Write into the lock who holds it from now on. On a full disk nothing is: then it is searched for."""
    with contextlib.suppress(OSError):
        os.ftruncate(held, 0)
        os.pwrite(held, str(pid).encode(), 0)


@contextlib.contextmanager
def opened_log(log: Path) -> Generator[int]:
    """The log, for adding to it; one that has grown too large is put aside. OSError."""
    _turn_over(log)
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        yield out
    finally:
        os.close(out)


def find_detached(lock: Path) -> Detached | None:
    """The process that holds the lock, or None. OSError: it is held, and the holder cannot be seen."""
    while is_held(lock):
        pid = _holder(lock)
        if pid is None:
            if not is_held(lock):
                return None
            raise OSError(f"{lock} is held by a process that cannot be seen in /proc: end it")
        try:
            pidfd = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        if _holds(pid, lock):
            return Detached(pid, pidfd)
        os.close(pidfd)
    return None


def is_held(lock: Path) -> bool:
    """Whether a living process holds the lock."""
    if not lock.exists():
        return False
    probe = _open_lock(lock)
    try:
        fcntl.flock(probe, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(probe)


def _open_lock(lock: Path) -> int:
    return os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _holder(lock: Path) -> int | None:
    return next((pid for pid in _candidates(lock) if pid != os.getpid() and _holds(pid, lock)), None)


def _candidates(lock: Path) -> Iterator[int]:
    """All processes, first the one that the lock names."""
    named = lock.read_bytes()
    if named.isdigit():
        yield int(named)
    yield from (int(name) for name in os.listdir("/proc") if name.isdigit())


def _holds(pid: int, lock: Path) -> bool:
    wanted = lock.stat()
    try:
        with os.scandir(f"/proc/{pid}/fd") as files:
            return any(_is_same(file.path, wanted) for file in files)
    except OSError:
        return False


def _is_same(path: str, wanted: os.stat_result) -> bool:
    try:
        return os.path.samestat(os.stat(path), wanted)
    except OSError:
        return False


def _reap(pid: int) -> None:
    with contextlib.suppress(ChildProcessError):  # an adopted process is somebody else's child
        os.waitpid(pid, os.WNOHANG)


def _turn_over(log: Path) -> None:
    if log.exists() and log.stat().st_size > LOG_BYTES_MAX:
        log.replace(log.with_name(f"{log.name}.old"))
