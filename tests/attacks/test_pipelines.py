"""SEC9, SEC19: requests that come before earlier ones on their connection are answered."""

import pytest

from crowdd.router.limits import PIPELINED_MAX

from ..router.conftest import Process
from .conftest import TightRouter
from .requests import SMUGGLED
from .wild import is_well, stranger

pytestmark = pytest.mark.system

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
LAST = b"GET /is_alive HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
REGISTER = b'POST /request_agent HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n\r\n{"provider_data":{}}'
UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nOrigin: http://x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


async def said_to(router: Process, requests: bytes) -> bytes:
    """What a stranger hears who sends all of this at once, until the connection ends."""
    async with stranger(router) as wild:
        await wild.send(requests)
        return await wild.read_all()


@pytest.mark.parametrize(
    ("waiting", "answers"),
    [(PIPELINED_MAX - 1, PIPELINED_MAX), (PIPELINED_MAX, PIPELINED_MAX + 1), (PIPELINED_MAX + 1, 0)],
)
async def test_sec9_so_many_requests_wait_for_an_earlier_one_and_no_more(
    router: Process, waiting: int, answers: int
) -> None:
    came = await said_to(router, GET * waiting + LAST)
    assert came.count(b"HTTP/1.1 200 OK") == answers


async def test_answers_come_in_the_order_of_their_requests(router: Process) -> None:
    came = await said_to(router, GET + SMUGGLED + GET + LAST)
    pages = [b"Alive!" in answer for answer in came.split(b"HTTP/1.1 200 OK")[1:]]
    assert pages == [False, True, False, True]


@pytest.mark.parametrize(
    "behind",
    [b"\x00\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", UPGRADE],
    ids=["nonsense", "no host", "a websocket"],
)
async def test_sec19_what_cannot_be_taken_behind_a_request_is_not_answered_before_it(
    router: Process, behind: bytes
) -> None:
    assert await said_to(router, GET + behind) == b""


async def test_sec19_nonsense_behind_an_answer_is_told_so(router: Process) -> None:
    async with stranger(router) as wild:
        await wild.send(SMUGGLED)
        await wild.answer()
        await wild.send(b"\x00\r\n\r\n")
        assert (await wild.read_all()).startswith(b"HTTP/1.1 400 ")


async def test_sec9_who_goes_while_requests_wait_writes_nothing_into_the_log(
    tight_router: TightRouter, capfd: pytest.CaptureFixture[str]
) -> None:
    router = tight_router(("crowdd.router.tickets", "REQUEST_HOLD_S", 0.5))
    async with stranger(router) as staying:
        async with stranger(router) as going:
            await going.send(REGISTER + GET)
            await staying.send(REGISTER)  # is held for longer than what was held before
        assert (await staying.answer()).startswith(b"HTTP/1.1 200")
    assert await is_well(router)
    assert "Traceback" not in capfd.readouterr().err
