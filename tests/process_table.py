"""What the system says of the processes that run at present."""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import trio

LOOK_S = 0.02  # between two looks at what only another process can change


def files_of(pid: int) -> Iterator[str]:
    """What it has open: nothing once it has ended, or where it is another user's."""
    with suppress(OSError):
        for number in os.listdir(f"/proc/{pid}/fd"):
            with suppress(OSError):  # files come and go
                yield os.readlink(f"/proc/{pid}/fd/{number}")


def words_of(pid: int) -> list[bytes]:
    """With what it was started; nothing of one that has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return []


def spares(data: Path) -> list[int]:
    """The processes started to be kept ready for this folder, also those that became routers since."""
    return started_with("spare-router", str(data.absolute()))


def started_with(*words: str) -> list[int]:
    """The processes that have all these among their words."""
    wanted = {word.encode() for word in words}
    return [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if wanted <= {*words_of(pid)}]


async def first_of(look: Callable[[], list[int]]) -> int:
    """The first process that the look finds, once there is one."""
    while not (found := look()):
        await trio.sleep(LOOK_S)
    return found[0]
