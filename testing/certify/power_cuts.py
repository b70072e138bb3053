"""Power cuts: store and router lie on a disk of their own that loses all that was not synced. As root, Linux.

Everything happens in a process with mounts and process numbers of its own, so that nothing of it is left
behind, whatever ends us. Workers go on asking through every cut, as their browsers do.
"""

import json
import os
import random
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import cattrs
import trio

from ...daemon.causes import causes
from ...storage.sqlite.check import check_store
from ...storage.sqlite.connecting import open_reader
from ..bot import Bot
from ..history import Ok, Refused, agent_key, answered, answers_replaced, answers_saved, at_work
from ..http_doors import PageAddress
from .browsers import CROWD, PLAYERS
from .findings import CampaignResult, Finding, Plan, Progress
from .loop_disk import DiskRefused, LoopDisk
from .parts import NotReady
from .scene import DATABASE, Scene, SceneBroken, open_scene
from .tasks import ECHO, STATIC
from .zygote import Zygote, start_zygote

NAME = "power cuts"
ROWS, WORKERS = 2000, 8
TALK_ROWS, TALKERS = 500, 2
AT_WORK = 3  # so many have a unit before the daemon is killed: some will hand it in, and the router keeps it
SAVED_S = 15.0  # so long a cut waits for an answer to be called saved; a router waits 2 s for the daemon
AFTERWARDS_S = (0.0, 0.5)  # from there to the cut: sooner than a file system syncs by itself
BLIND_S = (0.0, 0.2)  # for so long processes live on without their disk
DELIVERED_S = 30.0  # until then what was called saved is in the store
LOOK_S = 0.02
_STORED = """
    SELECT wire_id FROM submission JOIN agent ON agent.id = agent_id
    UNION ALL SELECT wire_id FROM late_answer WHERE is_answer
"""
ALONE = ("unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc")


def power_cuts_refusal() -> str | None:
    """Why the power cannot be cut here, None if it can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "power cuts need root on Linux: a disk is mounted"
    missing = [tool for tool in ("unshare", "mkfs.ext4", "mount", "umount") if shutil.which(tool) is None]
    return f"power cuts need {', '.join(missing)}" if missing else None


async def run(plan: Plan, tell: Progress) -> CampaignResult:
    """`plan.power_cuts` cuts, in a process of their own; DiskRefused. Cancelled, all that was begun ends."""
    if (refusal := power_cuts_refusal()) is not None:
        raise DiskRefused(refusal)
    command = [*ALONE, "--", sys.executable, "-P", "-m", "crowdd.testing.certify.power_cuts"]
    process = await trio.lowlevel.open_process(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        # It stays open: when we are gone, however we went, the other side reads its end, and ends.
        await process.stdin.send_all(json.dumps(cattrs.unstructure(plan), default=str).encode() + b"\n")
        said = b""
        async for piece in process.stdout:
            *lines, said = (said + piece).split(b"\n")
            for line in lines:
                told = json.loads(line)
                if "name" in told:
                    return cattrs.structure(told, CampaignResult)
                tell(NAME, told["done"], plan.power_cuts, told["words"])
        return _broken(plan, f"the process that cuts ended with {await process.wait()}")
    finally:
        if process.poll() is None:
            process.kill()  # and with it all that it has started: see --kill-child
        with trio.CancelScope(shield=True):
            await process.wait()


def _broken(plan: Plan, words: str) -> CampaignResult:
    return CampaignResult(NAME, 0, violations=[Finding(NAME, words, repeat_words(plan))])


def repeat_words(plan: Plan) -> str:
    """How to do the same again; which instant is cut is chance all the same."""
    plant = f" --plant {shlex.quote(plan.plant)}" if plan.plant else ""
    return f"crowdd certify --cycles 0 --power-cuts {plan.power_cuts} --seed {plan.seed}{plant}"


# --- in the process of its own


class Cutter:
    """One scene on a disk whose power is cut again and again."""

    def __init__(self, plan: Plan, disk: LoopDisk, scene: Scene) -> None:
        self._plan = plan
        self._disk = disk
        self._scene = scene
        self._rng = random.Random(plan.seed)  # noqa: S311  # repeatable as far as anything here is
        self.findings: list[str] = []
        self.first_answers_ms: list[float] = []

    async def cut_all(self, told: Callable[[int, str], None]) -> int:
        """All cuts, or until something is found; how many there were."""
        for number in range(self._plan.power_cuts):
            await self._cut(daemon_away=number % 2 == 0)
            # Whose answer is lost may be given the unit again: then another one comes in its place.
            self._find_lost(answers_replaced(self._scene.history.entries))
            told(number + 1, f"{self._saved()} answers saved")
            if self.findings:
                return number + 1
        return self._plan.power_cuts

    async def _cut(self, daemon_away: bool) -> None:
        """Soon after an answer was called saved: by the daemon, or by the router that keeps it."""
        if daemon_away:
            await self._until(lambda: len(at_work(self._scene.history.entries)) >= AT_WORK)
            await self._scene.daemon.kill()
            # Not the daemon's last word, which may come after its end: what is saved and not in its store.
            await self._until(lambda: bool(self._missing()))
        else:
            saved = self._saved()
            await self._until(lambda: self._saved() > saved)
        await trio.sleep(self._rng.uniform(*AFTERWARDS_S))
        await trio.to_thread.run_sync(self._disk.cut)
        await trio.sleep(self._rng.uniform(*BLIND_S))
        await self._scene.router.kill()
        await self._scene.daemon.kill()
        await trio.to_thread.run_sync(self._disk.unmount)
        await trio.to_thread.run_sync(self._disk.mount)
        self.findings += await trio.to_thread.run_sync(check_store, self._scene.data / DATABASE)
        if not self.findings:
            await self._come_back()

    async def _until(self, happened: Callable[[], bool]) -> None:
        """Wait for it, but no longer than SAVED_S: the power is cut all the same."""
        with trio.move_on_after(SAVED_S):
            while not happened():  # noqa: ASYNC110  # nobody tells
                await trio.sleep(LOOK_S)

    def _saved(self) -> int:
        return len(answers_saved(self._scene.history.entries))

    async def _come_back(self) -> None:
        seen, began = len(self._scene.history.entries), time.monotonic()
        await self._scene.router.start()
        await self._scene.daemon.start()
        with trio.move_on_after(DELIVERED_S):
            while not self._answered_since(seen):  # noqa: ASYNC110  # nobody tells
                await trio.sleep(LOOK_S)
            self.first_answers_ms.append((time.monotonic() - began) * 1000)
            while self._missing():  # noqa: ASYNC110  # nobody tells
                await trio.sleep(LOOK_S)
            return
        self._find_lost(self._missing())
        if not self._answered_since(seen):
            self.findings.append(f"nobody was answered within {DELIVERED_S:g} s of a cut")

    def _find_lost(self, agents: set[str]) -> None:
        if agents:
            words = f"{len(agents)} answers were called saved and are lost"
            self.findings.append(f"{words}, {', '.join(sorted(agents)[:3])}")

    def _answered_since(self, entry: int) -> bool:
        return any(isinstance(each, Ok | Refused) for each in self._scene.history.entries[entry:])

    def _missing(self) -> set[str]:
        """The agents whose answer was called saved and is not in the store (yet)."""
        saved = answers_saved(self._scene.history.entries)
        db = open_reader(self._scene.data / DATABASE)
        try:
            stored = db.execute(_STORED).fetchall()
        finally:
            db.close()
        return saved - {agent_key(wire_id) for (wire_id,) in stored}


async def _cut_power(plan: Plan, told: Callable[[int, str], None]) -> CampaignResult:
    try:
        with _opened(plan.folder / "power") as (disk, zygote):
            places = {"data": disk.path / "data", "router_folder": disk.path / "router"}
            async with open_scene(disk.folder, zygote, mutant=plan.plant, **places) as scene:
                return await _cut_scene(plan, disk, scene, told)
    except* (DiskRefused, NotReady, SceneBroken) as broken:
        words = "; ".join(str(each) for each in causes(broken))
    return _broken(plan, words)


@contextmanager
def _opened(folder: Path) -> Generator[tuple[LoopDisk, Zygote]]:
    """The disk, mounted, and a zygote; nothing of either is left."""
    disk = LoopDisk(folder)
    disk.make()
    zygote = start_zygote()
    try:
        yield disk, zygote
    finally:
        zygote.close()
        disk.remove()


async def _cut_scene(
    plan: Plan, disk: LoopDisk, scene: Scene, told: Callable[[int, str], None]
) -> CampaignResult:
    began = time.monotonic()
    cutter = Cutter(plan, disk, scene)
    await scene.set_up({STATIC: (ROWS, WORKERS), ECHO: (TALK_ROWS, TALKERS)})
    await trio.to_thread.run_sync(disk.settle)
    async with trio.open_nursery() as nursery:
        for run in scene.runs:
            for link in run.links:
                nursery.start_soon(_work, plan, scene, run.label, link)
        cuts = await cutter.cut_all(told)
        healed_at = time.monotonic()
        nursery.cancel_scope.cancel()
    await scene.daemon.kill()
    found = [*cutter.findings, *([] if cutter.findings else await scene.check(healed_at=healed_at))]
    return CampaignResult(
        NAME,
        cuts,
        answered(scene.history.entries),
        [Finding(NAME, words, repeat_words(plan)) for words in found],
        cutter.first_answers_ms,
        ["ext4 on a loop device, shut down without flushing anything"],
        time.monotonic() - began,
    )


async def _work(plan: Plan, scene: Scene, label: str, link: str) -> None:
    """One worker, through every cut."""
    rng = random.Random(f"{plan.seed} {label} {PageAddress(link).name}")  # noqa: S311  # repeatable on purpose
    name = f"{label}/{PageAddress(link).name}"
    await Bot(name, scene.doors(link), PLAYERS[label], CROWD, scene.history, rng).run()


async def _main() -> None:
    """Serve the plan that the first line of standard input holds; end when that ends."""
    line = trio.lowlevel.FdStream(os.dup(0))
    asked = b""
    while not asked.endswith(b"\n"):
        asked += await line.receive_some()
    plan = cattrs.structure(json.loads(asked), Plan)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_end_with, line, nursery.cancel_scope)
        result = await _cut_power(plan, lambda done, words: _say({"done": done, "words": words}))
        _say(cattrs.unstructure(result))
        nursery.cancel_scope.cancel()


async def _end_with(line: trio.lowlevel.FdStream, scope: trio.CancelScope) -> None:
    while await line.receive_some():
        pass
    scope.cancel()


def _say(told: object) -> None:
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    trio.run(_main)
