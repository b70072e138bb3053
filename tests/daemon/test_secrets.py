"""Secret files: made private and whole, kept, and refused when they are neither."""

import os
import stat
import struct
from pathlib import Path

import pytest

from crowdd.daemon.secrets import load_or_make_secrets, make_secret
from crowdd.files.secrets import SECRETS_MAX, SecretRefused, load_secrets


def test_a_secret_is_made_once_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "links"
    assert load_or_make_secrets(path) == load_or_make_secrets(path)
    assert [len(secret) >= 32 for secret in load_secrets(path)] == [True]


def test_only_we_may_use_it(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "links"
    make_secret(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_no_two_secrets_are_the_same(tmp_path: Path) -> None:
    assert load_or_make_secrets(tmp_path / "a") != load_or_make_secrets(tmp_path / "b")


def test_making_one_where_one_is_leaves_it(tmp_path: Path) -> None:
    path = tmp_path / "s"
    before = load_or_make_secrets(path)
    make_secret(path)
    assert load_secrets(path) == before
    assert [file.name for file in tmp_path.iterdir()] == ["s"]


def test_nothing_half_made_is_left_where_it_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    make_secret(tmp_path / "s")
    assert [file.name for file in tmp_path.iterdir()] == ["s"]
    with pytest.raises(SecretRefused, match="is not a regular file"):
        load_secrets(tmp_path / "s")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o622, 0o601])
def test_one_that_others_can_use_is_refused_with_the_remedy(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "s"
    make_secret(path)
    path.chmod(mode)
    with pytest.raises(SecretRefused, match=rf"mode {mode:04o}\): chmod 600 {path}"):
        load_secrets(path)


def test_one_that_is_too_short_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s"
    path.write_text("short\n")
    path.chmod(0o600)
    with pytest.raises(SecretRefused, match="shorter than 16 bytes"):
        load_secrets(path)


def test_one_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SecretRefused, match="cannot be read: No such file"):
        load_secrets(tmp_path / "s")


def test_a_refusal_never_shows_the_secret(tmp_path: Path) -> None:
    path = tmp_path / "s"
    path.write_text("hush hush hush hush")
    path.chmod(0o644)
    with pytest.raises(SecretRefused) as refused:
        load_secrets(path)
    assert "hush" not in str(refused.value)


def test_space_around_it_does_not_count(tmp_path: Path) -> None:
    path = tmp_path / "s"
    path.touch(mode=0o600)
    os.chmod(path, 0o600)
    path.write_text("  sixteen-bytes-at-least \n\n")
    assert load_secrets(path) == (b"sixteen-bytes-at-least",)


def private(path: Path, content: str | bytes) -> Path:
    path.touch(mode=0o600)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_sec4_each_line_is_a_secret_in_their_order(tmp_path: Path) -> None:
    path = private(tmp_path / "s", "the-first-of-the-secrets\n\n  the-next-of-the-secrets\n")
    assert load_secrets(path) == (b"the-first-of-the-secrets", b"the-next-of-the-secrets")


@pytest.mark.parametrize("number", [SECRETS_MAX - 1, SECRETS_MAX])
def test_sec4_so_many_secrets_may_be_in_a_file(tmp_path: Path, number: int) -> None:
    assert len(load_secrets(private(tmp_path / "s", "sixteen-bytes-at-least\n" * number))) == number


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "holds no secret"),
        ("\n \n", "holds no secret"),
        ("sixteen-bytes-at-least\nshort", "a line of it is shorter than 16 bytes"),
        ("sixteen-bytes-at-least\n" * (SECRETS_MAX + 1), "holds more than 4 secrets"),
        ("x" * 4097, "longer than 4096 bytes"),
    ],
    ids=["empty", "blank", "a short line", "too many", "too long"],
)
def test_sec22_a_garbled_file_is_refused_with_what_is_wrong(tmp_path: Path, content: str, words: str) -> None:
    with pytest.raises(SecretRefused, match=words):
        load_secrets(private(tmp_path / "s", content))


def listed(*entries: tuple[int, int, int]) -> bytes:
    """An access list as the kernel keeps it: tag, permissions, number."""
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


NONE, OURS = 0xFFFFFFFF, os.geteuid()
OWNER, OWN_GROUP, MASK, OTHER = (0x01, 4, NONE), (0x04, 0, NONE), (0x10, 4, NONE), (0x20, 0, NONE)


def test_sec14_a_credential_as_systemd_makes_it_is_taken(tmp_path: Path) -> None:
    """Root owns it and an access list lets the service read: its mode then looks like the group's."""
    path = private(tmp_path / "s", "sixteen-bytes-at-least")
    os.setxattr(path, "system.posix_acl_access", listed(OWNER, (0x02, 4, OURS), OWN_GROUP, MASK, OTHER))
    assert stat.S_IMODE(path.stat().st_mode) & 0o070
    assert load_secrets(path) == (b"sixteen-bytes-at-least",)


@pytest.mark.parametrize(
    "entries",
    [
        (OWNER, (0x02, 4, 54321), OWN_GROUP, MASK, OTHER),
        (OWNER, (0x04, 4, NONE), (0x08, 4, 54321), MASK, OTHER),
        (OWNER, OWN_GROUP, (0x08, 4, 54321), MASK, OTHER),
    ],
    ids=["another user", "the group", "another group"],
)
def test_sec14_an_access_list_that_lets_others_read_is_refused(
    tmp_path: Path, entries: tuple[tuple[int, int, int], ...]
) -> None:
    path = private(tmp_path / "s", "sixteen-bytes-at-least")
    os.setxattr(path, "system.posix_acl_access", listed(*entries))
    with pytest.raises(SecretRefused, match="others can use it"):
        load_secrets(path)
