"""SEC9: every limit has a name, and every name a test: one less, the limit, one more. Those that are not here
are tried beside what they bound; the last test looks that none is forgotten.
"""

import re
import resource
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
import trio
from trio_websocket import ConnectionClosed

from crowdd.protocol import limits as wire
from crowdd.protocol import packets
from crowdd.protocol.codec import decode_frame, encode_packet, join_frame
from crowdd.protocol.handshake import Handshake
from crowdd.protocol.limits import HEADER_BYTES_MAX, SOCKET_BYTES_BURST_MAX, SOCKET_BYTES_PER_S_MAX
from crowdd.protocol.link import Role
from crowdd.protocol.names import Outcome
from crowdd.protocol.proof import NONCE_BYTES
from crowdd.router import limits, posts, runs, server, sockets
from crowdd.router.bodies import Shares
from crowdd.router.limits import BODIES_SHARES, CONNECTIONS_MAX, FILES_RESERVED
from crowdd.router.rates import Bucket

from ..router.conftest import PAGES, OpenApp, Process, open_app
from ..router.daemon import SECRET, Daemon, deploy, linked, linked_in_memory, open_link, until_closed
from ..router.kit import Part, agent_id, bundle_of, form_of
from .conftest import TightRouter
from .wild import stranger

__all__ = ["open_app"]

TESTS = Path(__file__).parents[1]
FORM = {"Content-Type": "multipart/form-data; boundary=XX"}
BODY = form_of(
    [
        Part("f", b"0123456789", "f"),
        Part("USED_AGENT_ID", agent_id().encode()),
        Part("final_string_data", b"{}"),
    ],
    "XX",
)


@pytest.mark.parametrize(("more", "status"), [(-1, b"200"), (0, b"200"), (1, b"400")])
async def test_sec9_headers_may_be_so_long_and_no_longer(router: Process, more: int, status: bytes) -> None:
    line_bytes = 4  # what a header counts besides its name and value
    others = len(b"/") + len(b"Host" + b"x") + line_bytes + len(b"X") + line_bytes
    request = b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * (HEADER_BYTES_MAX - others + more) + b"\r\n\r\n"
    async with stranger(router) as wild:
        await wild.send(request)
        assert (await wild.answer()).split(b" ")[1] == status


@pytest.mark.parametrize(("count", "opened"), [(2, True), (3, True), (4, False)])
def test_sec9_a_run_has_so_many_sockets_and_no_more(
    monkeypatch: pytest.MonkeyPatch, count: int, opened: bool
) -> None:
    monkeypatch.setattr(sockets, "SOCKETS_MAX", 3)
    there = sockets.Sockets()
    came = [there.open(f"10.0.0.{n}", 0.0) is not None for n in range(count)]
    assert came == [True] * (count - 1) + [opened]


@pytest.mark.parametrize(("count", "status"), [(1, 200), (2, 200), (3, 503)])
async def test_sec9_a_router_serves_so_many_runs_and_no_more(
    open_app: OpenApp, monkeypatch: pytest.MonkeyPatch, count: int, status: int
) -> None:
    monkeypatch.setattr(runs, "RUNS_MAX", 2)
    async with open_app(bare=True) as app:
        answers = [await deploy(app.client, bundle_of(PAGES), f"run-{n}") for n in range(count)]
        assert [answer.status_code for answer in answers] == [200] * (count - 1) + [status]


@pytest.mark.parametrize(("kept", "status"), [(9, 200), (10, 200), (11, 503)])
async def test_sec9_a_run_keeps_so_many_uploads_and_no_more(
    open_app: OpenApp, monkeypatch: pytest.MonkeyPatch, kept: int, status: int
) -> None:
    monkeypatch.setattr(posts, "UPLOADS_KEPT_BYTES_MAX", 10)
    async with open_app() as app, linked_in_memory(Daemon(), app.run.desk):
        app.run.folder.upload("0" * 64).write_bytes(b"x" * kept)
        answer = await app.client.post("/submit_task", content=BODY, headers=FORM)
        assert answer.status_code == status


async def test_sec9_with_one_turn_for_all_every_form_gets_through(
    open_app: OpenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posts, "UPLOADS_AT_ONCE_MAX", 1)
    answers: list[int] = []
    async with open_app() as app, linked_in_memory(Daemon(), app.run.desk):

        async def submit() -> None:
            answers.append((await app.client.post("/submit_task", content=BODY, headers=FORM)).status_code)

        async with trio.open_nursery() as nursery:
            for _ in range(8):
                nursery.start_soon(submit)
    assert answers == [200] * 8


@pytest.mark.parametrize(("amount", "taken"), [(-1, True), (0, True), (1, False)])
def test_sec9_a_page_may_send_so_many_bytes_a_second(amount: int, taken: bool) -> None:
    bucket = Bucket(SOCKET_BYTES_PER_S_MAX, SOCKET_BYTES_BURST_MAX)
    assert bucket.take(0.0, SOCKET_BYTES_BURST_MAX)
    assert bucket.take(1.0, SOCKET_BYTES_PER_S_MAX + amount) is taken


@pytest.mark.parametrize(("amount", "taken"), [(99, True), (100, True), (101, False)])
def test_sec9_one_address_holds_its_share_of_all_bodies_and_no_more(amount: int, taken: bool) -> None:
    assert Shares(100 * BODIES_SHARES, BODIES_SHARES).take("10.0.0.1", amount) is taken


async def test_sec9_a_link_that_says_nothing_ends(tight_router: TightRouter) -> None:
    router = tight_router(("crowdd.router.link_door", "HELLO_S", 0.3))
    async with open_link(router.url, "digits") as frames:
        with pytest.raises(ConnectionClosed) as closed:
            await until_closed(frames)
    assert closed.value.reason is not None
    assert closed.value.reason.code == 1008


async def test_sec9_one_address_says_so_much_of_hellos_and_no_more(tight_router: TightRouter) -> None:
    begun = Handshake(Role.DAEMON, [SECRET], "digits", bytes(NONCE_BYTES), 1).start()[0]
    part = join_frame([encode_packet(packets.Part(0, 0, False, bytes(1000)))])
    room = 2 * len(begun) + len(part)
    limits = (
        ("crowdd.router.link_door", "HELLOS_BYTES_MAX", room),
        ("crowdd.router.link_door", "HELLOS_SHARES", 1),
    )
    router = tight_router(*limits)
    async with open_link(router.url, "digits") as first:
        await first.send(begun)
        await first.receive()
        await first.send(part)
        async with open_link(router.url, "digits") as second:
            await second.send(begun)
            await second.receive()
            await second.send(part)
            [said] = decode_frame(await second.receive())
            assert isinstance(said, packets.Answer)
            assert said.outcome is Outcome.REFUSED
    async with linked(Daemon(), router.url):
        pass


@pytest.mark.parametrize(
    ("files", "connections"),
    [
        (FILES_RESERVED + 7, 7),
        (CONNECTIONS_MAX + FILES_RESERVED - 1, CONNECTIONS_MAX - 1),
        (CONNECTIONS_MAX + FILES_RESERVED, CONNECTIONS_MAX),
        (CONNECTIONS_MAX + FILES_RESERVED + 1, CONNECTIONS_MAX),
        (resource.RLIM_INFINITY, CONNECTIONS_MAX),
        (10, 1),
    ],
)
def test_sec9_there_are_no_more_connections_than_files_may_be_open(
    monkeypatch: pytest.MonkeyPatch, files: int, connections: int
) -> None:
    raised: list[tuple[int, int]] = []

    def soft_and_hard(_: int) -> tuple[int, int]:
        return 5, files

    def raise_to(_: int, pair: tuple[int, int]) -> None:
        raised.append(pair)

    monkeypatch.setattr(resource, "getrlimit", soft_and_hard)
    monkeypatch.setattr(resource, "setrlimit", raise_to)
    assert server.open_connections([]).most == connections
    assert raised == [(files, files)]


PACES = frozenset(
    {
        "BACKLOG",
        "END_S",
        "PAGES_CALM_S",
        "PAUSED_RETRY_AFTER_S",
        "RETRY_AFTER_S",
        "SWEEP_S",
        "TICK_S",
    }
)
"""How often we do what we do, and what we tell others to wait: nobody can be over them."""
OTHERS = re.compile(r"OUTBOX_|SPOOL|DELIVER")
"""What the router keeps on its disk is bounded, and tried, in its quota."""


def names(module: ModuleType) -> list[str]:
    return sorted(
        name for name in vars(module) if name.isupper() and name not in PACES and not OTHERS.match(name)
    )


@pytest.fixture(scope="module")
def speaks() -> Callable[[str], bool]:
    """Whether any test speaks of a name."""
    said = "\n".join(path.read_text() for path in TESTS.rglob("*.py"))
    words = frozenset(re.findall(r"\w+", said))
    return words.__contains__


@pytest.mark.parametrize("name", [*names(wire), *names(limits)])
def test_sec9_every_limit_is_tried(speaks: Callable[[str], bool], name: str) -> None:
    assert speaks(name), f"no test speaks of {name}"
