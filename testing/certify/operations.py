"""The operations that faults are aimed at: each is prepared, then carried out until answered definitely.

`act` may be called again and again: it asks with the same ids, and whatever it was told must stay true.
"""

import abc
import os
import random
import signal
from collections.abc import Mapping
from typing import Any

import attrs
import trio

from ..asking import Asker
from ..tab import Tab
from ..verdicts import Answered, Verdict
from .control import NoAnswer
from .scene import Scene
from .tasks import ECHO, STATIC, ScenicTask

WITHIN_S = 60.0  # a router may hold a submission for so long
PATIENCE_S = 120.0  # a page asks a router that is away for so long
DELIVERED_S = 30.0  # until then the daemon has what the router kept
HASTE = 20.0  # so many times sooner than people's pages do
AGAIN_S = 0.02
LINKS_AT_ONCE = 50
FILE_WORDS = 1000
LATER = frozenset({408, 429, 502, 503, 504, 507})


WORDS = attrs.evolve(STATIC, options=f"{STATIC.options}grace_s = 0\n")  # a shutdown waits for nobody


class Broken(Exception):
    """An answer that must never be given; says which."""


class Act(abc.ABC):
    """One operation, many times; each time with ids of its own."""

    name: str
    task: ScenicTask = WORDS
    """Of the run in which it happens."""
    parts: tuple[str, ...] = ("daemon",)
    """Which of them do something in it."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.number = 0

    async def prepare(self) -> None:
        """Before each time; nothing is broken meanwhile."""
        self.number += 1

    @abc.abstractmethod
    async def act(self) -> None:
        """Until answered definitely. Broken."""

    async def finish(self) -> None:
        """After each time, whatever came of it. Broken."""
        await trio.lowlevel.checkpoint()


class PageAct(Act):
    """What one worker's page does; a new worker each time."""

    parts: tuple[str, ...] = ("daemon", "router")

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._links: list[str] = []
        self.agent = ""
        self._after = ""

    async def prepare(self) -> None:
        await super().prepare()
        self.agent = self._after = ""
        if not self._links:
            self._links = await self._new_links()
        self.doors = self.scene.doors(self._links.pop())
        self.client = f"{self.task.name}/{self.worker(self.number)}"
        rng = random.Random(self.number)  # noqa: S311  # repeatable on purpose
        self.page = Asker(self.client, self.doors, self.scene.history, rng, PATIENCE_S, haste=HASTE)

    def worker(self, number: int) -> str:
        """What the worker of this time is called."""
        return f"{self.name}-{number}"

    async def _new_links(self) -> list[str]:
        await self.scene.until_served(self.task.name)  # the daemon may have been started again just now
        workers = [self.worker(self.number + ahead) for ahead in reversed(range(LINKS_AT_ONCE))]
        status, told = await self.scene.control("POST", f"/runs/{self.task.name}/links", {"workers": workers})
        assert status == 201, told
        return [link["url"] for link in told["links"]]

    async def come(self) -> Answered:
        """The worker is given a unit; the same one, whenever asked. Broken."""
        given = await self.page.register(self._after)
        if given.verdict is not Verdict.OK or given.finished:
            raise Broken(f"a registration was answered {given.reason or given.told}")
        if given.agent_id == self._after or self.agent not in ("", given.agent_id):
            raise Broken("the same registration was given another agent")
        self.agent = given.agent_id
        return given

    async def answer(self, *files: bytes) -> None:
        """The worker hands the answer in. Broken."""
        self.taken(await self.page.submit(self.agent, {"word": self.number}, self._after, files))

    def taken(self, answered: Answered) -> None:
        """Broken: it was refused."""
        if answered.verdict is not Verdict.OK:
            raise Broken(f"{self.name} was refused: {answered.reason or answered.told}")


class Register(PageAct):
    """A newcomer is let in and given a unit."""

    name = "register"

    async def act(self) -> None:
        await self.come()


class Reserve(PageAct):
    """Who has submitted is given the next unit."""

    name = "reserve"

    async def prepare(self) -> None:
        await super().prepare()
        await self.come()
        await self.answer()
        self._after, self.agent = self.agent, ""

    async def act(self) -> None:
        await self.come()


class Submit(PageAct):
    """An answer is handed in."""

    name = "submit"

    async def prepare(self) -> None:
        await super().prepare()
        await self.come()

    async def act(self) -> None:
        await self.answer()


class SubmitFiles(Submit):
    """An answer with a file is handed in."""

    name = "files"

    async def act(self) -> None:
        await self.answer(f"drawing {self.number} ".encode() * FILE_WORDS)


class SubmitAway(Submit):
    """An answer is handed in while the daemon says nothing: the router keeps it, and delivers it later."""

    name = "submit, daemon away"
    parts = ("router",)

    async def prepare(self) -> None:
        await super().prepare()
        os.kill(self.scene.daemon.pid, signal.SIGSTOP)

    async def finish(self) -> None:
        os.kill(self.scene.daemon.pid, signal.SIGCONT)
        with trio.move_on_after(DELIVERED_S):
            while not await self._is_delivered():  # noqa: ASYNC110  # nobody tells
                await trio.sleep(AGAIN_S)
            return
        raise Broken(f"what the router called submitted is not with the daemon after {DELIVERED_S:.0f} s")

    async def _is_delivered(self) -> bool:
        query = {"worker": self.worker(self.number)}
        _, shown = await self.scene.control("GET", f"/runs/{self.task.name}/agents", query=query)
        return [agent["status"] for agent in shown["agents"]] == ["completed"]


class GiveBack(Submit):
    """A status changes: the unit is given back and free for others."""

    name = "status change"

    async def act(self) -> None:
        self.taken(await self.page.give_back(self.agent, self._after))


class Speak(PageAct):
    """A live page says something and hears the task's code say it back."""

    name = "live update"
    task = ECHO

    async def prepare(self) -> None:
        await super().prepare()
        given = await self.come()
        rng = random.Random(self.number)  # noqa: S311  # repeatable on purpose
        history = self.scene.history
        self._tab = Tab(self.client, self.agent, self.doors, history, rng, lambda _told: None)
        self._tab.load(given.told)
        self._said = 0

    async def act(self) -> None:
        heard: Any = None
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._tab.serve)
            await self._tab.player.send({"word": self._said})
            with trio.move_on_after(WITHIN_S):
                heard = await self._tab.player.receive()
                await self._tab.emptied()
            nursery.cancel_scope.cancel()
        if heard != {"echo": self._said}:
            raise Broken(f"live code answered {heard} to word {self._said}")
        self._said += 1


class StaffAct(Act):
    """What staff ask the daemon for."""

    async def ask(self, method: str, path: str, **more: Any) -> Any:
        """Until answered definitely. Broken: refused."""
        while True:
            try:
                status, told = await self.scene.control(method, path, **more)
            except NoAnswer:
                status, told = 503, None
            if status < 300:
                return told
            if status not in LATER:
                raise Broken(f"{method} {path} was answered {status}: {told}")
            await trio.sleep(AGAIN_S)


class Review(StaffAct):
    """Staff approve an answer."""

    name = "review"

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._submit = Submit(scene)
        self._submit.name = "reviewed"

    async def prepare(self) -> None:
        await super().prepare()
        await self._submit.prepare()
        await self._submit.act()
        query = {"worker": self._submit.worker(self._submit.number)}
        _, shown = await self.scene.control("GET", f"/runs/{self.task.name}/agents", query=query)
        (self._agent,) = (agent["id"] for agent in shown["agents"])

    async def act(self) -> None:
        told = await self.ask("POST", "/reviews", json={"verdict": "approve", "agents": [self._agent]})
        (review,) = told["reviews"]
        if review["status"] != "approved":
            raise Broken(f"an approval was answered {review}")


class LaunchAndStop(StaffAct):
    """A run is launched, and stopped at once."""

    name = "launch/stop"

    async def prepare(self) -> None:
        await super().prepare()
        self._run: int | None = None

    async def act(self) -> None:
        label = f"launched-{self.number}"
        body = attrs.evolve(self.task, name=label).archive(1)
        run = await self.ask("POST", "/runs", body=body, query={"launch_id": label})
        if self._run not in (None, run["id"]):
            raise Broken(f"the same launch id made the runs {self._run} and {run['id']}")
        self._run = run["id"]
        await self._served(run["id"])
        if not run["ended_at"]:
            await self._stop(run["id"])
        if await self._exists(run["id"] + 1):
            raise Broken(f"{label} was launched more than once")

    async def _exists(self, run: int) -> bool:
        """Whether there is such a run. A list of all of them would take more calls each time, without end."""
        while True:
            try:
                status, told = await self.scene.control("GET", f"/runs/{run}")
            except NoAnswer:
                status, told = 503, None
            if status in (200, 404):
                return status == 200
            if status not in LATER:
                raise Broken(f"GET /runs/{run} was answered {status}: {told}")
            await trio.sleep(AGAIN_S)

    async def _served(self, run: int) -> None:
        """Wait until it has been served, or has ended. Broken: something is wrong with it."""
        while not (shown := await self.ask("GET", f"/runs/{run}"))["ended_at"]:
            if shown["trouble"]:
                raise Broken(f"a launched run has trouble: {shown['trouble']}")
            if shown["routers"] and all(router["up"] for router in shown["routers"]):
                return
            await trio.sleep(AGAIN_S)

    async def _stop(self, run: int) -> None:
        try:
            await self.ask("POST", f"/runs/{run}/stop", json={"now": True})
        except Broken:
            shown = await self.ask("GET", f"/runs/{run}")
            if not shown["ended_at"]:
                raise


class Shutdown(PageAct):
    """The daemon is told to stop while somebody is at work, who comes back."""

    name = "shutdown"
    parts = ("daemon",)

    async def prepare(self) -> None:
        await super().prepare()
        await self.come()
        self._pid = self.scene.daemon.pid
        self._told = False

    async def act(self) -> None:
        if not self._told:
            self._told = True
            os.kill(self._pid, signal.SIGTERM)
            while self.scene.daemon.pid == self._pid:  # noqa: ASYNC110  # it tells nobody
                await trio.sleep(AGAIN_S)
        await self.come()


OPERATIONS: Mapping[str, type[Act]] = {
    act.name: act
    for act in (
        Register,
        Reserve,
        Submit,
        SubmitAway,
        SubmitFiles,
        Speak,
        GiveBack,
        Review,
        LaunchAndStop,
        Shutdown,
    )
}
"""The nine operations of the promises; *submit* in both of its ways."""
