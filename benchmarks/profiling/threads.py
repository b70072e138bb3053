"""The CPU time of each thread of a process, by the system's count."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path


def cpu_of_threads(pid: int) -> dict[int, float]:
    """Seconds of each thread that lives, to the nanosecond."""
    spent: dict[int, float] = {}
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # it has ended since
            spent[int(thread.name)] = int((thread / "schedstat").read_text().split()[0]) / 1e9
    return spent


def spent_since(before: Mapping[int, float], now: Mapping[int, float]) -> dict[int, float]:
    """What each that lives now has taken since; one that began since, all it has."""
    return {thread: cpu_s - before.get(thread, 0.0) for thread, cpu_s in now.items()}
