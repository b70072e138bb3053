"""How commands are given workers: one word, or many, a line each, from standard input."""

import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

FROM_STDIN = "-"


def worker_argument(command: F) -> F:
    """The worker, or `-`."""
    return click.argument("worker", metavar="WORKER")(command)


def workers_of(word: str) -> list[str]:
    """Whom the word means: one worker, or (`-`) one a line of standard input. UsageError: nobody."""
    if word != FROM_STDIN:
        return [word]
    words = [line.strip() for line in sys.stdin if line.strip()]
    if not words:
        raise click.UsageError("Standard input names no worker: write one a line.")
    return words
