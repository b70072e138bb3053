"""py-spy beside a running process: it looks at all stacks so many times a second."""

import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import attrs

FOR_EVER_S = 3600
END_S = 60.0
MISSING = "py-spy is needed, which belongs to what the tests need: pip install -c constraints.txt py-spy"
REFUSED = (
    "py-spy may not look into the processes. It needs ptrace: be root, or set kernel.yama.ptrace_scope to 0"
    " (sysctl), or start the container with --cap-add SYS_PTRACE"
)


class CannotSample(Exception):
    """py-spy is not there or may not look; the message names the remedy."""


@attrs.define
class Sampled:
    """`raw` and `late` once the block is left."""

    raw: str = ""
    late: bool = False
    """The machine was so busy that looks came later than they should."""


@contextmanager
def open_sampler(pid: int, rate: int, folder: Path) -> Generator[Sampled]:
    """Sample the process until the block is left. CannotSample: not possible here."""
    kept = folder / f"{pid}.stacks"
    process = _start(pid, rate, kept)
    sampled = Sampled()
    try:
        _wait_until_it_looks(process)
        yield sampled
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=END_S)
        sampled.raw, sampled.late = kept.read_text(), "behind in sampling" in said
    finally:
        process.kill()
        process.communicate()


def command_of_py_spy() -> str:
    """Where it is, beside this Python or on the path. CannotSample: nowhere."""
    beside = Path(sys.executable).with_name("py-spy")
    if found := shutil.which(beside) or shutil.which("py-spy"):
        return found
    raise CannotSample(MISSING)


def _start(pid: int, rate: int, kept: Path) -> "subprocess.Popen[str]":
    how = ["--format", "raw", "--threads", "--rate", f"{rate}", "--duration", f"{FOR_EVER_S}"]
    return subprocess.Popen(
        [command_of_py_spy(), "record", "--pid", f"{pid}", *how, "--output", str(kept)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _wait_until_it_looks(process: "subprocess.Popen[str]") -> None:
    assert process.stdout is not None
    said = ""
    while line := process.stdout.readline():
        said += line
        if "Sampling process" in line:
            return
    raise CannotSample(why_it_ended(said))


def why_it_ended(said: str) -> str:
    """In words of ours where there is a remedy, else in its own."""
    refused = re.search("permission|not permitted|ptrace", said, re.IGNORECASE)
    return REFUSED if refused else f"py-spy ended: {said.strip()[-500:]}"
