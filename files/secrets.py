"""Secret files as daemon and router read them: private, one secret a line. Makes none, and never shows one.

The first line is what proves or signs, any line is accepted: so a secret is changed on two hosts, one after
the other, and nobody is refused meanwhile.
"""

import os
import stat
import struct
from collections.abc import Iterator
from pathlib import Path

SECRET_FILE_BYTES_MAX = 4096
SECRET_BYTES_MIN = 16  # what HMAC-SHA256 needs to be out of reach
SECRETS_MAX = 4  # the one in use, the next one, and what somebody forgot to remove

_ACL = "system.posix_acl_access"
_ACL_HEADER, _ACL_ENTRY = struct.Struct("<I"), struct.Struct("<HHI")
_USER, _GROUP_OWNER, _GROUP, _MASK, _OTHER = 0x02, 0x04, 0x08, 0x10, 0x20


class SecretRefused(Exception):
    """The secret file cannot be used as it is; says what to do."""


def load_secrets(path: Path) -> tuple[bytes, ...]:
    """The secrets in the file, at least one. SecretRefused when it is no private file of secrets."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as exc:
        raise SecretRefused(f"{path}: cannot be read: {exc.strerror}") from exc
    try:
        _check_private(path, handle)
        content = os.read(handle, SECRET_FILE_BYTES_MAX + 1)
    finally:
        os.close(handle)
    if len(content) > SECRET_FILE_BYTES_MAX:
        raise SecretRefused(f"{path}: is longer than {SECRET_FILE_BYTES_MAX} bytes: it is no file of secrets")
    return _checked(path, tuple(line.strip() for line in content.splitlines() if line.strip()))


def _checked(path: Path, secrets: tuple[bytes, ...]) -> tuple[bytes, ...]:
    if not secrets:
        raise SecretRefused(f"{path}: holds no secret: write one of {SECRET_BYTES_MIN} bytes or more")
    if any(len(secret) < SECRET_BYTES_MIN for secret in secrets):
        raise SecretRefused(
            f"{path}: a line of it is shorter than {SECRET_BYTES_MIN} bytes: each is a secret of its own"
        )
    if len(secrets) > SECRETS_MAX:
        raise SecretRefused(f"{path}: holds more than {SECRETS_MAX} secrets: remove the old ones")
    return secrets


def _check_private(path: Path, handle: int) -> None:
    status = os.fstat(handle)
    mode = stat.S_IMODE(status.st_mode)
    if not stat.S_ISREG(status.st_mode):
        raise SecretRefused(f"{path}: is not a regular file")
    if mode & 0o007 or (mode & 0o070 and not _is_ours_alone(handle)):
        raise SecretRefused(f"{path}: others can use it (mode {mode:04o}): chmod 600 {path}")


def _is_ours_alone(handle: int) -> bool:
    """Whether the group's bits are those of an access list of us and root only, as systemd makes it."""
    try:
        entries = list(_entries(os.getxattr(handle, _ACL)))
    except (OSError, struct.error):
        return False
    return all(
        not permissions or tag in (0x01, _MASK) or (tag == _USER and number in (0, os.geteuid()))
        for tag, permissions, number in entries
    )


def _entries(listed: bytes) -> Iterator[tuple[int, int, int]]:
    return _ACL_ENTRY.iter_unpack(listed[_ACL_HEADER.size :])
