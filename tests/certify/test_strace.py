"""What strace says, read; and what it does to a real process."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio

from crowdd.testing.certify.strace import Call, Fault, Injection, Threads, open_strace, read_calls

LOG = """\
3845  pwrite64(4</tmp/a/crowdd.db-wal>, ""..., 24, 0 <unfinished ...>
3801  sendto(7<socket:[4847140]>, ""..., 1, 0, NULL, 0) = 1
3845  <... pwrite64 resumed>)           = 24
3845  fdatasync(4</tmp/a/crowdd.db-wal>) = -1 EIO (Input/output error) (INJECTED)
3845  renameat2(AT_FDCWD</tmp>, "/tmp/a/.x", AT_FDCWD</tmp>, "/tmp/a/x", 0) = 0
3845  unlink("/tmp/a/x") = 0
3845  +++ killed by SIGKILL +++
"""
WRITER = """
import os, sys
file = os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY)
for line in sys.stdin:
    for _ in range(3):
        try:
            os.pwrite(file, b"x", 0)
            print("written", flush=True)
        except OSError as exc:
            print(exc.strerror, flush=True)
"""


def test_calls_are_read_with_their_thread_and_what_they_are_about() -> None:
    assert list(read_calls(LOG, 1)) == [
        Call(3845, "pwrite64", "/tmp/a/crowdd.db-wal", False),
        Call(3801, "sendto", "socket:[4847140]", False),
        Call(3845, "fdatasync", "/tmp/a/crowdd.db-wal", True),
        Call(3845, "renameat2", "/tmp/a/.x", False),
        Call(3845, "unlink", "/tmp/a/x", False),
    ]


def test_without_other_threads_lines_are_the_process_own() -> None:
    (call,) = read_calls("fsync(3</tmp/a>)          = 0\n", 7)
    assert call == Call(7, "fsync", "/tmp/a", False)


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Writes three times for every line that it is told."""
    command = [sys.executable, "-c", WRITER, str(tmp_path / "file")]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    tell(process)
    yield process
    process.kill()
    process.communicate()


def tell(process: subprocess.Popen[bytes]) -> list[str]:
    """What it says to one line: three answers, or fewer when it dies."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"go\n")
    process.stdin.flush()
    return [said.decode().strip() for _ in range(3) if (said := process.stdout.readline())]


@pytest.mark.parametrize("threads", Threads)
async def test_the_nth_call_fails_and_no_other(
    writer: subprocess.Popen[bytes], tmp_path: Path, threads: Threads
) -> None:
    async with open_strace(
        writer.pid, tmp_path / "log", Injection(Fault.ENOSPC, "pwrite64", 2), threads
    ) as strace:
        said = await trio.to_thread.run_sync(tell, writer)
    assert said == ["written", os.strerror(28), "written"]
    assert [call.injected for call in strace.calls() if call.name == "pwrite64"] == [False, True, False]
    assert tell(writer) == ["written"] * 3


async def test_at_its_nth_call_a_process_is_killed(writer: subprocess.Popen[bytes], tmp_path: Path) -> None:
    async with open_strace(writer.pid, tmp_path / "log", Injection(Fault.KILL, "pwrite64", 3)):
        assert await trio.to_thread.run_sync(tell, writer) == ["written"] * 2
    assert writer.wait() == -9
