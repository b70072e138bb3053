"""The load generator: whole answers, the end of a connection, its own check. 5 s in sum."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.http_connection import Answer, ConnectionEnded, open_connection
from benchmarks.load import open_load
from benchmarks.rows.posts import open_constant

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n"
PIECES = (HEAD[:20], HEAD[20:-1], HEAD[-1:] + b'{"a"', b': "bc"}')

ROOT = Path(__file__).parent.parent.parent


def test_an_answer_that_comes_in_pieces_is_one_and_the_next_is_another() -> None:
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(2):
            asked.append(await reader.readuntil(b"\r\n\r\n") + await reader.readexactly(2))
            for piece in PIECES:
                writer.write(piece)
                await writer.drain()
        writer.close()

    async def ask() -> list[Answer]:
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            connection = await open_connection(port, "127.0.0.2", "run.localhost", "/folder/")
            return [await connection.post("request_agent", b"{}") for _ in range(2)]

    assert asyncio.run(ask()) == [Answer(200, b'{"a": "bc"}')] * 2
    assert asked[0].startswith(b"POST /folder/request_agent HTTP/1.1\r\nHost: run.localhost\r\n")
    assert b"\r\nContent-Length: 2\r\n" in asked[0]


def test_who_waits_on_a_connection_that_ends_is_told_and_so_is_who_asks_afterwards() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    async def ask() -> bool:
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            connection = await open_connection(port, "127.0.0.2", "run.localhost", "/")
            for _ in range(2):
                with pytest.raises(ConnectionEnded):
                    await connection.post("request_agent", b"{}")
            return connection.is_open

    assert asyncio.run(ask()) is False


@pytest.mark.system
async def test_a_load_that_is_opened_again_has_as_many_connections_as_before() -> None:
    async with open_constant() as (port, _), open_load(port, f"127.0.0.1:{port}", "/", 5) as load:
        for _ in range(2):
            assert await load.open() == 5


@pytest.mark.system
def test_the_check_of_the_load_tells_what_it_costs_beside_what_it_asks() -> None:
    command = [sys.executable, "-m", "benchmarks.load_check", "--connections", "50", "--rounds", "1"]
    told = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert "| 50 | bare | " in told
    assert "| 50 | Starlette | " in told
