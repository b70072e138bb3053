"""An operator over real memory storage, runs and answers to put into it, and a way to ask over the socket."""

import contextlib
import http.client
import json
import os
import random
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs
import trio
from click.testing import CliRunner, Result

from crowdd.client import Client
from crowdd.client.crowdctl import main
from crowdd.daemon.blocks import Blocks, BlockSet
from crowdd.daemon.checking import LaunchRefused, Plan, check_task
from crowdd.daemon.control.shapes.service import DegradedView, HeldView, RouterUpView
from crowdd.daemon.degraded import Degraded
from crowdd.daemon.deletion import DeletionFailed, Stock
from crowdd.daemon.departure import Departure
from crowdd.daemon.disk_use import DiskUse, RunDisk
from crowdd.daemon.errands import Errand, Errands
from crowdd.daemon.grouping import Room
from crowdd.daemon.late_pay import LatePaid, LatePayer
from crowdd.daemon.launching import Warn, no_one
from crowdd.daemon.providers.contract import LinkUnknown, Place, RevokedLink
from crowdd.daemon.providers.mock import MockProvider
from crowdd.daemon.registry import installed_plug_ins
from crowdd.daemon.reloading import Reloaded
from crowdd.daemon.review import Reviewed, Reviewer
from crowdd.daemon.revocation import Revocation
from crowdd.daemon.roles import RolesConfig, Staff
from crowdd.daemon.routers import Routers
from crowdd.daemon.store_loss import StoreLoss
from crowdd.daemon.structuring import Faults
from crowdd.daemon.task_changes import Change
from crowdd.daemon.task_options import FolderOptions, folder_options
from crowdd.daemon.terms import Extended, ExtensionRefused, Wish
from crowdd.daemon.verdict import Verdict
from crowdd.protocol.names import AgentId, AgentStatus, RunId, RunState, UnitStatus, WireId, WorkerId
from crowdd.protocol.packets import FileNote
from crowdd.storage.contract import NewAssignment, NewRun, Registration, Reserved
from crowdd.storage.memory import MemoryStorage, Tables
from crowdd.storage.records import Agent, LateAnswer, TaskRun
from crowdd.storage.writes import AddOwed, AddSubmission, MoveAgent, MoveRun, MoveUnit

from .document import check_answer

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ADDRESS = "http://127.0.0.1:8100/"
STAFF = Staff(RolesConfig())
"""Nobody is named: the tests are the daemon's own user."""
SECRET_KEY = b"the run's key, never shown......"


@attrs.frozen
class FakeRouter:
    name: str = "127.0.0.1:8100"
    url: str = ADDRESS
    up: bool = True
    since: datetime = NOW
    addition: str = ""
    outbox: Mapping[str, int] = attrs.Factory(dict[str, int])


class FakeLiveRun:
    """A live run whose changes the test announces."""

    def __init__(self) -> None:
        self.address: str | None = ADDRESS
        self.router = FakeRouter()
        self.watchers = 0
        self._changed = trio.Event()
        self.groups: list[Room] = []

    def routers(self) -> Sequence[FakeRouter]:
        return [self.router]

    def change(self) -> None:
        self._changed.set()
        self._changed = trio.Event()

    async def rooms(self) -> Sequence[Room]:
        return self.groups

    def counters(self) -> dict[str, int]:
        return {"register_agent": 3}

    async def watch(self) -> AsyncIterator[None]:
        self.watchers += 1
        try:
            while True:
                changed = self._changed
                yield
                await changed.wait()
        finally:
            self.watchers -= 1


class FakeBackup:
    """A backup of three bytes."""

    async def pieces(self) -> AsyncGenerator[bytes]:
        for piece in (b"t", b"a", b"r"):
            await trio.lowlevel.checkpoint()
            yield piece


class FakeOperator:
    """Does what is asked in storage only, and remembers what it was asked."""

    def __init__(self, storage: MemoryStorage | None = None) -> None:
        self.storage = storage or MemoryStorage(Tables())
        self.departure = Departure()
        self.loss = StoreLoss(Degraded(self.wall))
        self.suspend_s = 120.0
        self.reloaded: Reloaded | Faults = Reloaded()
        self.lives: dict[RunId, FakeLiveRun] = {}
        self.degraded: list[DegradedView] = []
        self.launches: list[tuple[dict[str, str], str, str]] = []
        self.folders: list[dict[str, bytes]] = []
        self.router = FakeRouter()
        self.plug_ins = installed_plug_ins()
        self.wishes: list[tuple[Wish, bytes]] = []
        self.extended = Extended()
        self.stuck = ""
        self.left: list[str] = []
        self.warnings: list[str] = []
        self.revoked: list[tuple[str, bool]] = []
        self.files = self.scratch = Path("/nowhere")
        self.providers: dict[RunId, MockProvider] = {}
        self.errands = Errands(self.storage, self.wall, random.Random(), self.provider_of)
        self.blocks = Blocks(self.storage, self.wall, self.errands)
        self.late_payer = LatePayer(self.storage, self.wall, self.errands)
        self.reviewer = Reviewer(self.storage, self.wall, self.provider_of, self.errands, lambda agent: None)

    async def reload(self) -> Reloaded:
        if isinstance(self.reloaded, Faults):
            raise self.reloaded
        return self.reloaded

    async def launch(
        self, folder: Path, overrides: Mapping[str, str], launch_id: str, who: str, warn: Warn = no_one
    ) -> TaskRun:
        self.launches.append((dict(overrides), launch_id, who))
        paths = [path for path in folder.rglob("*") if path.is_file()]
        self.folders.append({path.relative_to(folder).as_posix(): path.read_bytes() for path in paths})
        if "nonsense" in overrides:
            raise LaunchRefused(["nonsense: is not known; did you mean 'name'?", "data.file: no such file"])
        run = await self.a_run(overrides.get("label", "digits"), launch_id=launch_id, who=who)
        warn(self.warnings)
        return run

    async def plan(self, folder: Path, overrides: Mapping[str, str]) -> Plan:
        task = check_task(self.plug_ins, folder, overrides, Routers())
        if task.problems:
            raise LaunchRefused(task.problems)
        return task.plan(task.config.label or "digits-2")

    async def folder_options(self, folder: Path) -> FolderOptions:
        return folder_options(self.plug_ins, folder)

    def live(self, run_id: RunId) -> FakeLiveRun | None:
        return self.lives.get(run_id)

    async def stop(self, run_id: RunId, now: bool, who: str) -> None:
        await self.move(run_id, RunState.STOPPED if now else RunState.DRAINING, who)

    async def pause(self, run_id: RunId, paused: bool, who: str, why: str) -> None:
        await self.storage.set_paused(run_id, paused, NOW, who, why)

    async def extend(self, run_id: RunId, wish: Wish, who: str) -> Extended:
        self.wishes.append((wish, b"" if wish.rows is None else wish.rows.read_bytes()))
        if "nonsense" in wish.settings:
            raise ExtensionRefused(["nonsense: unknown; did you mean 'limits'?", "more.jsonl:1: is not JSON"])
        changes = [Change(key, "1", words) for key, words in wish.settings.items()]
        return attrs.evolve(self.extended, changes=changes, rows=3 if wish.rows else 0)

    async def expire(self, run_id: RunId, who: str) -> int:
        return len(await self.storage.expire_units(run_id, NOW, who, "expired by staff"))

    async def links(self, run_id: RunId, workers: Sequence[str]) -> list[tuple[str, str]]:
        return [(name, f"{ADDRESS}?link={run_id}.{number}") for number, name in enumerate(workers)]

    async def revoke_link(self, link: str, now: bool, who: str) -> Revocation:
        run_id, dot, number = link.rpartition("=")[2].partition(".")
        if not dot:
            raise LinkUnknown("the link is not signed")
        return await self.revoke_link_of(RunId(int(run_id)), f"worker {number}", now, who)

    async def revoke_link_of(self, run_id: RunId, worker: str, now: bool, who: str) -> Revocation:
        if worker == "nobody":
            raise LinkUnknown("nobody was given one")
        self.revoked.append((worker, now))
        already = self.revoked.count((worker, now)) > 1
        work = len(await self.storage.agents(run_id, frozenset({AgentStatus.IN_TASK})))
        link = RevokedLink(worker, "id", already)
        return Revocation(await self.storage.run(run_id), link, 0 if now else work, work if now else 0)

    def uploads(self, run_id: RunId) -> Path:
        return self.files

    def wall(self) -> datetime:
        return NOW

    async def review(
        self, agents: Sequence[AgentId], verdict: Verdict, note: str | None, who: str
    ) -> list[Reviewed]:
        return await self.reviewer.review(agents, verdict, note, who)

    async def pay_late(
        self, late: Sequence[int], cents: int | None, note: str | None, who: str
    ) -> list[LatePaid]:
        return await self.late_payer.pay(late, cents, note, who)

    async def set_blocked(
        self, workers: Sequence[WorkerId], blocked: bool, reason: str, who: str
    ) -> list[BlockSet]:
        return await self.blocks.set(workers, blocked, reason, who)

    def owed(self, run_id: RunId) -> list[Errand]:
        return self.errands.owed(run_id)

    async def provider_of(self, run_id: RunId) -> MockProvider:
        """The run's provider, which does as the test has told it."""
        if run_id not in self.providers:
            place = Place(await self.storage.run(run_id), self.storage, self.wall, random.Random(), b"s" * 32)
            self.providers[run_id] = MockProvider(MockProvider.Options(), place)
        return self.providers[run_id]

    async def stock(self, run_id: RunId) -> Stock:
        counts = await self.storage.counts(run_id)
        return Stock(sum(counts.units.values()), await self.storage.submissions_count(run_id), 4, 2_500_000)

    async def delete(self, run_id: RunId, who: str) -> tuple[Stock, Sequence[str]]:
        stock = await self.stock(run_id)
        await self.storage.begin_deletion(run_id, NOW, who)
        if self.stuck:
            raise DeletionFailed(self.stuck)
        while await self.storage.delete_assignments(run_id, 100):
            pass
        await self.storage.finish_deletion(run_id, NOW, who)
        return stock, self.left

    async def backup(self) -> FakeBackup:
        return FakeBackup()

    async def disk_use(self) -> DiskUse:
        sizes = {run.id: RunDisk(10, 2_500_000 * run.id, 300) for run in await self.storage.runs()}
        return DiskUse("/var/lib/crowdd", 1234, sizes, 7, 10**12)

    def status(self) -> HeldView:
        runs: dict[int, list[RouterUpView]] = {n: [{"name": ADDRESS, "up": True}] for n in self.lives}
        return {"stopping": False, "epoch": self.storage.epoch, "runs": runs, "degraded": self.degraded}

    # --- what tests put into it

    async def a_run(
        self,
        label: str = "digits",
        launch_id: str | None = None,
        who: str = "staff:test",
        units: int = 3,
        config: Mapping[str, Any] | None = None,
    ) -> TaskRun:
        """A running, live run with units that wait for workers."""
        new = NewRun(
            "digits",
            "lab",
            launch_id or label,
            label,
            "static",
            "inhouse",
            "local",
            False,
            {"a": 1, **(config or {})},
            SECRET_KEY,
        )
        run = await self.storage.create_run(new, NOW, who)
        if run.state is RunState.LAUNCHING:
            rows = [NewAssignment(n, f"{n}", {"pixels": [n], "_truth": n}, [{}]) for n in range(units)]
            await self.storage.add_assignments(run.id, rows, True, NOW)
            await self.storage.launch_units(run.id, units, NOW)
            self.lives[run.id] = FakeLiveRun()
            self.lives[run.id].router = self.router
            run = await self.move(run.id, RunState.RUNNING, "daemon")
        return run

    async def move(self, run_id: RunId, state: RunState, who: str = "staff:test") -> TaskRun:
        """The run, in another state."""
        run = await self.storage.run(run_id)
        await self.storage.commit([MoveRun(run_id, run.state, state, who, "test")], NOW)
        if run_id in self.lives:
            self.lives[run_id].change()
        return await self.storage.run(run_id)

    async def at_work(self, run: TaskRun, worker: str) -> Reserved:
        """A worker takes a unit."""
        person = await self.storage.register_worker("inhouse", worker, {}, NOW)
        path = (AgentStatus.ACCEPTED, AgentStatus.IN_TASK)
        wire_id = WireId(f"capability-{run.id}-{person.id}-{os.urandom(3).hex()}")
        reserved = await self.storage.reserve(
            Registration(run.id, person.id, wire_id, f"link-{worker}", f"before-{wire_id}", path, None), NOW
        )
        assert isinstance(reserved, Reserved)
        self.lives[run.id].change()
        return reserved

    async def waited(self, run: TaskRun, worker: str, seconds: float, cents: int) -> None:
        """A worker of a group task waited in vain."""
        agent = (await self.at_work(run, worker)).agent
        owed = AddOwed(agent.id, "waiting", seconds, cents, "nobody came to work with")
        await self.storage.commit([owed], NOW)

    async def came_late(self, run: TaskRun) -> None:
        """The answer of the first agent of the run, and something of nobody, came too late."""
        agent = (await self.storage.agents(run.id))[0]
        why = "its time was over, and its unit went to agent 9"
        files = [FileNote("f" * 64, 3, "photo", "me.png", "image/png")]
        late = LateAnswer(0, run.id, agent.id, agent.wire_id, True, b'{"label":7}', files, "digest", why, NOW)
        await self.storage.add_late(late)
        unknown = attrs.evolve(late, agent_id=None, wire_id=WireId("gone"), is_answer=False, why="restored")
        await self.storage.add_late(unknown)

    async def gave_back(self, run: TaskRun) -> Agent:
        """The first agent of the run gives its unit back."""
        agent = (await self.storage.agents(run.id))[0]
        gone = MoveAgent(agent.id, agent.status, AgentStatus.RETURNED, "worker", "returned")
        free, held = UnitStatus.LAUNCHED, UnitStatus.ASSIGNED
        freed = MoveUnit(agent.unit_id, held, free, "worker", "returned", agent.id, release=True)
        await self.storage.commit([gone, freed], NOW)
        return await self.storage.agent(agent.id)

    async def submitted(self, run: TaskRun, worker: str, answer: Any) -> Agent:
        """A worker takes a unit and completes it."""
        work = await self.at_work(run, worker)
        agent, unit = work.agent, work.unit
        data = json.dumps(answer).encode()
        await self.storage.commit(
            [
                MoveAgent(agent.id, AgentStatus.IN_TASK, AgentStatus.COMPLETED, "worker", "submitted"),
                MoveUnit(unit.id, UnitStatus.ASSIGNED, UnitStatus.COMPLETED, "worker", "submitted", agent.id),
                AddSubmission(agent.id, data, [], f"{agent.id}"),
            ],
            NOW,
        )
        self.lives[run.id].change()
        return agent


@attrs.frozen
class Answer:
    """What came back over the socket."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    def error(self) -> dict[str, Any]:
        error: dict[str, Any] = self.json()["error"]
        return error


@attrs.frozen
class Desk:
    """An operator, its control socket, and everybody who asks there."""

    operator: FakeOperator
    socket: Path

    async def ask(
        self, method: str, target: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """One request, spelled out; its answer must be in the OpenAPI document."""
        answer = await trio.to_thread.run_sync(ask, self.socket, method, target, body, dict(headers or {}))
        check_answer(method, target, answer.status, answer.headers, answer.body)
        return answer

    async def crowdctl(self, *arguments: str) -> Result:
        """Run crowdctl in this process, its output not a terminal."""

        def run() -> Result:
            return CliRunner().invoke(main, ["--socket", str(self.socket), *arguments])

        return await trio.to_thread.run_sync(run)

    def client(self) -> Client:
        return Client(self.socket, timeout_s=20)


def ask(
    path: Path, method: str, target: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> Answer:
    """One blocking request over a Unix socket."""
    connection = http.client.HTTPConnection("crowdd")
    connection.sock = plug(path)
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # answered before all was sent
        connection.request(method, target, body, headers or {})
    response = connection.getresponse()
    answer = Answer(response.status, dict(response.getheaders()), response.read())
    connection.close()
    return answer


def plug(path: Path) -> socket.socket:
    """A connected Unix socket that does not wait for ever."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.settimeout(20)
    sock.connect(str(path))
    return sock
