"""What a player's `play` is given: the page of one piece of live work, over reloads and lost networks.

It is the worker's side: what was said and seen stays said and seen, whatever happens to the browser.
"""

import json
from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any

import trio

CALL_S = 60.0


class NothingCame(TimeoutError):
    """Nothing was received in time."""


class CallFailed(Exception):
    """The function that was called answered with an error; the words are the server's."""


class PlayerPage:
    """The page as a player uses it. `say` puts an update into the page's outbox."""

    def __init__(self, say: Callable[[Mapping[str, Any]], None]) -> None:
        self._say = say
        self._last = 0
        self._inherited: set[str] = set()
        self._waiting: deque[dict[str, Any]] = deque()
        self._answers: dict[str, Mapping[str, Any] | None] = {}
        self._calls = 0
        self._news = trio.Event()

    async def send(self, data: Mapping[str, Any]) -> None:
        """Say something to the task's code; it gets there, whatever happens meanwhile."""
        await trio.lowlevel.checkpoint()
        self._say(data)

    async def receive(self, timeout_s: float | None = None) -> dict[str, Any]:
        """The next update of the task's code. NothingCame after `timeout_s`."""
        with trio.move_on_after(_limit(timeout_s)):
            while not self._waiting:
                await self._news.wait()
            return self._waiting.popleft()
        raise NothingCame(f"no update in {timeout_s} s")

    async def updates(self) -> AsyncGenerator[dict[str, Any]]:
        """One update after the other, for as long as the work goes on."""
        while True:
            yield await self.receive()

    async def call(self, name: str, args: Any = None, timeout_s: float = CALL_S) -> Any:
        """Call a function of the task, as `crowdd.call` does. CallFailed; NothingCame."""
        self._calls += 1
        request = f"call-{self._calls}"
        self._answers[request] = None
        await self.send({"request_id": request, "target": name, "args": json.dumps(args)})
        try:
            return await self._answer(request, timeout_s)
        finally:
            del self._answers[request]

    async def _answer(self, request: str, timeout_s: float) -> Any:
        with trio.move_on_after(timeout_s):
            while (answer := self._answers[request]) is None:
                await self._news.wait()
            if answer.get("error"):
                raise CallFailed(str(answer["error"]))
            return json.loads(answer["response"])
        raise NothingCame(f"no answer in {timeout_s} s")

    def inherit(self, update: Mapping[str, Any]) -> None:
        """The page knows what was sent to who sat here before: the player sees it once."""
        if update["update_id"] not in self._inherited:
            self._inherited.add(update["update_id"])
            self._see(update)

    def hand(self, number: int, update: Mapping[str, Any]) -> None:
        """The page's script was given this: the player sees it unless it was seen before a reload."""
        if number <= self._last:
            return
        self._last = number
        if "handles" in update:
            self.answer(update)
        else:
            self._see(update)

    def _see(self, update: Mapping[str, Any]) -> None:
        self._waiting.append({key: value for key, value in update.items() if key != "update_id"})
        self._wake()

    def answer(self, update: Mapping[str, Any]) -> None:
        """A call was answered; one that nobody waits for (any more) is dropped."""
        if (request := str(update["handles"])) in self._answers:
            self._answers[request] = update
            self._wake()

    def _wake(self) -> None:
        self._news.set()
        self._news = trio.Event()


def _limit(timeout_s: float | None) -> float:
    return float("inf") if timeout_s is None else timeout_s
