"""Ctrl-C and SIGTERM for a command that starts processes: none of them is left behind."""

import signal
import subprocess
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import IO, Any

END_S = 60.0


class Interrupted(BaseException):
    """We are to end. No KeyboardInterrupt: once one came in the midst of an import, Python itself ends by the
    signal and not with our status, although it was caught."""


class Interrupts:
    """Raises `Interrupted` in the main thread, but not between a process's start and our knowing of it."""

    def __init__(self) -> None:
        self._starting = False
        self._came = False

    def listen(self) -> None:
        """Hear signals from now on; whoever ends us with SIGTERM means all of it, as Ctrl-C."""
        _when_ended(self._hear)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        self._came = True
        if not self._starting:
            self._leave()

    def _leave(self) -> None:
        _when_ended(signal.default_int_handler)  # the second time nothing is waited for
        raise Interrupted

    @contextmanager
    def child(
        self,
        command: Sequence[str],
        stdout: IO[bytes] | int,
        stderr: IO[bytes] | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Generator[subprocess.Popen[bytes]]:
        """A process in a session of its own: Ctrl-C is for us. Told to end, and waited for, when left."""
        process = None
        try:
            self._starting = True
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                env=env,
                start_new_session=True,
            )
            self._starting = False
            if self._came:
                self._leave()
            yield process
        finally:
            self._starting = False
            if process is not None:
                _end(process)


def _when_ended(do: Callable[[int, FrameType | None], Any]) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, do)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
