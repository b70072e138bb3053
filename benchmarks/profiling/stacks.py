"""What a sampler saw: stacks of calls with how often each was met, read from py-spy's raw form."""

import re
from collections.abc import Iterator

import attrs

_LINE = re.compile(r"thread \((\d+)\): ([^;]*);?(.*) (\d+)")
_FRAME = re.compile(r"(.*) \((.*?)(?::\d+)?\)")
_GENERATED = re.compile(r"<c?attrs generated [a-z]+ (.*)>")
_NUMBER = re.compile(r"[ -]?\d+$")
_KEPT_FOLDERS = 3  # of a path: what a file lies in above is the machine's, not the program's


@attrs.frozen
class Call:
    """A function, and the file that it stands in as Python was told of it."""

    function: str
    file: str

    @property
    def module(self) -> str:
        """Ours by module, libraries by package: whose time it is."""
        if not self.file.endswith(".py"):
            return ".".join(self.file.strip("<>").split(".")[:-1]) or self.file
        names = self.file.removesuffix(".py").split("/")
        return ".".join(names) if names[0] == "crowdd" else names[0]

    def __str__(self) -> str:
        return f"{self.function} ({self.file})"


@attrs.frozen
class Stack:
    """Calls as they were met in a thread, the outermost first, and how often."""

    thread_id: int
    thread: str
    calls: tuple[Call, ...]
    times: int


def read_stacks(raw: str) -> Iterator[Stack]:
    """The stacks of `py-spy record --format raw --threads`, a line each."""
    for found in filter(None, map(_LINE.fullmatch, raw.splitlines())):
        thread_id, thread, frames, times = found.groups()
        calls = tuple(_call(frame) for frame in frames.split(";") if frame)
        yield Stack(int(thread_id), kind_of(thread), calls, int(times))


def kind_of(thread: str) -> str:
    """Threads that do the same have the same name, with a number behind it."""
    return _NUMBER.sub("", thread)


def _call(frame: str) -> Call:
    found = _FRAME.fullmatch(frame)
    return Call(*(found[1], _file(found[2]))) if found else Call(frame, "?")


def _file(name: str) -> str:
    if generated := _GENERATED.fullmatch(name):
        return generated[1]
    return "/".join(name.split("/")[-_KEPT_FOLDERS:]) if name.startswith("/") else name
