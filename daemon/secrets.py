"""Secret files: made once with mode 0600, refused when others could read them. Never logs what they hold."""

import contextlib
import os
import secrets
import stat
from pathlib import Path

from ..files.durable import sync_folder

SECRET_BYTES = 32
SECRET_FILE_BYTES_MAX = 4096
SECRET_BYTES_MIN = 16  # what HMAC-SHA256 needs to be out of reach


class SecretRefused(Exception):
    """The secret file cannot be used as it is; says what to do."""


def load_or_make_secret(path: Path) -> bytes:
    """The secret in `path`, made if there is none. SecretRefused, OSError."""
    if not path.exists():
        make_secret(path)
    return load_secret(path)


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


def load_secret(path: Path) -> bytes:
    """What the file holds, without space around it. SecretRefused when it is no private secret."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as exc:
        raise SecretRefused(f"{path}: cannot be read: {exc.strerror}") from exc
    try:
        _check_private(path, os.fstat(handle).st_mode)
        secret = os.read(handle, SECRET_FILE_BYTES_MAX).strip()
    finally:
        os.close(handle)
    if len(secret) < SECRET_BYTES_MIN:
        raise SecretRefused(f"{path}: is shorter than {SECRET_BYTES_MIN} bytes: remove it, a new one is made")
    return secret


def _check_private(path: Path, mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise SecretRefused(f"{path}: is not a regular file")
    if stat.S_IMODE(mode) & 0o077:
        raise SecretRefused(f"{path}: others can use it (mode {stat.S_IMODE(mode):04o}): chmod 600 {path}")
