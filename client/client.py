"""The typed client: one method for each thing that can be asked of the daemon."""

import hashlib
import os
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from .connection import Connection, chunks, lines
from .errors import ConnectionCut, DaemonUnreachable, LaunchUnknown, NoSuchRun, NotEnded
from .following import STREAM_SILENCE_S, Patience, follow_events
from .reading import read
from .shapes.history import Event, Why
from .shapes.links import Link, RevokedLink
from .shapes.people import BlockInfo, WorkerDetails, WorkerInfo
from .shapes.plans import OptionsInfo, PlanInfo
from .shapes.qualifications import Granted, Holder, QualificationDetails, QualificationInfo
from .shapes.reviews import Reviewed
from .shapes.runs import ExtendedRun, PausedRun, RunDetails, RunInfo, Snapshot, Stock
from .shapes.service import DaemonStatus, DiskInfo, LogPart
from .shapes.work import AgentInfo, ErrorInfo, FileInfo, Submission, UnitInfo, WorkInfo
from .socket_path import default_socket
from .task import Task, written_task

DELETE_S = 3600.0  # a million units go in many small steps; the daemon goes on also when nobody waits
LAUNCH_S = 600.0  # deploying to far routers takes minutes
EXPORT_SILENCE_S = 300.0  # CSV reads everything once before its first line
REVIEWS_AT_ONCE = 200  # the daemon stores each by itself
REVIEW_S = 120.0  # so many writes, and providers that are given a moment
PAGE_ROWS = 500
SUBMISSIONS_PAGE = 100  # each may be megabytes
ENDED = frozenset({"completed", "stopped", "failed"})
"""The states that no run leaves."""

T = TypeVar("T")
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

    def status(self) -> DaemonStatus:
        """What the daemon says of itself."""
        return read(DaemonStatus, self._connection.get("/status"))

    def disk(self) -> DiskInfo:
        """What takes how much in the daemon's data folder."""
        return read(DiskInfo, self._connection.get("/disk"))

    def launch(
        self,
        task: str | os.PathLike[str] | Task,
        overrides: Mapping[str, str] | None = None,
        launch_id: str | None = None,
    ) -> RunInfo:
        """Launch a task: its folder, or one made in Python. The same `launch_id` again gives the run it made.

        TaskFolderRefused; LaunchRefused, with all problems; LaunchUnknown: the daemon went away meanwhile.
        """
        from .packing import packed_task  # takes a fifth of the time that crowdctl needs to start

        launch_id = launch_id or os.urandom(16).hex()
        parameters = [("launch_id", launch_id)]
        parameters += [("set", f"{key}={value}") for key, value in (overrides or {}).items()]
        try:
            with _folder_of(task) as folder, packed_task(folder) as archive:
                return read(RunInfo, self._connection.upload("/runs", parameters, archive, LAUNCH_S))
        except ConnectionCut as exc:
            raise LaunchUnknown(
                f"{exc.message} Whether the run was launched is not known.",
                f"Launch again with the launch id {launch_id}: that never launches twice.",
                launch_id,
            ) from exc

    def until_open(self, run: RunName, timeout_s: float = 60.0) -> Snapshot | None:
        """Return when workers can come, or it is known that they cannot; None when time is over."""
        give_up_at = time.monotonic() + timeout_s
        for snapshot in self.follow(run):
            if snapshot.is_open or snapshot.trouble or snapshot.state in ENDED:
                return snapshot
            if time.monotonic() > give_up_at:
                break
        return None

    def plan(
        self, task: str | os.PathLike[str] | Task, overrides: Mapping[str, str] | None = None
    ) -> PlanInfo:
        """What `launch` would launch; nothing is. TaskFolderRefused, LaunchRefused (with all problems)."""
        from .packing import packed_task

        parameters = [("set", f"{key}={value}") for key, value in (overrides or {}).items()]
        with _folder_of(task) as folder, packed_task(folder) as archive:
            return read(PlanInfo, self._connection.upload("/plan", parameters, archive, LAUNCH_S))

    def options(self, kind: str | None = None, name: str | None = None) -> OptionsInfo:
        """All plug-ins, of a kind, or one by its name; of the kind `task`: what task.toml takes. Refused."""
        asked = [("kind", kind), ("name", name)]
        return read(
            OptionsInfo,
            self._connection.get("/options", [(key, word) for key, word in asked if word is not None]),
        )

    def folder_options(self, folder: str | os.PathLike[str]) -> OptionsInfo:
        """What can be set for the task in `folder`, whose task.py the daemon runs. LaunchRefused."""
        from .packing import packed_task

        with packed_task(Path(folder)) as archive:
            return read(OptionsInfo, self._connection.upload("/options", [], archive, LAUNCH_S))

    def runs(self, states: Iterable[str] = ()) -> list[RunInfo]:
        """All runs, oldest first, or those in one of `states`."""
        found = self._connection.get("/runs", [("status", state) for state in states])
        return [read(RunInfo, each) for each in found["runs"]]

    def show(self, run: RunName) -> RunDetails:
        """One run."""
        return read(RunDetails, self._connection.get(_path(run)))

    def units(self, run: RunName, statuses: Sequence[str] = ()) -> Iterator[UnitInfo]:
        """The run's units, in order."""
        return self._rows(UnitInfo, run, "units", statuses)

    def agents(
        self, run: RunName, statuses: Sequence[str] = (), worker: int | str | None = None
    ) -> Iterator[AgentInfo]:
        """The run's agents, in order, or those of one worker."""
        chosen: list[tuple[str, str | int]] = [("status", status) for status in statuses]
        chosen += [] if worker is None else [("worker", worker)]
        return self._pages(AgentInfo, _path(run, "agents"), "agents", chosen)

    def review(
        self,
        verdict: str,
        agents: Iterable[int] = (),
        units: Iterable[int] = (),
        note: str | None = None,
    ) -> Iterator[Reviewed]:
        """Judge work: `approve`, `soft_reject` (paid, below the bar) or `reject` (needs a note, as reason).

        By agents, or by units; says of each, as it is stored, what became of it.
        """
        yield from self._review(verdict, "agents", list(agents), note)
        yield from self._review(verdict, "units", list(units), note)

    def _review(self, verdict: str, key: str, numbers: list[int], note: str | None) -> Iterator[Reviewed]:
        for first in range(0, len(numbers), REVIEWS_AT_ONCE):
            some = numbers[first : first + REVIEWS_AT_ONCE]
            body = {"verdict": verdict, key: some, "note": note or ""}
            for each in self._connection.post("/reviews", body, REVIEW_S)["reviews"]:
                yield read(Reviewed, each)

    def errors(self, run: RunName) -> Iterator[ErrorInfo]:
        """What went wrong in the run's pages, hooks and plug-ins, oldest first."""
        return self._rows(ErrorInfo, run, "errors", ())

    def workers(self, provider: str | None = None) -> Iterator[WorkerInfo]:
        """Everybody who ever came, or came through one provider, in order."""
        chosen = [] if provider is None else [("provider", provider)]
        return self._pages(WorkerInfo, "/workers", "workers", chosen)

    def worker(self, worker: int | str) -> WorkerDetails:
        """One worker, by number or `provider:name`."""
        return read(WorkerDetails, self._connection.get("/worker", [("worker", worker)]))

    def work_of(self, worker: int | str) -> Iterator[WorkInfo]:
        """Everything a worker worked on, in order."""
        return self._pages(WorkInfo, "/worker/agents", "agents", [("worker", worker)])

    def why_worker(self, worker: int | str, run: RunName | None = None) -> Why:
        """Why a worker got what they got, in one run or in all: decisions with their facts, and history."""
        chosen: list[tuple[str, str | int]] = [("worker", worker)]
        chosen += [] if run is None else [("run", run)]
        return read(Why, self._connection.get("/why/worker", chosen))

    def why_unit(self, unit: int) -> Why:
        """Why a unit is where it is: whom it was given to, and how it came back."""
        return read(Why, self._connection.get(f"/why/unit/{unit:d}"))

    def why_agent(self, agent: int) -> Why:
        """Why an agent got its unit, and how it ended and was judged."""
        return read(Why, self._connection.get(f"/why/agent/{agent:d}"))

    def block(self, workers: Sequence[int | str], reason: str) -> list[BlockInfo]:
        """Let these workers have nothing new, in any run; who is at work keeps their unit. All or none."""
        body = {"workers": list(map(str, workers)), "reason": reason}
        told = self._connection.post("/workers/block", body, REVIEW_S)["workers"]
        return [read(BlockInfo, each) for each in told]

    def unblock(self, workers: Sequence[int | str], reason: str = "") -> list[BlockInfo]:
        """Let these workers in again. All or none."""
        body = {"workers": list(map(str, workers)), "reason": reason}
        told = self._connection.post("/workers/unblock", body, REVIEW_S)["workers"]
        return [read(BlockInfo, each) for each in told]

    def qualifications(self) -> list[QualificationInfo]:
        """All qualifications, in the order in which they were made."""
        told = self._connection.get("/qualifications")["qualifications"]
        return [read(QualificationInfo, each) for each in told]

    def create_qualification(self, name: str, description: str | None = None) -> QualificationInfo:
        """Make a qualification."""
        body = {"name": name, **({} if description is None else {"description": description})}
        return read(QualificationInfo, self._connection.post("/qualifications", body))

    def qualification(self, name: str) -> QualificationDetails:
        """One qualification with its newest changes."""
        return read(QualificationDetails, self._connection.get("/qualification", [("name", name)]))

    def holders(self, qualification: str) -> Iterator[Holder]:
        """Who has it, by worker number."""
        return self._pages(Holder, "/qualification/workers", "workers", [("name", qualification)])

    def delete_qualification(self, name: str) -> int:
        """Remove a qualification and take it from everybody; says how many had it."""
        return int(self._connection.delete("/qualification", [("name", name)])["revoked"])

    def grant(
        self, workers: Sequence[int | str], qualification: str, value: int = 1, why: str = ""
    ) -> list[Granted]:
        """Give workers a value of a qualification; it replaces what they had. All or none."""
        whom = {"qualification": qualification, "workers": list(map(str, workers))}
        body = {**whom, "value": value, "why": why}
        told = self._connection.post("/workers/grant", body)["grants"]
        return [read(Granted, each) for each in told]

    def revoke(self, workers: Sequence[int | str], qualification: str, why: str = "") -> list[Granted]:
        """Take a qualification away from workers; who does not have it stays as they are."""
        body = {"qualification": qualification, "workers": list(map(str, workers)), "why": why}
        told = self._connection.post("/workers/revoke", body)["grants"]
        return [read(Granted, each) for each in told]

    def _rows(self, kind: type[T], run: RunName, name: str, statuses: Sequence[str]) -> Iterator[T]:
        return self._pages(kind, _path(run, name), name, [("status", status) for status in statuses])

    def _pages(
        self, kind: type[T], path: str, name: str, parameters: Sequence[tuple[str, str | int]]
    ) -> Iterator[T]:
        after: int | None = 0
        while after is not None:
            page = self._connection.get(path, [("after", after), ("limit", PAGE_ROWS), *parameters])
            for each in page[name]:
                yield read(kind, each)
            after = page["next"]

    def links(self, run: RunName, workers: Sequence[str]) -> list[Link]:
        """A personal address for each worker."""
        return self._links(run, {"workers": list(workers)})

    def new_links(self, run: RunName, count: int) -> list[Link]:
        """Personal addresses for `count` workers who have no names yet."""
        return self._links(run, {"count": count})

    def _links(self, run: RunName, for_whom: Mapping[str, Any]) -> list[Link]:
        return [read(Link, each) for each in self._connection.post(_path(run, "links"), for_whom)["links"]]

    def revoke_link(self, link: str, now: bool = False) -> RevokedLink:
        """Refuse a personal link, as it was given, from its next request on; `now` takes its units, too."""
        return read(RevokedLink, self._connection.post("/links/revoke", {"link": link, "now": now}))

    def revoke_link_of(self, run: RunName, worker: str, now: bool = False) -> RevokedLink:
        """The same for the link to the run that a worker was given last."""
        path = _path(run, "links", "revoke")
        return read(RevokedLink, self._connection.post(path, {"worker": worker, "now": now}))

    def stop(self, run: RunName, now: bool = False) -> RunInfo:
        """Let no more workers in; with `now`, end those at work, too."""
        return read(RunInfo, self._connection.post(_path(run, "stop"), {"now": now}))

    def pause(self, run: RunName, why: str = "") -> PausedRun:
        """Let nobody new in until `resume`; who is at work goes on. `why` is kept in history."""
        return read(PausedRun, self._connection.post(_path(run, "pause"), {"why": why}))

    def resume(self, run: RunName, why: str = "") -> PausedRun:
        """Let workers in again."""
        return read(PausedRun, self._connection.post(_path(run, "resume"), {"why": why}))

    def extend(
        self,
        run: RunName,
        settings: Mapping[str, str] | None = None,
        rows: str | os.PathLike[str] | None = None,
        present: bool = False,
        request_id: str | None = None,
    ) -> ExtendedRun:
        """Change `limits.NAME` and `pay.reward`, and add the rows of a file; all of it or nothing.

        `present`: those at work get the time for a unit, too, where it is more than they have. The same
        `request_id` again adds no rows twice. ExtensionRefused (with all problems), OSError (the file).
        """
        parameters = [
            ("request_id", request_id or os.urandom(16).hex()),
            ("present", "1" if present else "0"),
        ]
        parameters += [("set", f"{key}={value}") for key, value in (settings or {}).items()]
        path = _path(run, "extend")
        with open(os.devnull if rows is None else rows, "rb") as file:
            parameters += [] if rows is None else [("rows", Path(rows).name)]
            return read(ExtendedRun, self._connection.upload(path, parameters, file, LAUNCH_S))

    def stock(self, run: RunName) -> Stock:
        """What would go if the run were deleted."""
        return read(Stock, self._connection.get(_path(run, "stock")))

    def delete(self, run: RunName) -> Stock:
        """Delete an ended run with its files, for good; says what it had."""
        return read(Stock, self._connection.delete(_path(run), timeout_s=DELETE_S))

    def expire(self, run: RunName) -> int:
        """Expire the units that nobody has begun; says how many."""
        return int(self._connection.post(_path(run, "expire"), {})["expired"])

    def log_levels(self) -> list[LogPart]:
        """The parts of the daemon that log, and how much each says."""
        return [read(LogPart, each) for each in self._connection.get("/log")["parts"]]

    def set_log_level(self, part: str, level: str) -> LogPart:
        """Let a part log from `level` on, until the daemon ends. Refused, with the nearest name."""
        return read(LogPart, self._connection.post("/log", {"part": part, "level": level}))

    def watch(self, run: RunName, silence_s: float = STREAM_SILENCE_S) -> Iterator[Snapshot]:
        """Progress now and at every change; ends when the run has ended."""
        with self._connection.open("GET", _path(run, "watch"), timeout_s=silence_s) as body:
            for line in lines(body):
                yield read(Snapshot, line)

    def follow(
        self, run: RunName, away_s: float = 60.0, on_away: Callable[[str], object] = lambda why: None
    ) -> Iterator[Snapshot]:
        """`watch` that goes on when the daemon restarts, if it is back within `away_s`.

        `on_away` is told in words each time that it is not there; the next snapshot says that it is back.
        """
        patience = Patience(away_s, on_away)
        while True:
            try:
                for snapshot in self.watch(run):
                    patience.renew()
                    yield snapshot
                    if snapshot.state in ENDED:
                        return
                raise ConnectionCut("The daemon stopped telling.", "See whether it runs: `crowdctl status`.")
            except DaemonUnreachable as away:
                patience.wait(away)

    def wait(self, *runs: RunName, timeout_s: float | None = None) -> list[Snapshot]:
        """Return when all the runs have ended, with how they ended; over restarts of the daemon.

        NotEnded when the time is over.
        """
        give_up_at = None if timeout_s is None else time.monotonic() + timeout_s
        ends = [self._end_of(run, give_up_at) for run in runs]
        late = [end.run for end in ends if end.state not in ENDED]
        if late:
            words = f"Not ended within {timeout_s:g} s: {', '.join(late)}."
            raise NotEnded(words, "They go on; wait again.", late, ends)
        return ends

    def _end_of(self, run: RunName, give_up_at: float | None) -> Snapshot:
        """The last snapshot of the run: ended, or as it is when the time is over."""
        for snapshot in self.follow(run):
            if snapshot.state in ENDED or (give_up_at is not None and time.monotonic() >= give_up_at):
                return snapshot
        raise AssertionError("follow ends only after a snapshot of an ended run")

    def events(
        self,
        run: RunName | None = None,
        after: int | None = 0,
        away_s: float = 60.0,
        on_away: Callable[[str], object] = lambda why: None,
    ) -> Iterator[Event]:
        """What is written to the history, as it happens: of one run until it has ended, or of all, for ever.

        Begins behind the position `after` (an event's `id`), so that nothing is missed by whoever keeps the
        last one they saw: 0 is the very beginning, None is now. Goes on when the daemon restarts, if it is
        back within `away_s`; else DaemonUnreachable.
        """
        return follow_events(self._connection, run, after, away_s, on_away)

    def submissions(self, run: RunName, after: int = 0) -> Iterator[Submission]:
        """One for each agent that submitted, in the order of agents, read page by page.

        `after` is the last agent's number that was seen.
        """
        while True:
            with self._connection.open(
                "GET", _path(run, "export"), [("after", after), ("limit", SUBMISSIONS_PAGE)]
            ) as body:
                page = [read(Submission, line) for line in lines(body)]
            if not page:
                return
            yield from page
            after = page[-1].agent_id

    def read_file(self, run: RunName, file: FileInfo | str) -> bytes:
        """What is in an uploaded file, by its note or its sha256. ConnectionCut: it did not come whole."""
        return b"".join(self.file(run, file))

    def file(self, run: RunName, file: FileInfo | str) -> Iterator[bytes]:
        """The same in pieces, for large ones; the last one comes once all are what they should be."""
        sha256 = file if isinstance(file, str) else file.sha256
        digest, held = hashlib.sha256(), b""
        with self._connection.open("GET", _path(run, "files", quote(sha256, safe=""))) as body:
            for piece in chunks(body):
                digest.update(piece)
                yield held
                held = piece
        if digest.hexdigest() != sha256:
            raise ConnectionCut(f"The file {sha256} did not come as it was uploaded.", "Ask again.")
        yield held

    def export(self, run: RunName, kind: str = "jsonl") -> Iterator[bytes]:
        """The export (`jsonl` or `csv`) in pieces; ConnectionCut when it did not come whole."""
        with self._connection.open(
            "GET", _path(run, "export"), [("format", kind)], timeout_s=EXPORT_SILENCE_S
        ) as body:
            yield from chunks(body)

    def save_export(self, run: RunName, path: str | os.PathLike[str], kind: str = "jsonl") -> int:
        """Write the export to a file: all of it, or the file stays as it was. Returns how many lines.

        The file is readable by its owner alone. OSError.
        """
        from .saving import save  # as packing: not every command needs it

        return save(self.export(run, kind), Path(path))


@contextmanager
def _folder_of(task: str | os.PathLike[str] | Task) -> Generator[Path]:
    if isinstance(task, Task):
        with written_task(task) as folder:
            yield folder
    else:
        yield Path(task)


def _path(run: RunName, *rest: str) -> str:
    if "/" in str(run) or run in ("", ".", ".."):  # would be another path
        raise NoSuchRun(404, "no_such_run", f"There is no run {run!r}.", "`crowdctl runs` lists them.")
    return "/".join(["/runs", quote(str(run), safe=""), *rest])
