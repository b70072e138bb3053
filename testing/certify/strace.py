"""strace at a running process: what it writes, and a kill or an error at its n-th call of one kind.

strace counts each thread's calls apart: the n-th call is that of whichever thread comes to its n-th first.
Needs strace, and the right to trace the process: its own user's, or root. Knows nothing of crowdd.
"""

import enum
import re
import shutil
import signal
import subprocess
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import attrs
import trio

WRITING = (
    *("pwrite64", "pwritev", "pwritev2", "write", "writev", "fdatasync", "fsync", "ftruncate", "fallocate"),
    *("?unlink", "unlinkat", "?rename", "renameat", "renameat2", "?link", "linkat", "?mkdir", "mkdirat"),
    *("?rmdir", "symlinkat", "?symlink", "?chmod", "fchmod", "fchmodat", "sendto", "sendmsg", "sendmmsg"),
)
"""All that changes something outside of a process, once a file is open. `?`: not on every machine."""
SENDING = frozenset({"sendto", "sendmsg", "sendmmsg"})  # to sockets: no disk is behind them
ATTACH_S = 10.0
DETACH_S = 10.0
LOOK_S = 0.005  # between two looks at what only the kernel knows


class StraceRefused(Exception):
    """strace is not there, or may not trace; the words say why."""


class Threads(enum.Enum):
    """Whose calls are traced, counted and hit."""

    MAIN = "the main thread's"
    ALL = "every thread's"


class Fault(enum.Enum):
    """What happens instead of the call, or SLOW: after it."""

    KILL = "signal=SIGKILL"
    EIO = "error=EIO"
    ENOSPC = "error=ENOSPC"
    SLOW = "delay_exit=1500000"


@attrs.frozen
class Injection:
    """One fault, at the `number`-th call named `call` of a thread; SLOW: at it and all later ones."""

    fault: Fault
    call: str
    number: int

    def __str__(self) -> str:
        return f"{self.fault.name} at {self.call} {self.number}"


@attrs.frozen
class Call:
    """One traced call: by which thread, its name, and the file or socket it was about."""

    thread: int
    name: str
    subject: str
    injected: bool


def strace_refusal() -> str | None:
    """Why strace cannot be used here, None if it can."""
    return None if shutil.which("strace") else "strace is not installed (Debian: apt-get install strace)"


class Strace:
    """strace, attached to a process."""

    def __init__(self, process: trio.Process, log: Path, pid: int) -> None:
        self._process = process
        self._log = log
        self._pid = pid

    def calls(self) -> list[Call]:
        """What was called so far, in order of beginning."""
        return list(read_calls(self._log.read_text(errors="replace"), self._pid))

    async def quiet(self, for_s: float, within_s: float) -> None:
        """Wait until nothing was called for a while; or give up waiting, the process is never quiet."""
        with trio.move_on_after(within_s):
            size = -1
            while (now := self._log.stat().st_size) != size:
                size = now
                await trio.sleep(for_s)

    async def detach(self) -> None:
        """Let the process go, if it is still there; from now on nothing is injected."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        with trio.move_on_after(DETACH_S) as scope:
            await self._process.wait()
        if scope.cancelled_caught:
            self._process.kill()
            await self._process.wait()


@asynccontextmanager
async def open_strace(
    pid: int, log: Path, injection: Injection | None = None, threads: Threads = Threads.ALL
) -> AsyncGenerator[Strace]:
    """Trace a process; detached when left. StraceRefused when strace did not attach."""
    command = ["strace", "-y", "-qq", "-s", "0", "-o", str(log), "-e", "trace=" + ",".join(WRITING)]
    command += ["-f"] if threads is Threads.ALL else []
    command += [] if injection is None else ["-e", f"inject={_rule(injection)}"]
    await trio.Path(log).write_bytes(b"")
    try:
        process = await trio.lowlevel.open_process(
            [*command, "-p", str(pid)], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
    except FileNotFoundError:
        raise StraceRefused(strace_refusal() or "strace cannot be started") from None
    strace = Strace(process, log, pid)
    try:
        await _attached(process, pid, threads)
        yield strace
    finally:
        with trio.CancelScope(shield=True):
            await strace.detach()


def _rule(injection: Injection) -> str:
    onwards = "+" if injection.fault is Fault.SLOW else ""
    return f"{injection.call}:{injection.fault.value}:when={injection.number}{onwards}"


async def _attached(process: trio.Process, pid: int, threads: Threads) -> None:
    """Wait until strace holds the threads."""
    which = "*" if threads is Threads.ALL else str(pid)
    with trio.move_on_after(ATTACH_S):
        while process.poll() is None:
            if _tracers(pid, which) == {process.pid}:
                return
            await trio.sleep(LOOK_S)
    if process.poll() is None:
        raise StraceRefused(f"strace did not attach to process {pid} within {ATTACH_S:.0f} s")
    said = await process.stderr.receive_some() if process.stderr is not None else b""
    raise StraceRefused(f"strace did not attach to process {pid}: {said.decode(errors='replace').strip()}")


def _tracers(pid: int, which: str) -> set[int]:
    """Who traces the threads of a process; 0 for those whom nobody does."""
    tracers: set[int] = set()
    for status in Path(f"/proc/{pid}/task").glob(f"{which}/status"):
        try:
            found = _TRACER.search(status.read_text())
        except OSError:
            continue  # the thread has just ended
        tracers |= {int(found[1])} if found else set()
    return tracers


_TRACER = re.compile(r"^TracerPid:\s*(\d+)$", re.MULTILINE)
_CALL = re.compile(r"^(?:(\d+) +)?(\w+)\((.*)$", re.MULTILINE)
_DESCRIPTOR = re.compile(r"^(?:\d+|AT_FDCWD)<([^>]*)>")
_PATH = re.compile(r'"((?:[^"\\]|\\.)*)"')


def read_calls(log: str, pid: int) -> Iterator[Call]:
    """The calls that strace wrote down with `-y`; `pid` is the thread where it names none (without `-f`)."""
    for thread, name, rest in _CALL.findall(log):
        yield Call(int(thread or pid), name, _subject(rest), rest.endswith("(INJECTED)"))


def _subject(arguments: str) -> str:
    descriptor, path = _DESCRIPTOR.match(arguments), _PATH.search(arguments)
    if descriptor is not None and not (arguments.startswith("AT_FDCWD") and path):
        return descriptor[1]
    return path[1] if path else ""
