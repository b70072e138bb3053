"""What a router keeps on its disk, and for whom."""

import hashlib
import os
import stat
import time
from pathlib import Path

import pytest

from crowdd.router.bundle import BundleRefused
from crowdd.router.config import RouterRefused, read_secrets
from crowdd.router.house import House, RunFolder
from crowdd.router.limits import UPLOAD_KEPT_S

from .kit import bundle_of


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    (tmp_path / "runs").mkdir()
    folder = RunFolder(tmp_path / "runs" / "digits")
    folder.make()
    return folder


def incoming(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "incoming"
    path.write_bytes(content)
    return path


def test_the_key_is_for_the_routers_eyes_only(folder: RunFolder) -> None:
    folder.keep_key(b"k" * 32)
    assert folder.key() == b"k" * 32
    assert stat.S_IMODE((folder.path / "key").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700


def test_a_run_without_a_key_has_none(folder: RunFolder) -> None:
    assert folder.key() is None


def test_a_bundle_is_there_after_a_restart(folder: RunFolder, tmp_path: Path) -> None:
    archive = bundle_of({"index.html": b"one"})
    folder.switch_to(incoming(tmp_path, archive))
    kept = RunFolder(folder.path).bundle()
    assert kept is not None
    assert kept[0] == hashlib.sha256(archive).hexdigest()
    assert kept[1]["index.html"].content == b"one"


def test_a_refused_bundle_leaves_the_old_one(folder: RunFolder, tmp_path: Path) -> None:
    folder.switch_to(incoming(tmp_path, bundle_of({"index.html": b"one"})))
    with pytest.raises(BundleRefused):
        folder.switch_to(incoming(tmp_path, b"nonsense"))
    kept = folder.bundle()
    assert kept is not None
    assert kept[1]["index.html"].content == b"one"


def test_a_damaged_bundle_is_waited_for_again(folder: RunFolder) -> None:
    (folder.path / "bundle.tar.gz").write_bytes(b"torn")
    assert folder.bundle() is None


def test_uploads_that_everybody_forgot_are_found_by_their_age(folder: RunFolder) -> None:
    for name, age_s in (("old", UPLOAD_KEPT_S + 10), ("new", 0.0)):
        path = folder.upload(name)
        path.write_bytes(b"x")
        os.utime(path, (time.time() - age_s, time.time() - age_s))
    assert folder.stale_uploads() == ["old"]


def test_an_upload_that_is_removed_while_others_are_looked_at_is_none(folder: RunFolder) -> None:
    folder.upload("kept").write_bytes(b"x")
    folder.upload("removed").symlink_to("nowhere")  # has a name in the folder, and is not there
    assert list(folder.uploads()) == ["kept"]


def test_a_run_that_is_taken_off_has_no_uploads(folder: RunFolder) -> None:
    folder.remove()
    assert folder.uploads() == {}


def test_an_upload_that_cannot_be_removed_stays_and_the_others_go(folder: RunFolder) -> None:
    folder.upload("folder").mkdir()  # which cannot be removed as a file
    folder.upload("file").write_bytes(b"x")
    folder.drop_uploads(["folder", "file"])
    assert [path.name for path in folder.files.iterdir()] == ["folder"]


def test_removing_a_run_removes_everything_and_may_be_repeated(folder: RunFolder) -> None:
    folder.keep_key(b"k")
    folder.remove()
    folder.remove()
    assert not folder.path.exists()


@pytest.mark.parametrize("discard", [False, True])
def test_what_was_set_aside_outlives_its_run_unless_that_is_discarded(tmp_path: Path, discard: bool) -> None:
    house = House(tmp_path / "router")
    house.open()
    house.close()
    for _ in range(2):  # the same label again
        run = house.run("digits")
        run.make()
        (run.path / "set_aside" / "1-a").mkdir(parents=True)
        (run.path / "set_aside" / "1-a" / "answer").write_bytes(b"seven")
        house.remove("digits", discard)
        assert not run.path.exists()
    left = [path.read_bytes() for path in (tmp_path / "router").rglob("answer")]
    assert left == ([] if discard else [b"seven"] * 2)
    assert house.labels() == []


def test_what_was_set_aside_of_a_run_taken_off_goes_when_it_is_discarded_later(tmp_path: Path) -> None:
    house = House(tmp_path)
    for label in ("digits", "digits-2", "digits-0123abcd"):
        run = house.run(label)
        run.make()
        (run.path / "set_aside" / "1-a").mkdir(parents=True)
        house.remove(label, discard=False)
    house.remove("digits", discard=True)
    left = sorted(path.name.rpartition("-")[0] for path in (tmp_path / "set_aside").iterdir())
    assert left == ["digits-0123abcd", "digits-2"]


def test_two_routers_cannot_work_in_one_folder(tmp_path: Path) -> None:
    first, second = House(tmp_path), House(tmp_path)
    first.open()
    with pytest.raises(RouterRefused, match="another router"):
        second.open()
    first.close()
    second.open()
    second.close()


def test_what_was_half_received_is_cleared_at_start(tmp_path: Path) -> None:
    (tmp_path / "incoming").mkdir()
    (tmp_path / "incoming" / "half").write_bytes(b"x")
    house = House(tmp_path)
    house.open()
    assert list(house.incoming.iterdir()) == []
    house.close()


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o606])
def test_a_secret_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "secret"
    path.write_bytes(b"s" * 32)
    path.chmod(mode)
    with pytest.raises(RouterRefused, match="chmod 600"):
        read_secrets(path)


def test_a_missing_or_short_secret_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    with pytest.raises(RouterRefused, match="cannot be read"):
        read_secrets(path)
    path.write_bytes(b"short\n")
    path.chmod(0o600)
    with pytest.raises(RouterRefused, match="shorter"):
        read_secrets(path)
