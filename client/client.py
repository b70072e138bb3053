"""The typed client: one method for each thing that can be asked of the daemon."""

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from .connection import Connection, chunks, lines
from .errors import ClientError, DaemonUnreachable, NoSuchRun
from .shapes import (
    AgentInfo,
    DiskInfo,
    ErrorInfo,
    Link,
    LogPart,
    OptionsInfo,
    PausedRun,
    PlanInfo,
    RevokedLink,
    RunDetails,
    RunInfo,
    Snapshot,
    UnitInfo,
    WorkerDetails,
    WorkerInfo,
    WorkInfo,
)
from .socket_path import default_socket

LAUNCH_S = 600.0  # deploying to far routers takes minutes
WATCH_SILENCE_S = 45.0  # the daemon says something every ten seconds
EXPORT_SILENCE_S = 300.0  # CSV reads everything once before its first line
RETRY_S = 1.0
PAGE_ROWS = 500
ENDED = frozenset({"completed", "stopped", "failed"})
"""The states that no run leaves."""

RunName = int | str
"""A run's number or label."""


def connect(socket: str | os.PathLike[str] | None = None) -> "Client":
    """A client of the daemon at `socket`, by default where crowdctl looks. DaemonUnreachable."""
    client = Client(default_socket(os.environ) if socket is None else Path(socket))
    client.status()
    return client


class Client:
    """Asks the daemon. Every method may raise DaemonUnreachable, Refused and its kinds."""

    def __init__(self, socket: Path, timeout_s: float = 60.0) -> None:
        self._connection = Connection(socket, timeout_s)

    def status(self) -> dict[str, Any]:
        """What the daemon says of itself."""
        status: dict[str, Any] = self._connection.get("/status")
        return status

    def disk(self) -> DiskInfo:
        """What takes how much in the daemon's data folder."""
        use: DiskInfo = self._connection.get("/disk")
        return use

    def launch(
        self,
        folder: str | os.PathLike[str],
        overrides: Mapping[str, str] | None = None,
        launch_id: str | None = None,
    ) -> RunInfo:
        """Send a task folder and launch it. The same `launch_id` again gives the run that it made.

        TaskFolderRefused, LaunchRefused (with all problems).
        """
        from .packing import packed_task  # takes a fifth of the time that crowdctl needs to start

        parameters = [("launch_id", launch_id or os.urandom(16).hex())]
        parameters += [("set", f"{key}={value}") for key, value in (overrides or {}).items()]
        with packed_task(Path(folder)) as archive:
            run: RunInfo = self._connection.upload("/runs", parameters, archive, LAUNCH_S)
        return run

    def plan(self, folder: str | os.PathLike[str], overrides: Mapping[str, str] | None = None) -> PlanInfo:
        """What `launch` would launch; nothing is. TaskFolderRefused, LaunchRefused (with all problems)."""
        from .packing import packed_task

        parameters = [("set", f"{key}={value}") for key, value in (overrides or {}).items()]
        with packed_task(Path(folder)) as archive:
            plan: PlanInfo = self._connection.upload("/plan", parameters, archive, LAUNCH_S)
        return plan

    def options(self, kind: str | None = None, name: str | None = None) -> OptionsInfo:
        """All plug-ins, of a kind, or one by its name; of the kind `task`: what task.toml takes. Refused."""
        asked = [("kind", kind), ("name", name)]
        options: OptionsInfo = self._connection.get(
            "/options", [(key, word) for key, word in asked if word is not None]
        )
        return options

    def folder_options(self, folder: str | os.PathLike[str]) -> OptionsInfo:
        """What can be set for the task in `folder`, whose task.py the daemon runs. LaunchRefused."""
        from .packing import packed_task

        with packed_task(Path(folder)) as archive:
            options: OptionsInfo = self._connection.upload("/options", [], archive, LAUNCH_S)
        return options

    def runs(self, states: Iterable[str] = ()) -> list[RunInfo]:
        """All runs, oldest first, or those in one of `states`."""
        runs: list[RunInfo] = self._connection.get("/runs", [("status", state) for state in states])["runs"]
        return runs

    def show(self, run: RunName) -> RunDetails:
        """One run."""
        details: RunDetails = self._connection.get(_path(run))
        return details

    def units(self, run: RunName, statuses: Sequence[str] = ()) -> Iterator[UnitInfo]:
        """The run's units, in order."""
        return self._rows(run, "units", statuses)

    def agents(self, run: RunName, statuses: Sequence[str] = ()) -> Iterator[AgentInfo]:
        """The run's agents, in order."""
        return self._rows(run, "agents", statuses)

    def errors(self, run: RunName) -> Iterator[ErrorInfo]:
        """What went wrong in the run's pages, hooks and plug-ins, oldest first."""
        return self._rows(run, "errors", ())

    def workers(self, provider: str | None = None) -> Iterator[WorkerInfo]:
        """Everybody who ever came, or came through one provider, in order."""
        return self._pages("/workers", "workers", [] if provider is None else [("provider", provider)])

    def worker(self, worker: int | str) -> WorkerDetails:
        """One worker, by number or `provider:name`."""
        details: WorkerDetails = self._connection.get("/worker", [("worker", worker)])
        return details

    def work_of(self, worker: int | str) -> Iterator[WorkInfo]:
        """Everything a worker worked on, in order."""
        return self._pages("/worker/agents", "agents", [("worker", worker)])

    def _rows(self, run: RunName, kind: str, statuses: Sequence[str]) -> Iterator[Any]:
        return self._pages(_path(run, kind), kind, [("status", status) for status in statuses])

    def _pages(self, path: str, kind: str, parameters: Sequence[tuple[str, str | int]]) -> Iterator[Any]:
        after: int | None = 0
        while after is not None:
            page = self._connection.get(path, [("after", after), ("limit", PAGE_ROWS), *parameters])
            yield from page[kind]
            after = page["next"]

    def links(self, run: RunName, workers: Sequence[str]) -> list[Link]:
        """A personal address for each worker."""
        links: list[Link] = self._connection.post(_path(run, "links"), {"workers": list(workers)})["links"]
        return links

    def new_links(self, run: RunName, count: int) -> list[Link]:
        """Personal addresses for `count` workers who have no names yet."""
        links: list[Link] = self._connection.post(_path(run, "links"), {"count": count})["links"]
        return links

    def revoke_link(self, link: str, now: bool = False) -> RevokedLink:
        """Refuse a personal link, as it was given, from its next request on; `now` takes its units, too."""
        revoked: RevokedLink = self._connection.post("/links/revoke", {"link": link, "now": now})
        return revoked

    def revoke_link_of(self, run: RunName, worker: str, now: bool = False) -> RevokedLink:
        """The same for the link to the run that a worker was given last."""
        path = _path(run, "links", "revoke")
        revoked: RevokedLink = self._connection.post(path, {"worker": worker, "now": now})
        return revoked

    def stop(self, run: RunName, now: bool = False) -> RunInfo:
        """Let no more workers in; with `now`, end those at work, too."""
        info: RunInfo = self._connection.post(_path(run, "stop"), {"now": now})
        return info

    def pause(self, run: RunName, why: str = "") -> PausedRun:
        """Let nobody new in until `resume`; who is at work goes on. `why` is kept in history."""
        info: PausedRun = self._connection.post(_path(run, "pause"), {"why": why})
        return info

    def resume(self, run: RunName, why: str = "") -> PausedRun:
        """Let workers in again."""
        info: PausedRun = self._connection.post(_path(run, "resume"), {"why": why})
        return info

    def expire(self, run: RunName) -> int:
        """Expire the units that nobody has begun; says how many."""
        return int(self._connection.post(_path(run, "expire"), {})["expired"])

    def log_levels(self) -> list[LogPart]:
        """The parts of the daemon that log, and how much each says."""
        parts: list[LogPart] = self._connection.get("/log")["parts"]
        return parts

    def set_log_level(self, part: str, level: str) -> LogPart:
        """Let a part log from `level` on, until the daemon ends. Refused, with the nearest name."""
        now: LogPart = self._connection.post("/log", {"part": part, "level": level})
        return now

    def watch(self, run: RunName) -> Iterator[Snapshot]:
        """Progress now and at every change; ends when the run has ended."""
        with self._connection.open("GET", _path(run, "watch"), timeout_s=WATCH_SILENCE_S) as body:
            yield from lines(body)

    def follow(
        self, run: RunName, away_s: float = 60.0, on_away: Callable[[str], object] = lambda why: None
    ) -> Iterator[Snapshot]:
        """`watch` that goes on when the daemon restarts, if it is back within `away_s`.

        `on_away` is told in words each time that it is not there; the next snapshot says that it is back.
        """
        give_up_at = 0.0  # a daemon that was never there is not waited for
        while True:
            try:
                for snapshot in self.watch(run):
                    give_up_at = time.monotonic() + away_s
                    yield snapshot
                    if snapshot["state"] in ENDED:
                        return
            except DaemonUnreachable:
                left_s = give_up_at - time.monotonic()
                if left_s < 0:
                    raise
                on_away(
                    f"The daemon is away. Waiting for it for up to {left_s:.0f} s; what is saved is safe."
                )
            time.sleep(RETRY_S)

    def wait(self, run: RunName) -> Snapshot:
        """Return when the run has ended."""
        for snapshot in self.follow(run):
            if snapshot["state"] in ENDED:
                return snapshot
        raise ClientError(f"The daemon stopped telling about run {run}.")

    def submissions(self, run: RunName) -> Iterator[dict[str, Any]]:
        """The records of the export, one for each agent that submitted."""
        pending = b""
        for chunk in self.export(run, "jsonl"):
            *whole, pending = (pending + chunk).split(b"\n")
            yield from map(json.loads, whole)

    def export(self, run: RunName, kind: str = "jsonl") -> Iterator[bytes]:
        """The export (`jsonl` or `csv`) in pieces; ConnectionCut when it did not come whole."""
        with self._connection.open(
            "GET", _path(run, "export"), [("format", kind)], timeout_s=EXPORT_SILENCE_S
        ) as body:
            yield from chunks(body)


def _path(run: RunName, *rest: str) -> str:
    if "/" in str(run) or run in ("", ".", ".."):  # would be another path
        raise NoSuchRun(404, "no_such_run", f"There is no run {run!r}.", "`crowdctl runs` lists them.")
    return "/".join(["/runs", quote(str(run), safe=""), *rest])
