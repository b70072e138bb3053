"""SEC9 and FLT21 below the requests: what strangers do to connections costs them theirs, nobody else's."""

import gzip
import json
from contextlib import AsyncExitStack

import pytest

from crowdd.protocol.limits import BROWSER_FRAME_BYTES_MAX

from ..router.conftest import Process
from .conftest import TightRouter
from .wild import (
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    close_code,
    frame,
    is_well,
    memory_mib,
    stranger,
)

pytestmark = pytest.mark.system

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
CHUNKED = b"POST /return_unit HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
A_MEGABYTE = b"a" * 1_000_000
GROWTH_MIB_MAX = 48.0  # of a router that keeps nothing: allocators are not exact


async def floods(router: Process, start: bytes, piece: bytes, pieces: int) -> bool:
    """Whether a stranger could send all of this without being cut off."""
    async with stranger(router) as wild:
        return await wild.send(start) and all([await wild.send(piece) for _ in range(pieces)])


async def test_sec9_pings_that_are_never_read_fill_nobodys_memory(router: Process) -> None:
    before = memory_mib(router)
    async with stranger(router, tiny=True) as wild:
        await wild.become_a_page()
        while await wild.send(frame(PING, b"x" * 125) * 500):
            pass
    assert memory_mib(router) - before < GROWTH_MIB_MAX
    assert await is_well(router)


@pytest.mark.parametrize("opcode", [PING, PONG])
@pytest.mark.parametrize(("count", "ends"), [(9, False), (10, False), (11, True)])
async def test_sec9_a_page_may_send_so_many_pings_and_no_more(
    strict_router: Process, opcode: int, count: int, ends: bool
) -> None:
    async with stranger(strict_router) as wild:
        await wild.become_a_page()
        await wild.send(frame(opcode, b"x") * count)
        if ends:
            assert close_code(await wild.read_all()) == 1008
        else:
            await wild.send(frame(TEXT, b"{}"))
            came = await wild.read()
            while b'"error"' not in came:
                came += await wild.read()


@pytest.mark.parametrize(("fragments", "code"), [(63, None), (64, None), (65, 1008)])
async def test_sec9_a_message_comes_in_so_many_pieces_and_no_more(
    strict_router: Process, fragments: int, code: int | None
) -> None:
    async with stranger(strict_router) as wild:
        await wild.become_a_page()
        pieces = [frame(TEXT, b"{", fin=False), *[frame(CONTINUATION, fin=False)] * (fragments - 2)]
        await wild.send(b"".join(pieces) + frame(CONTINUATION, b"}"))
        if code is None:
            assert b'"error"' in await wild.read()
        else:
            assert close_code(await wild.read_all()) == code


@pytest.mark.parametrize(("size", "code"), [(-1, None), (0, None), (1, 1009)])
async def test_sec9_fragments_add_up_to_one_message(router: Process, size: int, code: int | None) -> None:
    whole = BROWSER_FRAME_BYTES_MAX + size
    async with stranger(router) as wild:
        await wild.become_a_page()
        sent, opcode = 0, TEXT
        while sent < whole:
            piece = min(60_000, whole - sent)
            sent += piece
            await wild.send(frame(opcode, b"x" * piece, fin=sent == whole))
            opcode = CONTINUATION
        if code is None:
            assert b'"error"' in await wild.read()
        else:
            assert close_code(await wild.read_all()) == code


NO_TEXT = frame(TEXT, b"\xff\xfe")
GOODBYE = frame(CLOSE, b"\x03\xe8")


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (NO_TEXT, 1007),
        (frame(TEXT, b"\xff", fin=False) + frame(CONTINUATION, b"\xfe"), 1007),
        (NO_TEXT + NO_TEXT, 1007),
        (NO_TEXT + GOODBYE, 1000),
        (frame(TEXT, b"{}") * 3 + frame(CLOSE, b"\x03"), 1002),
    ],
    ids=["no text", "in pieces", "twice", "and a goodbye", "nonsense of who was struck out"],
)
async def test_sec9_what_no_page_may_say_ends_it_and_writes_nothing_into_the_log(
    tight_router: TightRouter, capfd: pytest.CaptureFixture[str], said: bytes, code: int
) -> None:
    router = tight_router()
    async with stranger(router) as wild:
        await wild.become_a_page()
        await wild.send(said)
        assert close_code(await wild.read_all()) == code
    assert await is_well(router)
    assert "Traceback" not in capfd.readouterr().err


async def test_sec9_a_form_that_is_none_is_refused_and_writes_nothing_into_the_log(
    tight_router: TightRouter, capfd: pytest.CaptureFixture[str]
) -> None:
    router = tight_router()
    async with stranger(router) as wild:
        await wild.send(
            b"POST /submit_task HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
            b"Content-Type: multipart/form-data; boundary=x\r\n\r\nabc"
        )
        assert (await wild.answer()).startswith(b"HTTP/1.1 400 ")
    assert "multipart" not in capfd.readouterr().err


async def test_sec9_a_websocket_is_never_packed_so_nothing_can_unpack_to_a_bomb(router: Process) -> None:
    async with stranger(router) as wild:
        offer = b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"
        head = (await wild.become_a_page([offer])).lower()
        assert head.startswith(b"http/1.1 101")
        assert b"sec-websocket-extensions" not in head
        await wild.send(frame(TEXT, b"\x00\x01", rsv1=True))
        assert close_code(await wild.read_all()) == 1002


async def test_sec9_a_packed_body_is_never_unpacked(router: Process) -> None:
    before = memory_mib(router)
    bomb = gzip.compress(bytes(200_000_000), 1)
    head = f"POST /submit_task HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: {len(bomb)}"
    async with stranger(router) as wild:
        await wild.send(head.encode() + b"\r\n\r\n" + bomb)
        answer = await wild.answer()
    assert answer.startswith(b"HTTP/1.1 400")
    assert memory_mib(router) - before < GROWTH_MIB_MAX


async def test_sec9_trailers_without_end_are_cut_off(router: Process) -> None:
    before = memory_mib(router)
    start = CHUNKED + b"\r\n1\r\nx\r\n0\r\nX: "
    assert not await floods(router, start, A_MEGABYTE, 64)
    assert memory_mib(router) - before < GROWTH_MIB_MAX
    assert await is_well(router)


async def test_sec9_the_size_of_a_chunk_without_end_is_cut_off(router: Process) -> None:
    assert not await floods(router, CHUNKED + b"\r\n1;", A_MEGABYTE, 64)
    assert await is_well(router)


async def test_sec19_trailers_say_nothing_that_headers_say(router: Process) -> None:
    body = json.dumps({"USED_AGENT_ID": "nobody"}).encode()
    chunk = f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\nOrigin: https://evil.example\r\n\r\n"
    async with stranger(router) as wild:
        await wild.send(CHUNKED + b"\r\n" + chunk)
        answer = await wild.answer()
    assert b"foreign_origin" not in answer


async def test_sec9_a_refused_body_is_not_read_for_ever(strict_router: Process) -> None:
    start = b"POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000000\r\n\r\n"
    assert not await floods(strict_router, start, A_MEGABYTE, 64)


async def test_sec9_a_refused_body_that_stops_coming_ends_its_connection(strict_router: Process) -> None:
    async with stranger(strict_router) as wild:
        await wild.send(b"POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 9000\r\n\r\nabc")
        assert (await wild.read_all()).startswith(b"HTTP/1.1 404")


@pytest.mark.parametrize(
    "before",
    [b"", b"\r\n", GET, GET + b"\r\n", b"POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"],
    ids=["nothing", "an empty line", "a request", "a request and an empty line", "a refused body"],
)
async def test_sec9_a_connection_on_which_nothing_is_asked_ends(
    strict_router: Process, before: bytes
) -> None:
    async with stranger(strict_router) as wild:
        await wild.send(before)
        await wild.read_all()


async def test_sec9_empty_lines_are_no_requests(strict_router: Process) -> None:
    async with stranger(strict_router) as wild:
        while await wild.send(b"\r\n"):
            pass


async def test_sec9_headers_that_trickle_end_their_connection(strict_router: Process) -> None:
    async with stranger(strict_router) as wild:
        await wild.send(b"GET / HTTP/1.1\r\nHost: x\r\nX: ")
        while await wild.send(b"a"):
            pass


async def test_flt21_an_answer_that_nobody_reads_is_given_up(strict_router: Process) -> None:
    async with stranger(strict_router, tiny=True) as wild:
        await wild.send(b"GET /big.bin HTTP/1.1\r\nHost: x\r\n\r\n")
        while await wild.send(b"\r\n"):
            pass
    assert await is_well(strict_router)


@pytest.mark.parametrize(("count", "served"), [(4, True), (5, True), (6, False)])
async def test_sec9_an_address_may_have_so_many_connections_and_no_more(
    tight_router: TightRouter, count: int, served: bool
) -> None:
    router = tight_router(("crowdd.router.connections", "CONNECTIONS_PER_ADDRESS_MAX", 5))
    async with AsyncExitStack() as crowd:
        for _ in range(count - 1):
            earlier = await crowd.enter_async_context(stranger(router))
            await earlier.send(GET)
            assert (await earlier.answer()).startswith(b"HTTP/1.1 200")
        last = await crowd.enter_async_context(stranger(router))
        await last.send(GET)
        head, _, body = (await last.answer()).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200" if served else b"HTTP/1.1 503")
        assert served or json.loads(body)["reason"] == "try_later"
        other = await crowd.enter_async_context(stranger(router, source="127.0.0.2"))
        await other.send(GET)
        assert (await other.answer()).startswith(b"HTTP/1.1 200")
    assert await is_well(router)


async def test_sec9_connections_of_a_trusted_proxy_are_everybodys(tight_router: TightRouter) -> None:
    limit = ("crowdd.router.connections", "CONNECTIONS_PER_ADDRESS_MAX", 1)
    router = tight_router(limit, trusted_proxies=["127.0.0.0/8"])
    async with AsyncExitStack() as crowd:
        for _ in range(5):
            page = await crowd.enter_async_context(stranger(router))
            await page.send(GET)
            assert (await page.answer()).startswith(b"HTTP/1.1 200")


async def test_sec9_a_websocket_counts_as_the_connection_it_is(tight_router: TightRouter) -> None:
    router = tight_router(("crowdd.router.connections", "CONNECTIONS_PER_ADDRESS_MAX", 2))
    for _ in range(5):  # each is counted when it comes, and not any more when it has gone
        async with stranger(router) as page:
            assert (await page.become_a_page()).startswith(b"HTTP/1.1 101")
            await page.send(frame(CLOSE, b"\x03\xe8"))
            await page.read_all()
