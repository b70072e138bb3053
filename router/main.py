"""Starting a router process: its socket, its ready line, its end."""

import json
import logging
import os
import socket
import sys

from ..files.durable import write_durably
from ..logs.output import write_log
from ..logs.parts import read_levels
from ..protocol.limits import BROWSER_FRAME_BYTES_MAX, FRAME_BYTES_MAX
from .app import build_app
from .config import RouterConfig, RouterRefused, read_secret
from .connections import Connections
from .limits import BACKLOG, END_S
from .server import RouterServer, open_connections, server_config

_STRANGERS_DOING = ("ASGI callable returned without completing handshake", "Invalid UTF-8 sequence received")


def run_router(config: RouterConfig) -> None:
    """Serve until SIGTERM or SIGINT, or until no daemon wants this router. RouterRefused: it cannot start.

    Once connections are accepted it writes one line to standard output, and `config.ready_file` if named.
    """
    write_log(config.log_format, read_levels(config.log_level))
    logging.getLogger("uvicorn.error").addFilter(_is_worth_a_line)
    secret = read_secret(config.secret_file)
    connections = _open_connections(config)
    with _listen(config) as listener:
        app, runs = build_app(config, secret, on_orphaned=lambda: server.stop())
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
            ssl_certfile=config.tls_cert,
            ssl_keyfile=config.tls_key,
        )
        server = RouterServer(settings, connections, lambda: _tell_ready(config, listener), runs.end)
        server.run(sockets=[listener])


def _open_connections(config: RouterConfig) -> Connections:
    try:
        return open_connections(config.trusted_proxies)
    except ValueError as exc:
        raise RouterRefused(f"trusted_proxies: {exc}: name addresses or networks, as 10.0.0.0/8") from None


def _is_worth_a_line(record: logging.LogRecord) -> bool:
    # uvicorn logs these as errors, one with its traceback; anybody could fill the log with them.
    return not record.getMessage().startswith(_STRANGERS_DOING)


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
