"""What a router is told at its start: one frozen object, and the checks of its secret."""

from collections.abc import Callable, Sequence
from pathlib import Path

import attrs

from ..files.secrets import SecretRefused, load_secrets
from .limits import OUTBOX_BYTES_MAX

KnownSecrets = Callable[[], Sequence[bytes]]
"""Reads the secrets that daemon and router share at present; RouterRefused while their file is unfit."""


class RouterRefused(Exception):
    """The router cannot start as it was asked to; the words say what to do."""


@attrs.frozen
class RouterConfig:
    """Where the router listens, what it keeps where, and whom it believes.

    `fd` is a listening socket somebody else has bound; with it `host` and `port` are not used. `port` 0 takes
    a free one, which the ready line and `ready_file` name. `default_run` is served at the root;
    `shared_origin` allows `/run/<label>/`. `trusted_origins` are full origins (`https://x.org`) that may
    post besides the run's own. `hsts_s`: how long browsers are to insist on TLS (0: not said).
    `outbox_bytes_max` bounds what is kept on disk while the daemon is away, of all runs. `orphan_after_s`
    None: the router never ends by itself. `log_format` and `log_level` are said as to `crowdd serve`:
    `log_level = ["info", "router.desk=debug"]`.
    """

    folder: Path
    secret_file: Path
    host: str = "127.0.0.1"
    port: int = 0
    fd: int | None = None
    ready_file: Path | None = None
    default_run: str | None = None
    shared_origin: bool = False
    trusted_origins: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    frame_ancestors: tuple[str, ...] = ("'self'",)
    tls_cert: Path | None = None
    tls_key: Path | None = None
    hsts_s: int = 0
    outbox_bytes_max: int = OUTBOX_BYTES_MAX
    orphan_after_s: float | None = None
    access_log: bool = False
    log_format: str = "text"
    log_level: tuple[str, ...] = ()


def read_secrets(path: Path) -> tuple[bytes, ...]:
    """What daemon and router prove themselves with, the first of it; RouterRefused: the file is unfit."""
    try:
        return load_secrets(path)
    except SecretRefused as exc:
        raise RouterRefused(f"the secret file {exc}") from exc
