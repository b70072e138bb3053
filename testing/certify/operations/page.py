"""What one worker's page does: comes, is given work, hands it in."""

import random

from ...asking import Asker
from ...verdicts import Answered, Verdict
from ..scene import Scene
from .act import Act, Broken

PATIENCE_S = 120.0  # a page asks a router that is away for so long
HASTE = 20.0  # so many times sooner than people's pages do
LINKS_AT_ONCE = 50
FILE_WORDS = 1000


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


class GiveBack(Submit):
    """A status changes: the unit is given back and free for others."""

    name = "status change"

    async def act(self) -> None:
        self.taken(await self.page.give_back(self.agent, self._after))
