"""One program of a scene: started by fork or by exec, killed, started again; at most one life at a time."""

import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import trio

from .zygote import PROGRAM, Started, Zygote

READY_S = 60.0  # a start under strace, on a machine that is busy
LOOK_S = 0.005


class NotReady(Exception):
    """The program ended as it started, or says nothing; the words are the last of its log."""


class Part:
    """A program with its arguments and its log. `pid` is that of its present or last life."""

    def __init__(
        self,
        name: str,
        zygote: Zygote,
        arguments: Callable[[], Sequence[str]],
        log: Path,
        is_ready: Callable[[], Awaitable[bool]],
        mutant: str = "",
        program: str = PROGRAM,
    ) -> None:
        self.name = name
        self.pid = 0
        self.mutant = mutant
        self.log_file = log
        self._program = program
        self._zygote = zygote
        self._arguments = arguments
        self._is_ready = is_ready
        self._forked: Started | None = None
        self._executed: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        """All it ever wrote."""
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    @property
    def is_running(self) -> bool:
        """Whether it was started and not yet seen to have ended."""
        return self._forked is not None or self._executed is not None

    async def start(self, real: bool = False, prefix: Sequence[str] = (), wait: bool = True) -> None:
        """Start it, by exec when `real` or behind a command, and wait until it is ready. NotReady."""
        arguments = list(self._arguments())
        if real or prefix:
            self._execute([*prefix, sys.executable, "-P", "-m", self._program.partition(":")[0], *arguments])
        else:
            self._forked = await self._zygote.start(arguments, self.log_file, self._program, self.mutant)
            self.pid = self._forked.pid
        if wait:
            await self.until_ready()

    def _execute(self, command: Sequence[str]) -> None:
        with self.log_file.open("ab") as log:
            self._executed = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        self.pid = self._executed.pid

    async def until_ready(self) -> None:
        """Return once it is ready. NotReady."""
        with trio.move_on_after(READY_S):
            while not await self._is_ready():
                if (status := await self.status()) is not None:
                    raise NotReady(f"{self.name} ended with {status}: {self.log[-2000:]}")
                await trio.sleep(LOOK_S)
            return
        raise NotReady(f"{self.name} is not ready after {READY_S:g} s: {self.log[-2000:]}")

    async def status(self) -> int | None:
        """Its exit status once it has ended (by a signal: the negative number); None while it runs."""
        if self._executed is not None:
            return self._executed.poll()
        return None if self._forked is None else await self._zygote.status(self._forked)

    async def wait(self) -> int:
        """Wait for its end; its exit status."""
        while (status := await self.status()) is None:  # noqa: ASYNC110  # it tells nobody
            await trio.sleep(LOOK_S)
        self._forked = self._executed = None
        return status

    def terminate(self) -> None:
        """SIGTERM."""
        if self.is_running:
            os.kill(self.pid, signal.SIGTERM)

    def halt(self) -> None:
        """SIGSTOP: it stands still, and what is sent to it waits. It can be killed all the same."""
        os.kill(self.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """SIGCONT."""
        os.kill(self.pid, signal.SIGCONT)

    async def kill(self) -> int:
        """kill -9, and nothing else; its exit status, which is another when it had ended before."""
        if self._executed is not None:
            self._executed.kill()
        elif self._forked is not None:
            await self._zygote.kill(self._forked)
        return await self.wait() if self.is_running else 0
