"""Packing a task folder: what is sent, what is left out, what is refused."""

import hashlib
import os
import tarfile
from pathlib import Path

import pytest

from crowdd.client import TaskFolderRefused
from crowdd.client.packing import packed_task
from crowdd.daemon.task_folder import unpack_task


@pytest.fixture
def task(tmp_path: Path) -> Path:
    folder = tmp_path / "task"
    (folder / "page").mkdir(parents=True)
    (folder / "task.toml").write_text("name = 'x'\n")
    (folder / "page" / "é ü.html").write_text("<p>hello")
    return folder


def names(folder: Path) -> list[str]:
    with packed_task(folder) as archive, tarfile.open(fileobj=archive) as tar:
        return tar.getnames()


def test_files_are_packed_by_their_place_in_the_folder(task: Path) -> None:
    assert names(task) == ["task.toml", "page/é ü.html"]


def test_the_daemon_unpacks_what_was_packed(task: Path, tmp_path: Path) -> None:
    with packed_task(task) as archive:
        (tmp_path / "a.tar.gz").write_bytes(archive.read())
    unpack_task(tmp_path / "a.tar.gz", tmp_path / "unpacked")
    assert (tmp_path / "unpacked" / "page" / "é ü.html").read_text() == "<p>hello"


@pytest.mark.parametrize("tool", [".git", ".hg", "__pycache__", "node_modules", ".venv"])
def test_what_tools_keep_is_left_out(task: Path, tool: str) -> None:
    (task / "page" / tool).mkdir()
    (task / "page" / tool / "big").write_text("x")
    (task / "page" / "old.pyc").write_text("x")
    assert names(task) == ["task.toml", "page/é ü.html"]


def digest(folder: Path) -> str:
    with packed_task(folder) as archive:
        return hashlib.sha256(archive.read()).hexdigest()


def test_the_same_folder_gives_the_same_bytes(task: Path) -> None:
    before = digest(task)
    os.utime(task / "task.toml", (1, 1))
    (task / "task.toml").chmod(0o600)
    assert digest(task) == before


def test_a_link_is_refused_by_name(task: Path) -> None:
    (task / "data.csv").symlink_to("/etc/passwd")
    with pytest.raises(TaskFolderRefused, match=r"data\.csv is a symbolic link"), packed_task(task):
        pass


def test_a_linked_folder_is_refused_by_name(task: Path) -> None:
    (task / "more").symlink_to("/etc")
    with pytest.raises(TaskFolderRefused, match="more is a symbolic link"), packed_task(task):
        pass


def test_a_pipe_is_refused_and_not_waited_for(task: Path) -> None:
    os.mkfifo(task / "pipe")
    with pytest.raises(TaskFolderRefused, match="not a regular file"), packed_task(task):
        pass


def test_what_packs_to_too_much_is_refused_with_the_largest_files(task: Path) -> None:
    (task / "video.bin").write_bytes(os.urandom(3 * 1024 * 1024))
    with pytest.raises(TaskFolderRefused) as refused, packed_task(task, archive_bytes_max=2 * 1024 * 1024):
        pass
    assert "at most 2.0 MiB" in refused.value.message
    assert "video.bin (3.0 MiB)" in refused.value.hint


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TaskFolderRefused, match="is not a folder"), packed_task(tmp_path / "nothing"):
        pass
