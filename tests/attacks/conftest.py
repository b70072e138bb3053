"""Routers under attack: one with the limits as they are for a whole module, others with smaller ones."""

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from ..router.conftest import PAGES, Process
from ..router.daemon import SECRET
from .wild import deploy_pages

BIG_PAGE = bytes(range(256)) * 100_000
Limit = tuple[str, str, float]
STRICT: list[Limit] = [
    ("crowdd.router.http_protocol", "DRAIN_BYTES_MAX", 4_000_000),
    ("crowdd.router.http_protocol", "DRAIN_S", 0.3),
    ("crowdd.router.http_protocol", "HEADER_S", 1.0),
    ("crowdd.router.http_protocol", "KEEP_ALIVE_S", 1.5),
    ("crowdd.router.server", "SEND_S", 0.5),
    ("crowdd.router.socket_protocol", "SOCKET_FRAGMENTS_MAX", 64),
    ("crowdd.router.socket_protocol", "SOCKET_PINGS_BURST_MAX", 10),
    ("crowdd.router.socket_protocol", "SOCKET_PINGS_PER_S_MAX", 0),
]
TightRouter = Callable[..., Process]


@contextmanager
def running(folder: Path, limits: list[Limit], **settings: object) -> Generator[Process]:
    """A router in this folder, with its pages and these limits."""
    folder.mkdir(exist_ok=True)
    secret = folder / "secret"
    secret.touch(0o600)
    secret.write_bytes(SECRET)
    facts = {
        "folder": str(folder / "router"),
        "secret_file": str(secret),
        "ready_file": str(folder / "ready.json"),
        "default_run": "digits",
        **settings,
    }
    process = Process(facts, folder / "ready.json", limits=limits)
    try:
        process.start()
        deploy_pages(process, {**PAGES, "big.bin": BIG_PAGE})
        yield process
    finally:
        if process.process is not None:
            process.kill()


@pytest.fixture(scope="module")
def router(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """A router with its pages, for all tests of a module: whoever is attacked must go on."""
    with running(tmp_path_factory.mktemp("router"), []) as process:
        yield process


@pytest.fixture(scope="module")
def strict_router(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """One for a whole module that loses its patience soon, so that tests see where it ends."""
    with running(tmp_path_factory.mktemp("router"), STRICT) as process:
        yield process


@pytest.fixture
def tight_router(tmp_path: Path) -> Iterator[TightRouter]:
    """Starts a router with smaller limits, each as module, name and value."""
    with ExitStack() as open_ones:

        def start(*limits: Limit, **settings: object) -> Process:
            return open_ones.enter_context(running(tmp_path / "router", list(limits), **settings))

        yield start
