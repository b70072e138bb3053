"""Starting and ending a router process: its socket, its ready line, SIGTERM."""

import json
import logging
import os
import signal
import socket
import sys
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType

import uvicorn
from starlette.applications import Starlette

from ..protocol.limits import BROWSER_FRAME_BYTES_MAX, FRAME_BYTES_MAX
from .app import build_app
from .config import RouterConfig, RouterRefused, read_secret
from .disk import write_durably
from .limits import BACKLOG, END_S
from .runs import Runs

log = logging.getLogger(__name__)


def run_router(config: RouterConfig) -> None:
    """Serve until SIGTERM or SIGINT, or until no daemon wants this router. RouterRefused: it cannot start.

    Once connections are accepted it writes one line to standard output, and `config.ready_file` if named.
    """
    secret = read_secret(config.secret_file)
    listener = _listen(config)
    with listener:
        app, runs = build_app(config, secret, on_orphaned=lambda: server.stop())
        server = _Server(_uvicorn_config(config, app), runs, config)
        runs.house.open()
        server.run(sockets=[listener])


class _Server(uvicorn.Server):
    """uvicorn's server with our way to begin and to end."""

    def __init__(self, config: uvicorn.Config, runs: Runs, router: RouterConfig) -> None:
        super().__init__(config)
        self._runs = runs
        self._router = router

    def stop(self) -> None:
        """End soon: who waits is answered, pages are told."""
        self.should_exit = True

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        # uvicorn's own raises the signal again after a clean end, which would hide our exit status 0.
        before = {name: signal.signal(name, self.handle_exit) for name in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for name, handler in before.items():
                signal.signal(name, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The second signal does not wait for anybody."""
        self.force_exit = self.should_exit
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then say so."""
        await super().startup(sockets)
        if self.started and sockets:
            _tell_ready(self._router, sockets[0])

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer those who wait, so that their connections can end."""
        self._runs.end()
        await super().shutdown(sockets)


def _uvicorn_config(config: RouterConfig, app: Starlette) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http="httptools",
        loop="uvloop",
        ws="websockets-sansio",
        ws_max_size=max(FRAME_BYTES_MAX, BROWSER_FRAME_BYTES_MAX),
        ws_per_message_deflate=False,
        lifespan="on",
        log_config=None,
        access_log=config.access_log,
        server_header=False,
        proxy_headers=bool(config.trusted_proxies),
        forwarded_allow_ips=list(config.trusted_proxies),
        timeout_graceful_shutdown=int(END_S),
        timeout_keep_alive=75,
        backlog=BACKLOG,
        ssl_certfile=config.tls_cert,
        ssl_keyfile=config.tls_key,
    )


def _listen(config: RouterConfig) -> socket.socket:
    if config.fd is not None:
        return socket.socket(fileno=config.fd)
    try:
        family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
        return socket.create_server((config.host, config.port), family=family, backlog=BACKLOG)
    except OSError as exc:
        raise RouterRefused(f"cannot listen on {config.host}:{config.port}: {exc.strerror}") from exc


def _tell_ready(config: RouterConfig, listener: socket.socket) -> None:
    host, port = listener.getsockname()[:2]
    scheme = "https" if config.tls_cert else "http"
    url = f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
    if config.ready_file is not None:
        facts = {"pid": os.getpid(), "host": host, "port": port, "url": url}
        write_durably(config.ready_file, json.dumps(facts).encode(), 0o644)
    sys.stdout.write(f"crowdd router ready on {url} pid {os.getpid()}\n")
    sys.stdout.flush()
