"""A person at a terminal: runs a page's commands one after the other, in an empty folder, with a real daemon.

All that was started is ended at the end, by process id.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import attrs

from .blocks import EXAMPLE_PORT, Block

ROOT = Path(__file__).parent.parent.parent
PATIENCE_S = 60.0
LOOK_S = 0.02
SHELL = ("bash", "-eu", "-o", "pipefail", "-c")
REMEMBER = "; status=$?; pwd > {here}; export -p > {variables}; exit $status"
# What differs from day to day, and how it is made equal on both sides.
CHANGING = (
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|\+\d\d:\d\d)?"), "<time>"),
    (re.compile(r"\b(127\.0\.0\.1|localhost):\d+"), r"\1:<port>"),
    (re.compile(r"\?link=[\w.-]+"), "?link=<link>"),
    (re.compile(r"\b\d+(\.\d)? (B|kB|MB|GB|TB)\b"), "<size>"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "<sha256>"),
    (re.compile(r"[ \t]+"), " "),
)


def plain(text: str) -> list[str]:
    """The lines of an answer, with what changes from day to day made equal."""
    for pattern, instead in CHANGING:
        text = pattern.sub(instead, text)
    return [line.strip() for line in text.strip().splitlines()]


def says(actual: str, shown: str) -> bool:
    """Whether an answer is the one shown. `...` is any part of a line; alone on a line, any lines or none."""
    pattern = "".join(_line_pattern(line) for line in plain(shown))
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in plain(actual))) is not None


def _line_pattern(line: str) -> str:
    return r"(?:.*\n)*?" if line == "..." else re.escape(line).replace(r"\.\.\.", ".*?") + r"\n"


def contains(actual: str, shown: str) -> bool:
    """Whether every shown line was said by now, in order; more may have been said between."""
    lines = iter(plain(actual))
    return all(any(says(line, wanted) for line in lines) for wanted in plain(shown) if wanted != "...")


@attrs.define(eq=False)
class Terminal:
    """Where a page is tried. `folder` is the current folder at its start."""

    folder: Path
    state: Path
    _port: str
    _running: list[tuple[subprocess.Popen[bytes], Path]] = attrs.Factory(
        list[tuple[subprocess.Popen[bytes], Path]]
    )

    def do(self, block: Block) -> None:
        """Run, write or skip what the block holds. AssertionError: it is not as shown."""
        block = attrs.evolve(block, text=block.text.replace(EXAMPLE_PORT, self._port))
        match block.mark.kind:
            case "file":
                path = self._here() / block.mark.words
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(block.text)
            case "goes on":
                [(command, shown)] = block.commands()
                self._leave_running(command, shown)
            case "ctrl-c":
                self._end(*self._running.pop())
            case "not run":
                print(f"line {block.line} is not run: {block.mark.words}")
            case _:
                *first, last = block.commands()
                for command, shown in first:
                    self._run(command, shown, fails=False)
                self._run(*last, fails=block.mark.kind == "fails")

    def _run(self, command: str, shown: str, fails: bool) -> None:
        remember = REMEMBER.format(here=self.state / "here", variables=self.state / "variables")
        ended = subprocess.run(
            [*SHELL, f"trap '{remember.removeprefix('; ')}' EXIT\n{self._before()}{command}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE_S,
            env=self._environment(),
            check=False,
        )
        assert (ended.returncode != 0) == fails, f"$ {command}{ended.stdout}\nexit status {ended.returncode}"
        if shown:
            assert says(ended.stdout, shown), _difference(command, shown, ended.stdout)

    def _leave_running(self, command: str, shown: str) -> None:
        path = self.state / f"terminal-{len(self._running)}"
        with path.open("wb") as out:
            process = subprocess.Popen(
                [*SHELL, f"{self._before()}exec {command}"],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env=self._environment(),
            )
        self._running.append((process, path))
        give_up_at = time.monotonic() + PATIENCE_S
        while not contains(path.read_text(), shown):
            alive = process.poll() is None and time.monotonic() < give_up_at
            assert alive or contains(path.read_text(), shown), _difference(command, shown, path.read_text())
            time.sleep(LOOK_S)

    def _before(self) -> str:
        variables = self.state / "variables"
        there = f". {variables}\n" if variables.exists() else ""
        return f"{there}cd {self._here()}\n"

    def _here(self) -> Path:
        remembered = self.state / "here"
        return Path(remembered.read_text().strip()) if remembered.exists() else self.folder

    def _environment(self) -> dict[str, str]:
        """As a newcomer has it after installing: crowdd on the path, nothing else of ours."""
        person = f"{ROOT / 'tests' / 'documentation' / 'bin'}"
        kept = {key: os.environ[key] for key in ("LANG", "PYTHONPATH", "TZ") if key in os.environ}
        path = f"{Path(sys.executable).parent}:{person}:{os.environ['PATH']}"
        home = {"HOME": str(self.folder), "TMPDIR": str(self.state), "COLUMNS": "100"}
        return {**kept, **home, "PATH": path}

    def close(self) -> None:
        """End everything that runs on, as Ctrl-C does; AssertionError when that does not end it."""
        try:
            while self._running:
                self._end(*self._running.pop())
        finally:
            for process, _ in self._running:
                process.kill()
                process.wait()
            _kill_routers(self.folder)

    def _end(self, process: subprocess.Popen[bytes], path: Path) -> None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"it did not end:\n{path.read_text()}") from None


@contextmanager
def open_terminal(folder: Path) -> Generator[Terminal]:
    """A terminal in a new empty folder `home` of `folder`."""
    home, state = folder / "home", folder / "state"
    home.mkdir()
    state.mkdir()
    terminal = Terminal(home, state, _free_port())
    try:
        yield terminal
    finally:
        terminal.close()


def _free_port() -> str:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return str(asked.getsockname()[1])


def _kill_routers(folder: Path) -> None:
    """Local routers outlive their daemon, as promised; those of this folder are ended here."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"router" in words and any(str(folder).encode() in word for word in words):
            os.kill(int(pid), signal.SIGKILL)


def _difference(command: str, shown: str, actual: str) -> str:
    return f"$ {command}--- shown:\n{shown}--- said:\n{actual}"
