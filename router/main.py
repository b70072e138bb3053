"""Starting a router process: its socket, its ready line, its end."""

import functools
import json
import logging
import os
import socket
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial

from ..files.durable import write_durably
from ..logs.output import write_log
from ..logs.parts import read_levels
from ..protocol.limits import BROWSER_FRAME_BYTES_MAX, FRAME_BYTES_MAX
from ..supervision.notify import Notifier
from ..supervision.sockets import SocketsRefused, take_sockets
from .app import build_app
from .config import RouterConfig, RouterRefused, read_secrets
from .connections import Connections
from .limits import BACKLOG, END_S
from .server import RouterServer, open_connections, server_config

_STRANGERS_DOING = "ASGI callable returned without completing handshake"


def run_router(config: RouterConfig) -> None:
    """Serve until SIGTERM or SIGINT, or until no daemon wants this router. RouterRefused: it cannot start.

    Once connections are accepted it writes one line to standard output, and `config.ready_file` if named.
    """
    write_log(config.log_format, read_levels(config.log_level))
    logging.getLogger("uvicorn.error").addFilter(_is_worth_a_line)
    logging.getLogger("python_multipart").setLevel(logging.ERROR)  # each form that it warns of is refused
    read_secrets(config.secret_file)  # an unfit one is said at the start, not to the first daemon
    notifier = Notifier.from_environment()
    connections = _open_connections(config)
    with ExitStack() as listening:
        listeners = [listening.enter_context(each) for each in _listen(config)]
        app, runs = build_app(
            config,
            partial(read_secrets, config.secret_file),
            on_orphaned=lambda: server.stop(),
            on_failed=lambda: server.fail(),
        )
        runs.house.open()
        settings = server_config(
            app,
            connections,
            ws_max_size=max(FRAME_BYTES_MAX, BROWSER_FRAME_BYTES_MAX),
            log_level=logging.ERROR,  # below that it writes down addresses, and those hold personal links
            access_log=config.access_log,
            proxy_headers=bool(config.trusted_proxies),
            forwarded_allow_ips=list(config.trusted_proxies),
            timeout_graceful_shutdown=int(END_S),
            backlog=BACKLOG,
            headers=_headers(config),
            ssl_certfile=config.tls_cert,
            ssl_keyfile=config.tls_key,
        )
        ready = functools.partial(_tell_ready, config, listeners, notifier)
        server = RouterServer(settings, connections, ready, runs.end, notifier)
        server.run(sockets=listeners)
    if server.has_failed:
        raise RouterRefused("it cannot go on: its log says why")


def _open_connections(config: RouterConfig) -> Connections:
    try:
        return open_connections(config.trusted_proxies)
    except ValueError as exc:
        raise RouterRefused(f"trusted_proxies: {exc}: name addresses or networks, as 10.0.0.0/8") from None


def _headers(config: RouterConfig) -> list[tuple[str, str]]:
    """What every answer says besides its own; browsers heed it under TLS only."""
    if config.hsts_s < 0:
        raise RouterRefused("hsts_s: how many seconds browsers insist on TLS, or 0")
    return [("Strict-Transport-Security", f"max-age={config.hsts_s}")] if config.hsts_s else []


def _is_worth_a_line(record: logging.LogRecord) -> bool:
    # uvicorn logs this as an error; anybody could fill the log with it.
    return not record.getMessage().startswith(_STRANGERS_DOING)


def _listen(config: RouterConfig) -> list[socket.socket]:
    """What systemd hands over, if it does; else a socket of our own."""
    if config.fd is not None:
        return [socket.socket(fileno=config.fd)]
    try:
        handed = [each for sockets in take_sockets().values() for each in sockets]
    except SocketsRefused as refused:
        raise RouterRefused(str(refused)) from refused
    return handed or [_own_listener(config)]


def _own_listener(config: RouterConfig) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
        return socket.create_server((config.host, config.port), family=family, backlog=BACKLOG)
    except OSError as exc:
        raise RouterRefused(f"cannot listen on {config.host}:{config.port}: {exc.strerror}") from exc


def _tell_ready(config: RouterConfig, listeners: Sequence[socket.socket], notifier: Notifier) -> None:
    addresses = [_url(config, listener) for listener in listeners]
    url, (host, port) = addresses[0], listeners[0].getsockname()[:2]
    if config.ready_file is not None:
        facts = {"pid": os.getpid(), "host": host, "port": port, "url": url}
        write_durably(config.ready_file, json.dumps(facts).encode(), 0o644)
    sys.stdout.write(f"crowdd router ready on {url} pid {os.getpid()}\n")
    sys.stdout.flush()
    notifier.say(ready=1, status=f"serving at {', '.join(addresses)}")


def _url(config: RouterConfig, listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    scheme = "https" if config.tls_cert else "http"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
