"""Runs, what they are made of, and what is done with them as a whole."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from . import shapes
from .asking import Asking, RunName, path_of
from .reading import read

DELETE_S = 3600.0  # a million units go in many small steps; the daemon goes on also when nobody waits


class Runs(Asking):
    """What `Client` asks about runs."""

    def runs(self, states: Iterable[str] = ()) -> "list[shapes.RunInfo]":
        """All runs, oldest first, or those in one of `states`."""
        found = self._connection.get("/runs", [("status", state) for state in states])
        return [read(shapes.RunInfo, each) for each in found["runs"]]

    def show(self, run: RunName) -> "shapes.RunDetails":
        """One run."""
        return read(shapes.RunDetails, self._connection.get(path_of(run)))

    def units(self, run: RunName, statuses: Sequence[str] = ()) -> "Iterator[shapes.UnitInfo]":
        """The run's units, in order."""
        return self._rows(shapes.UnitInfo, run, "units", statuses)

    def agents(
        self, run: RunName, statuses: Sequence[str] = (), worker: int | str | None = None
    ) -> "Iterator[shapes.AgentInfo]":
        """The run's agents, in order, or those of one worker."""
        chosen: list[tuple[str, str | int]] = [("status", status) for status in statuses]
        chosen += [] if worker is None else [("worker", worker)]
        return self._pages(shapes.AgentInfo, path_of(run, "agents"), "agents", chosen)

    def owed(self, run: RunName) -> "Iterator[shapes.DebtInfo]":
        """What workers have coming for waiting, beside the pay for units, oldest first."""
        return self._rows(shapes.DebtInfo, run, "owed", ())

    def late(self, run: RunName) -> "Iterator[shapes.LateInfo]":
        """Answers that came too late to count, oldest first."""
        return self._rows(shapes.LateInfo, run, "late", ())

    def errors(self, run: RunName) -> "Iterator[shapes.ErrorInfo]":
        """What went wrong in the run's pages, hooks and plug-ins, oldest first."""
        return self._rows(shapes.ErrorInfo, run, "errors", ())

    def links(self, run: RunName, workers: Sequence[str]) -> "list[shapes.Link]":
        """A personal address for each worker."""
        return self._links(run, {"workers": list(workers)})

    def new_links(self, run: RunName, count: int) -> "list[shapes.Link]":
        """Personal addresses for `count` workers who have no names yet."""
        return self._links(run, {"count": count})

    def _links(self, run: RunName, for_whom: Mapping[str, Any]) -> "list[shapes.Link]":
        return [
            read(shapes.Link, each)
            for each in self._connection.post(path_of(run, "links"), for_whom)["links"]
        ]

    def revoke_link(self, link: str, now: bool = False) -> "shapes.RevokedLink":
        """Refuse a personal link, as it was given, from its next request on; `now` takes its units, too."""
        return read(shapes.RevokedLink, self._connection.post("/links/revoke", {"link": link, "now": now}))

    def revoke_link_of(self, run: RunName, worker: str, now: bool = False) -> "shapes.RevokedLink":
        """The same for the link to the run that a worker was given last."""
        path = path_of(run, "links", "revoke")
        return read(shapes.RevokedLink, self._connection.post(path, {"worker": worker, "now": now}))

    def pause(self, run: RunName, why: str = "") -> "shapes.PausedRun":
        """Let nobody new in until `resume`; who is at work goes on. `why` is kept in history."""
        return read(shapes.PausedRun, self._connection.post(path_of(run, "pause"), {"why": why}))

    def resume(self, run: RunName, why: str = "") -> "shapes.PausedRun":
        """Let workers in again."""
        return read(shapes.PausedRun, self._connection.post(path_of(run, "resume"), {"why": why}))

    def expire(self, run: RunName) -> int:
        """Expire the units that nobody has begun; says how many."""
        return int(self._connection.post(path_of(run, "expire"), {})["expired"])

    def stop(self, run: RunName, now: bool = False) -> "shapes.RunInfo":
        """Let no more workers in; with `now`, end those at work, too."""
        return read(shapes.RunInfo, self._connection.post(path_of(run, "stop"), {"now": now}))

    def stock(self, run: RunName) -> "shapes.Stock":
        """What would go if the run were deleted."""
        return read(shapes.Stock, self._connection.get(path_of(run, "stock")))

    def delete(self, run: RunName) -> "shapes.DeletedRun":
        """Delete an ended run with its files, for good; says what it had."""
        return read(shapes.DeletedRun, self._connection.delete(path_of(run), timeout_s=DELETE_S))
