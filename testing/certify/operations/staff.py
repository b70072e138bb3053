"""What staff ask the daemon for."""

from typing import Any

import attrs
import trio

from ..control import NoAnswer
from ..scene import Scene
from .act import AGAIN_S, Act, Broken
from .page import Submit

LATER = frozenset({408, 429, 502, 503, 504, 507})


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
