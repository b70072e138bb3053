"""Makes the daemon's secret files, once, with mode 0600. How they are read, `files.secrets` says."""

import contextlib
import os
import secrets
from pathlib import Path

from ..files.durable import sync_folder
from ..files.secrets import load_secrets

SECRET_BYTES = 32


def load_or_make_secrets(path: Path) -> tuple[bytes, ...]:
    """The secrets in `path`; a new one if there is no file. SecretRefused, OSError."""
    if not path.exists():
        make_secret(path)
    return load_secrets(path)


def make_secret(path: Path) -> None:
    """Put a new secret into `path`, whole or not at all; a file that is there already stays as it is."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(handle, "w") as file:
            file.write(secrets.token_urlsafe(SECRET_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(part, path)  # unlike a rename, never replaces a secret that is in use
    finally:
        part.unlink()
    sync_folder(path.parent)
