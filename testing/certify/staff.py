"""Staff of a scene: they judge work, launch and stop runs, and ask again with the same ids until answered.

What they were told is compared with the store in the end.
"""

import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import attrs
import trio

from ...protocol.names import AgentId, RunState
from ...storage.contract import Storage
from .control import NoAnswer
from .scene import Scene
from .tasks import STATIC

PAUSE_S = (0.02, 0.3)
AGAIN_S = 0.05
JUDGED_AT_ONCE_MAX = 5
LAUNCHES_MAX = 2  # of one scene: each costs the store and the router a little
WORK = "tested"  # the run whose work is judged


@attrs.define
class Told:
    """What was answered definitely."""

    reviews: dict[int, str] = attrs.Factory(dict[int, str])
    """The newest verdict on an agent, as its status."""
    launched: dict[str, int] = attrs.Factory(dict[str, int])
    """The run of each launch id."""
    stopped: set[int] = attrs.Factory(set[int])
    paused: int = 0


class Staff:
    """One person at crowdctl, who never gives up."""

    def __init__(self, scene: Scene, rng: random.Random) -> None:
        self._scene = scene
        self._rng = rng
        self._asked_launches = 0
        self.told = Told()

    async def work(self) -> None:
        """Do one thing after the other until cancelled."""
        things: Sequence[Callable[[], Awaitable[None]]] = (
            self._judge,
            self._judge,
            self._launch,
            self._stop,
            self._pause,
        )
        while True:
            await trio.sleep(self._rng.uniform(*PAUSE_S))
            await self._rng.choice(things)()

    async def _judge(self) -> None:
        _, page = await self._ask("GET", f"/runs/{WORK}/agents", query={"status": "completed"})
        agents = [agent["id"] for agent in page.get("agents", ())]
        if not agents:
            return
        chosen = self._rng.sample(agents, min(len(agents), JUDGED_AT_ONCE_MAX))
        verdict = self._rng.choice(["approve", "soft_reject", "reject"])
        body = {"verdict": verdict, "agents": chosen, "note": "by chance"}
        status, told = await self._ask("POST", "/reviews", json=body)
        if status == 200:
            self.told.reviews |= {
                one["agent_id"]: one["status"] for one in told["reviews"] if one["refused"] is None
            }

    async def _launch(self) -> None:
        if self._asked_launches >= LAUNCHES_MAX:
            return
        self._asked_launches += 1
        task = attrs.evolve(STATIC, name=f"extra-{self._asked_launches}")
        status, told = await self._ask(
            "POST", "/runs", body=task.archive(2), query={"launch_id": f"launch-{task.name}"}
        )
        if status == 201:
            self.told.launched[f"launch-{task.name}"] = told["id"]

    async def _stop(self) -> None:
        going = [run for run in self.told.launched.values() if run not in self.told.stopped]
        if not going:
            return
        run = self._rng.choice(going)
        status, _ = await self._ask("POST", f"/runs/{run}/stop", json={"now": True})
        if status == 200:
            self.told.stopped.add(run)

    async def _pause(self) -> None:
        for word in ("pause", "resume"):
            status, _ = await self._ask("POST", f"/runs/{WORK}/{word}", json={"why": "by chance"})
            self.told.paused += status == 200

    async def _ask(
        self,
        method: str,
        path: str,
        json: dict[str, Any] | None = None,
        body: bytes | None = None,
        query: dict[str, str] | None = None,
    ) -> tuple[int, Any]:
        """The definite answer: asked again, in the same words, after silence and after "later"."""
        while True:
            try:
                status, told = await self._scene.control(method, path, json, body, query)
            except NoAnswer:
                status, told = 503, None
            if status < 500 and status not in (408, 429):
                return status, told
            await trio.sleep(AGAIN_S)

    # --- in the end

    async def leave(self) -> None:
        """Let workers in again, whatever was under way."""
        await self._ask("POST", f"/runs/{WORK}/resume", json={"why": "the end"})

    async def end(self) -> None:
        """Let nobody else in; who is at work may finish."""
        for run in self._scene.runs:
            await self._ask("POST", f"/runs/{run.id}/stop", json={})

    def counts(self) -> dict[str, int]:
        """What was answered, by kind."""
        told = self.told
        return {
            "review": len(told.reviews),
            "launch": len(told.launched),
            "stop": len(told.stopped),
            "pause": told.paused,
        }

    async def wrong(self, storage: Storage) -> list[str]:
        """What the store holds otherwise than staff were told."""
        runs = await storage.runs()
        found: list[str] = []
        for launch_id, run_id in self.told.launched.items():
            made = [run.id for run in runs if run.launch_id == launch_id]
            if made != [run_id]:
                found.append(f"staff were told that {launch_id} is run {run_id}; the store has {made}")
        for run in runs:
            if run.id in self.told.stopped and run.state in (RunState.LAUNCHING, RunState.RUNNING):
                found.append(f"staff were told that run {run.id} is stopped, and it is {run.state.value}")
        for agent_id, status in self.told.reviews.items():
            kept = [review.status.value for review in await storage.reviews(AgentId(agent_id))]
            if kept[-1:] != [status]:
                found.append(f"staff were told that agent {agent_id} is {status}; its reviews are {kept}")
        return found
