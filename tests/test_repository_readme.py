"""What the README tells strangers to type works as it is written there."""

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

README = Path(__file__).parent.parent / "README.md"
BIN = Path(sys.executable).parent
PATIENCE_S = 60.0

pytestmark = pytest.mark.system


def block_after(words: str) -> str:
    """The first indented block behind some words."""
    found = re.search(re.escape(words) + r"[\s\S]*?\n\n((?:    .*\n)+)", README.read_text())
    assert found is not None, f"the README does not say {words!r}"
    return "".join(line.removeprefix("    ") for line in found[1].splitlines(keepends=True))


def commands(words: str, program: str) -> dict[str, list[str]]:
    """The lines of a block that call a program, by subcommand."""
    lines = [shlex.split(line, comments=True) for line in block_after(words).splitlines()]
    return {line[1]: line for line in lines if line and line[0] == program}


def finish(process: subprocess.Popen[str]) -> str:
    output, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, output
    return output


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder with the README's task in it."""
    subprocess.run(["/bin/sh", "-eu", "-c", block_after("Ten lines make")], cwd=tmp_path, check=True)
    return tmp_path


def start(desk: Path, *command: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command,
        cwd=desk,
        env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "TMPDIR": str(desk)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.fixture
def daemon(desk: Path) -> Iterator[None]:
    """`crowdd serve` as the README starts it, ready; it and its router are gone at the end."""
    serve = commands("over a Unix socket:", "crowdd")["serve"]
    process = start(desk, *serve, "--end-routers")
    assert process.stdout is not None
    try:
        assert any("ready: control socket" in line for line in process.stdout)
        yield
    finally:
        process.send_signal(signal.SIGINT)
        finish(process)


def test_the_ten_lines_are_ten_and_make_a_task_that_can_be_launched(desk: Path) -> None:
    assert len(block_after("Ten lines make").splitlines()) == 10
    said = finish(start(desk, *commands("Try it:", "crowdd")["check"]))
    assert "ready to launch" in said


def test_simulated_workers_do_the_first_task(desk: Path) -> None:
    said = finish(start(desk, *commands("Try it:", "crowdd")["run"]))
    assert "completed, 2 answers" in said


@pytest.mark.usefixtures("daemon")
def test_the_daily_commands_do_what_they_say(desk: Path) -> None:
    daily = commands("over a Unix socket:", "crowdctl")
    finish(start(desk, *daily["launch"]))
    assert finish(start(desk, *daily["links"])).count("http://127.0.0.1:") == 2
    watch = start(desk, *daily["watch"])
    finish(start(desk, *daily["export"]))
    assert (desk / "names.jsonl").read_text() == ""
    finish(start(desk, *daily["stop"]))
    assert "stopped" in finish(watch)
