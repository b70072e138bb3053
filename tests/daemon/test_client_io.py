"""What a request's trouble leads to: its sender comes again, and only what staff can mend is noted."""

import logging
from typing import Any

import pytest
import trio

from crowdd.daemon.channel import LinkLost
from crowdd.daemon.client_io import ClientIO, Handlers
from crowdd.daemon.house import House
from crowdd.protocol.names import Outcome, Reason, WireId
from crowdd.protocol.packets import Answer, SubmitUnit

from .conftest import a_run

PACKET = SubmitUnit(WireId("somebody"), "request", {"label": 7})


class LostLink:
    """The way back to a router; remembers what it was to send."""

    def __init__(self) -> None:
        self.sent: list[Any] = []
        self.answered = trio.Event()

    def send(self, packet: Any) -> None:
        self.sent.append(packet)
        self.answered.set()


async def answer_of(house: House, trouble: Exception, noted: list[str]) -> Answer:
    """What comes back when handing an answer in meets this trouble."""

    async def fail(packet: Any, link: Any = None) -> Any:
        await trio.lowlevel.checkpoint()
        raise trouble

    async def note(doing: str, exc: Exception) -> None:
        await trio.lowlevel.checkpoint()
        noted.append(doing)

    run, link = await a_run(house), LostLink()
    way_back: Any = link
    handlers = Handlers(fail, fail, fail, fail, fail, note)
    io = ClientIO(run, house.storage, house.wall, handlers, house.metrics.run(run.label))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(io.serve)
        io.hand_in(way_back, PACKET)
        await link.answered.wait()
        nursery.cancel_scope.cancel()
    (answer,) = link.sent
    assert isinstance(answer, Answer)
    return answer


async def test_files_that_went_with_their_router_are_nobodys_mistake(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    noted: list[str] = []
    answer = await answer_of(house, LinkLost("router west: GET /file: ReadError"), noted)
    assert (answer.outcome, answer.reason) == (Outcome.TRY_LATER, Reason.TRY_LATER)
    assert noted == []
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_what_breaks_at_a_request_is_noted_and_its_sender_comes_again(house: House) -> None:
    noted: list[str] = []
    answer = await answer_of(house, ValueError("a bug"), noted)
    assert answer.outcome is Outcome.TRY_LATER
    assert noted == ["answering submit_unit"]
