"""How many requests of a run are handled at a time: so many, and as soon as one is through the next."""

from typing import Any

import trio
from trio.testing import wait_all_tasks_blocked

from crowdd.daemon.client_io import HANDLED_AT_ONCE_MAX, ClientIO, Handlers
from crowdd.daemon.house import House
from crowdd.protocol.names import Outcome, WireId
from crowdd.protocol.packets import Answer, ReturnUnit

from .conftest import a_run

MORE = 3


class Requests:
    """Answers requests when it is told to; the way back to the router, too."""

    def __init__(self) -> None:
        self.begun = 0
        self.answered = 0
        self._go_on = trio.Semaphore(0)

    async def handle(self, packet: Any, link: Any = None) -> Any:
        self.begun += 1
        await self._go_on.acquire()
        return Answer(packet.request, Outcome.OK)

    def answer(self, number: int) -> None:
        for _ in range(number):
            self._go_on.release()

    def send(self, packet: Any) -> None:
        self.answered += 1


async def test_of_many_that_come_together_no_more_are_begun_than_there_are_places(house: House) -> None:
    requests, run = Requests(), await a_run(house)
    way_back: Any = requests
    handle = requests.handle
    handlers = Handlers(handle, handle, handle, handle, handle, handle)
    io = ClientIO(run, house.storage, house.wall, handlers, house.metrics.run(run.label))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(io.serve)
        for number in range(HANDLED_AT_ONCE_MAX + MORE):
            io.hand_in(way_back, ReturnUnit(WireId("somebody"), f"request-{number}"))
        await wait_all_tasks_blocked()
        assert requests.begun == HANDLED_AT_ONCE_MAX
        requests.answer(1)
        await wait_all_tasks_blocked()
        assert requests.begun == HANDLED_AT_ONCE_MAX + 1
        requests.answer(HANDLED_AT_ONCE_MAX + MORE)
        await wait_all_tasks_blocked()
        assert requests.answered == HANDLED_AT_ONCE_MAX + MORE
        nursery.cancel_scope.cancel()
