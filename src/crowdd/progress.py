"""Shows how runs get on: live bars on a terminal, a line now and then elsewhere. Blocking."""

import time
from collections.abc import Sequence
from queue import SimpleQueue
from threading import Thread

import click

from .client import Client

LINE_S = 2.0  # without a terminal, a line for each run at most this often


def follow_runs(client: Client, labels: Sequence[str]) -> None:
    """Show the progress of all these runs until each has ended."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console()
    if not console.is_terminal:
        _in_parallel([_Lines(client, label) for label in labels])
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TextColumn("{task.fields[note]}"), console=console) as progress:
        bars = [progress.add_task(label, total=None, note="") for label in labels]

        class Bar(_Follower):
            def show(self, done: int, total: int, note: str) -> None:
                progress.update(
                    bars[labels.index(self.label)], completed=done, total=total or None, note=note
                )

        _in_parallel([Bar(client, label) for label in labels])


class _Follower:
    """Follows one run to its end."""

    def __init__(self, client: Client, label: str) -> None:
        self.client = client
        self.label = label

    def follow(self) -> None:
        for snapshot in self.client.follow(self.label):
            at_work = sum(snapshot.agents.get(status, 0) for status in ("accepted", "waiting", "in task"))
            note = f"{at_work} at work" if snapshot.state == "running" else snapshot.state
            self.show(snapshot.units_done, snapshot.units_total, note)

    def show(self, done: int, total: int, note: str) -> None:
        raise NotImplementedError


class _Lines(_Follower):
    """One line now and then, if there is news."""

    _said_at = 0.0
    _said = ""

    def show(self, done: int, total: int, note: str) -> None:
        line = f"{self.label}: {done} of {total} units, {note}"
        if line != self._said and (time.monotonic() - self._said_at >= LINE_S or done == total):
            self._said_at, self._said = time.monotonic(), line
            click.echo(line)


def _in_parallel(followers: Sequence[_Follower]) -> None:
    """Follow all at once; the first error is raised when all have ended. Ctrl-C does not wait for them."""
    ends: SimpleQueue[BaseException | None] = SimpleQueue()

    def follow(follower: _Follower) -> None:
        try:
            follower.follow()
        except BaseException as exc:  # raised again by whoever waits
            ends.put(exc)
        else:
            ends.put(None)

    for follower in followers:
        # Not a pool: leaving one joins its threads, which read until their run has ended.
        Thread(target=follow, args=(follower,), daemon=True).start()
    errors = [error for _ in followers if (error := ends.get()) is not None]
    if errors:
        raise errors[0]
