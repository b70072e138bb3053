"""Small programs for tests of what starts programs."""

import importlib
import signal
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder


def echo(arguments: Sequence[str]) -> None:
    print(*arguments)


def leave(arguments: Sequence[str]) -> None:
    sys.exit(int(arguments[0]))


def fail(arguments: Sequence[str]) -> None:
    raise ValueError("planned")


def wait(arguments: Sequence[str]) -> None:
    signal.pause()


def told(arguments: Sequence[str]) -> None:
    """Another program, given first, with the rest; what it imports is printed as it does."""
    program, *rest = arguments
    module, _, name = program.partition(":")
    sys.meta_path.insert(0, _Told())
    getattr(importlib.import_module(module), name)(rest)


class _Told(MetaPathFinder):
    def find_spec(self, fullname: str, path: object, target: object = None) -> None:
        print("imports", fullname, flush=True)
