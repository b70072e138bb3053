"""Secret files: made private and whole, kept, and refused when they are neither."""

import os
import stat
from pathlib import Path

import pytest

from crowdd.daemon.secrets import SecretRefused, load_or_make_secret, load_secret, make_secret


def test_a_secret_is_made_once_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "links"
    assert load_or_make_secret(path) == load_or_make_secret(path)
    assert len(load_secret(path)) >= 32


def test_only_we_may_use_it(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "links"
    make_secret(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_no_two_secrets_are_the_same(tmp_path: Path) -> None:
    assert load_or_make_secret(tmp_path / "a") != load_or_make_secret(tmp_path / "b")


def test_making_one_where_one_is_leaves_it(tmp_path: Path) -> None:
    path = tmp_path / "s"
    before = load_or_make_secret(path)
    make_secret(path)
    assert load_secret(path) == before
    assert [file.name for file in tmp_path.iterdir()] == ["s"]


def test_nothing_half_made_is_left_where_it_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    make_secret(tmp_path / "s")
    assert [file.name for file in tmp_path.iterdir()] == ["s"]
    with pytest.raises(SecretRefused, match="is not a regular file"):
        load_secret(tmp_path / "s")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o622, 0o601])
def test_one_that_others_can_use_is_refused_with_the_remedy(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "s"
    make_secret(path)
    path.chmod(mode)
    with pytest.raises(SecretRefused, match=rf"mode {mode:04o}\): chmod 600 {path}"):
        load_secret(path)


def test_one_that_is_too_short_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s"
    path.write_text("short\n")
    path.chmod(0o600)
    with pytest.raises(SecretRefused, match="shorter than 16 bytes"):
        load_secret(path)


def test_one_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SecretRefused, match="cannot be read: No such file"):
        load_secret(tmp_path / "s")


def test_a_refusal_never_shows_the_secret(tmp_path: Path) -> None:
    path = tmp_path / "s"
    path.write_text("hush hush hush hush")
    path.chmod(0o644)
    with pytest.raises(SecretRefused) as refused:
        load_secret(path)
    assert "hush" not in str(refused.value)


def test_space_around_it_does_not_count(tmp_path: Path) -> None:
    path = tmp_path / "s"
    path.touch(mode=0o600)
    os.chmod(path, 0o600)
    path.write_text("  sixteen-bytes-at-least \n\n")
    assert load_secret(path) == b"sixteen-bytes-at-least"
