"""Every system call by which an operation changes anything, as the one at which all ends or the disk fails.

For n = 1, 2, ... the daemon (or router) is killed at the n-th call of each kind, or that call fails with EIO
or ENOSPC, until an operation goes through without coming to its n-th; after each the operation is asked for
once more with the same ids. In the end histories and store are checked. Needs strace.
"""

import functools
import itertools
import shutil
import time
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress

import attrs
import trio

from ...daemon.causes import causes
from ..asking import WentHome
from ..history import answered
from .control import NoAnswer
from .findings import CampaignResult, Finding, Plan, Progress
from .operations import OPERATIONS, Act, Broken, Shutdown
from .parts import NotReady, Part
from .scene import Scene, SceneBroken, open_scene
from .strace import SENDING, Call, Fault, Injection, StraceRefused, Threads, open_strace, strace_refusal
from .zygote import start_zygote

NAME = "syscalls"

POINT_S = 240.0  # an operation that was not answered by then hangs, also on a machine with much else to do
END_S = 30.0  # a daemon whose store has failed ends within some two seconds
QUIET_S = 0.1  # after so long without a call an operation has had all its consequences
QUIET_WITHIN_S = 1.0
LOOK_S = 0.01
ROWS = 1000  # more units than points
REPEAT = "crowdd certify --cycles 0 --every-syscall"  # there is no chance in it
STORE_LOST = 74  # the daemon's status when disk or database failed
KILLED = -9
ABORTED = -6
ENDING = frozenset({"fsync", "fdatasync", "ftruncate"})
"""Where a full disk may end a daemon, too: what could not be synced is in doubt for good; and of a database
that cannot be cut short SQLite says "I/O error", whatever the reason was."""


class Keeper:
    """Starts a part again whenever it has ended, and notes how it did."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self.ends: list[tuple[str, int]] = []

    @asynccontextmanager
    async def keeping(self) -> AsyncGenerator[None]:
        """Look after them all the while. NotReady: one does not come up again."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._keep)
            yield
            nursery.cancel_scope.cancel()

    async def _keep(self) -> None:
        while True:
            await self.look()
            await trio.sleep(LOOK_S)

    async def look(self) -> None:
        """Start what has ended; a start that was begun is brought to its end."""
        with trio.CancelScope(shield=True):
            for part in (self._scene.router, self._scene.daemon):
                if await part.status() is not None:
                    self.ends.append((part.name, await part.wait()))
                    await part.start()


@attrs.frozen
class Aim:
    """Which faults, at which calls."""

    faults: Sequence[Fault] = (Fault.KILL, Fault.EIO, Fault.ENOSPC)
    """SLOW is no end, and each of its points takes seconds: whoever wants it says so."""
    calls: Collection[str] = ()
    """None named: at all."""

    def takes(self, call: str) -> bool:
        """Whether calls of this name are meant."""
        return not self.calls or call in self.calls


EVERYWHERE = Aim()


@attrs.frozen
class Carried:
    """What was seen while an operation was carried out under a fault, or under none."""

    calls: Sequence[Call]
    ends: Sequence[tuple[str, int]]
    """Which parts ended meanwhile, with which status."""
    broken: str = ""
    """Which answer must never have been given."""

    def hit(self, injection: Injection, part: str) -> Call | None:
        """The call at which the fault happened; None: the operation did not come to it."""
        if injection.fault is Fault.KILL:
            killed = (part, KILLED) in self.ends
            return next(
                (call for call in reversed(self.calls) if killed and call.name == injection.call), None
            )
        return next((call for call in self.calls if call.injected), None)


class Striker:
    """Carries operations out under faults, and collects what it finds."""

    def __init__(self, scene: Scene, name: str) -> None:
        self.name = name
        self._scene = scene
        self.points: Counter[str] = Counter()
        """How many faults happened, by fault."""
        self.findings: list[str] = []

    @property
    def answered(self) -> Counter[str]:
        """How many requests of each kind were answered definitely."""
        return answered(self._scene.history.entries)

    async def strike_all(self, act: Act, part: Part, aim: Aim, tell: Callable[[str], None]) -> None:
        """Every fault at every call of the operation: those of the main thread, then those of all others."""
        for threads in Threads:
            most = await self._count(act, part, threads)
            for fault in aim.faults:
                for name in sorted(filter(aim.takes, most if fault is Fault.KILL else most.keys() - SENDING)):
                    for number in itertools.count(1):
                        injection = Injection(fault, name, number)
                        tell(f"{act.name}: {part.name}, {injection} of {most[name]}")
                        if await self.strike(act, part, injection, threads):
                            most[name] = max(most[name], number)
                        elif number >= most[name]:
                            break
                        if number >= most[name] and fault is not aim.faults[0]:
                            break  # how many there are was found out with the first fault

    async def _count(self, act: Act, part: Part, threads: Threads) -> Counter[str]:
        """How often one thread calls what, at most, while the operation goes through."""
        main = part.pid
        carried = await self._carry_out(act, part, None, threads)
        self._judge(f"{act.name}: {part.name}, no fault", carried, set())
        each = Counter((call.thread, call.name) for call in carried.calls)
        most: Counter[str] = Counter()
        for (thread, name), times in each.items():
            if (thread == main) is (threads is Threads.MAIN):
                most[name] = max(most[name], times)
        return most

    async def strike(self, act: Act, part: Part, injection: Injection, threads: Threads) -> bool:
        """Carry the operation out under this fault; whether it came to the fault."""
        carried = await self._carry_out(act, part, injection, threads)
        hit = carried.hit(injection, part.name)
        if hit is not None:
            self.points[injection.fault.name] += 1
        words = f"{act.name}: {part.name}, {injection} of {threads.value}"
        self._judge(words if hit is None else f"{words} ({hit.subject})", carried, _allowed(injection, hit))
        # What ended by itself meanwhile, as at a shutdown, is read anew all the same.
        if _must_end(injection, hit) and part.name not in dict(carried.ends):
            self.findings.append(f"{words}: the {part.name} went on after the store had failed")
        return hit is not None

    async def _carry_out(
        self, act: Act, part: Part, injection: Injection | None, threads: Threads
    ) -> Carried:
        # Of the fault before a part may end late: it was not asked for anything that it would notice it by.
        async with Keeper(self._scene).keeping():
            await act.prepare()
        keeper, broken = Keeper(self._scene), ""
        log = self._scene.folder / "strace.log"
        async with open_strace(part.pid, log, injection, threads) as strace, keeper.keeping():
            broken = await _until_answered(act.act)
            await strace.quiet(QUIET_S, QUIET_WITHIN_S)
        hit = injection and Carried(strace.calls(), keeper.ends).hit(injection, part.name)
        if injection is not None and _must_end(injection, hit or None):
            await self._ended(keeper, part, act)
        async with keeper.keeping():
            again = "" if broken else await _until_answered(act.act)
            unfinished = await _until_answered(act.finish)
        await keeper.look()
        return Carried(strace.calls(), keeper.ends, broken or again or unfinished)

    async def _ended(self, keeper: Keeper, part: Part, act: Act) -> None:
        """Return once it has ended and was started again: it tells everybody first. Or it never will: END_S.

        Of a write that nobody waits for, into the database from its log, the next who write are told.
        """
        with trio.move_on_after(END_S):
            while part.name not in dict(keeper.ends):
                with suppress(NoAnswer):
                    await self._scene.control("POST", f"/runs/{act.task.name}/links", {"workers": ["nobody"]})
                await keeper.look()
                await trio.sleep(LOOK_S)

    def _judge(self, point: str, carried: Carried, allowed: Collection[int]) -> None:
        if carried.broken:
            self.findings.append(f"{point}: {carried.broken}")
        for name, status in carried.ends:
            if status not in allowed and not (point.startswith(Shutdown.name) and status == 0):
                self.findings.append(f"{point}: the {name} ended with {status}")


async def _until_answered(act: Callable[[], Awaitable[None]]) -> str:
    """What was answered that must not be, "" for nothing."""
    try:
        with trio.fail_after(POINT_S):
            await act()
    except trio.TooSlowError:
        return f"no definite answer within {POINT_S:.0f} s"
    except WentHome:
        return "the router cannot be reached"
    except Broken as broken:
        return str(broken)
    return ""


def _allowed(injection: Injection, hit: Call | None) -> Collection[int]:
    """With which statuses a part may end under this fault."""
    if injection.fault is not Fault.KILL and hit is not None and not hit.subject.startswith("/"):
        return {
            STORE_LOST,
            ABORTED,
        }  # no disk fails like this: what wakes a loop has no error that it could answer
    match injection.fault:
        case Fault.KILL:
            return {KILLED}
        case Fault.EIO:
            return {STORE_LOST}
        case Fault.ENOSPC:
            return {STORE_LOST} if hit is not None and hit.name in ENDING else set()
        case Fault.SLOW:
            return set()


def _must_end(injection: Injection, hit: Call | None) -> bool:
    """A store that failed is not known any more: the daemon has to read it anew."""
    return (
        injection.fault is Fault.EIO
        and hit is not None
        and hit.subject.endswith(("crowdd.db", "crowdd.db-wal"))
    )


@attrs.frozen
class Target:
    """An operation, and the part that the faults are aimed at."""

    operation: type[Act]
    part: str

    def __str__(self) -> str:
        return f"{self.operation.name}, {self.part}"


TARGETS = [Target(kind, part) for kind in OPERATIONS.values() for part in kind.parts]
"""All nine operations at the daemon, and those of pages at the router, too."""


async def strike_targets(
    plan: Plan, tell: Progress, targets: Sequence[Target] = TARGETS, aim: Aim = EVERYWHERE
) -> CampaignResult:
    """Every system call of these, each in a scene of its own, `plan.lanes` at a time. StraceRefused."""
    if (refusal := strace_refusal()) is not None:
        raise StraceRefused(refusal)
    began, zygote = time.monotonic(), start_zygote()
    struck: list[Striker] = []

    async def strike_next(waiting: Iterator[tuple[int, Target]]) -> None:
        for number, target in waiting:
            folder = plan.folder / f"syscalls-{number}"
            async with open_scene(folder, zygote, mutant=plan.plant) as scene:
                heard = functools.partial(tell, NAME, len(struck), len(targets))
                struck.append(await _strike(scene, target, aim, heard))
            if not struck[-1].findings:
                await trio.to_thread.run_sync(shutil.rmtree, folder)

    try:
        async with trio.open_nursery() as nursery:
            shared = iter(enumerate(targets))
            for _ in range(plan.lanes):
                nursery.start_soon(strike_next, shared)
    finally:
        zygote.close()
    return _result(struck, time.monotonic() - began)


def _result(struck: Sequence[Striker], took_s: float) -> CampaignResult:
    points: Counter[str] = sum((each.points for each in struck), Counter[str]())
    return CampaignResult(
        NAME,
        points.total(),
        sum((each.answered for each in struck), Counter[str]()),
        [Finding(NAME, words, REPEAT) for each in struck for words in each.findings],
        notes=[f"{each.name}: {counted(each.points)}" for each in struck],
        took_s=took_s,
    )


def counted(points: Mapping[str, int]) -> str:
    """How many points there were, by fault."""
    return ", ".join(f"{count} x {fault}" for fault, count in sorted(points.items())) or "none"


async def _strike(scene: Scene, target: Target, aim: Aim, tell: Callable[[str], None]) -> Striker:
    striker = Striker(scene, str(target))
    try:
        await scene.set_up({target.operation.task: (ROWS, 1)})
        part = scene.daemon if target.part == scene.daemon.name else scene.router
        await striker.strike_all(target.operation(scene), part, aim, tell)
        async with Keeper(scene).keeping():
            await scene.until_delivered()
        await scene.daemon.kill()
        striker.findings += [f"{target}: {words}" for words in await scene.check()]
    except* (SceneBroken, NotReady) as broken:
        striker.findings += [f"{target}: {each}" for each in causes(broken)]
    return striker


async def run(plan: Plan, tell: Progress) -> CampaignResult:
    """All nine operations. StraceRefused."""
    return await strike_targets(plan, tell)
