"""Small programs for tests of what starts programs."""

import signal
import sys
from collections.abc import Sequence


def echo(arguments: Sequence[str]) -> None:
    print(*arguments)


def leave(arguments: Sequence[str]) -> None:
    sys.exit(int(arguments[0]))


def fail(arguments: Sequence[str]) -> None:
    raise ValueError("planned")


def wait(arguments: Sequence[str]) -> None:
    signal.pause()
