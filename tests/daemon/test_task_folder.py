"""Task folders: packed and unpacked the same, and every archive that means harm refused with its path."""

import gzip
import io
import os
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from crowdd.daemon import task_folder
from crowdd.daemon.task_folder import (
    TaskCodeFailed,
    TaskRefused,
    copy_task,
    load_task_code,
    path_inside,
    unload_task_code,
    unpack_task,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "my-task"
    (folder / "page").mkdir(parents=True)
    (folder / "task.toml").write_text('name = "x"')
    (folder / "page" / "index.html").write_bytes(b"<p>\xff")
    (folder / "page" / "empty.css").touch()
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def packed(folder: Path, archive: Path) -> Path:
    with tarfile.open(archive, "w:gz") as tar:
        for path in sorted(folder.rglob("*")):
            tar.add(path, path.relative_to(folder), recursive=False)
    return archive


def archive_of(path: Path, *members: tarfile.TarInfo, content: bytes = b"") -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for member in members:
            member.size = len(content) if member.isreg() else 0
            tar.addfile(member, io.BytesIO(content) if member.isreg() else None)
    return path


def member(name: str, kind: bytes = tarfile.REGTYPE, linkname: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, linkname
    return info


def test_a_folder_comes_out_as_it_went_in(folder: Path, tmp_path: Path) -> None:
    unpack_task(packed(folder, tmp_path / "t"), tmp_path / "out")
    assert contents(tmp_path / "out") == contents(folder)


def test_a_copy_has_all_files_of_the_folder(folder: Path, tmp_path: Path) -> None:
    copy_task(folder, tmp_path / "out")
    assert contents(tmp_path / "out") == contents(folder)


def test_what_is_no_part_of_a_task_is_left_out(folder: Path, tmp_path: Path) -> None:
    for name in (".git/config", "__pycache__/task.cpython-311.pyc", "page/node_modules/x/y.js"):
        path = folder / name
        path.parent.mkdir(parents=True)
        path.touch()
    copy_task(folder, tmp_path / "out")
    assert set(contents(tmp_path / "out")) == {"task.toml", "page/index.html", "page/empty.css"}


def test_a_link_is_not_copied(folder: Path, tmp_path: Path) -> None:
    (folder / "page" / "secret").symlink_to("/etc/passwd")
    with pytest.raises(TaskRefused, match=r"^page/secret: is a link"):
        copy_task(folder, tmp_path / "out")


def test_a_pipe_is_not_copied(folder: Path, tmp_path: Path) -> None:
    os.mkfifo(folder / "pipe")
    with pytest.raises(TaskRefused, match=r"^pipe: is neither a file nor a folder"):
        copy_task(folder, tmp_path / "out")


def test_a_folder_too_large_is_not_copied(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task_folder, "TASK_UNPACKED_BYTES_MAX", 10)
    with pytest.raises(TaskRefused, match="more than 10 bytes"):
        copy_task(folder, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "name", ["../x", "a/../../x", "/etc/cron.d/x", "..", "a/..", "a\nb", "a\\..\\b", "a\x1b[0m", "x" * 256]
)
def test_sec17_a_name_that_leads_out_or_astray_is_refused(tmp_path: Path, name: str) -> None:
    archive = archive_of(tmp_path / "t", member("ok.txt"), member(name), content=b"x")
    place = tmp_path / "place"
    place.mkdir()
    with pytest.raises(TaskRefused):
        unpack_task(archive, place / "out")
    assert {path.name for path in tmp_path.rglob("*")} == {"t", "place"}


@pytest.mark.parametrize(
    "bad",
    [
        member("l", tarfile.SYMTYPE, "/etc/passwd"),
        member("l", tarfile.SYMTYPE, "ok.txt"),
        member("l", tarfile.LNKTYPE, "ok.txt"),
        member("d", tarfile.CHRTYPE),
        member("d", tarfile.BLKTYPE),
        member("p", tarfile.FIFOTYPE),
        member("s", tarfile.GNUTYPE_SPARSE),
        member("c", tarfile.CONTTYPE),
    ],
    ids=lambda info: f"type-{info.type!r}",
)
def test_sec17_only_files_and_folders_are_unpacked(tmp_path: Path, bad: tarfile.TarInfo) -> None:
    archive = archive_of(tmp_path / "t", member("ok.txt"), bad)
    with pytest.raises(TaskRefused):
        unpack_task(archive, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "headers",
    [{"path": "../out-of-it"}, {"path": "/etc/cron.d/x"}, {"path": "a/../../x"}, {"path": "a\x1b[0m"}],
    ids=["up", "absolute", "up again", "escape"],
)
def test_sec17_a_name_that_another_header_gives_is_judged_as_well(
    tmp_path: Path, headers: dict[str, str]
) -> None:
    info = member("harmless.txt")
    info.pax_headers = headers
    place = tmp_path / "place"
    place.mkdir()
    with pytest.raises(TaskRefused):
        unpack_task(archive_of(tmp_path / "t", info, content=b"x"), place / "out")
    assert {path.name for path in tmp_path.rglob("*")} == {"t", "place"}


def test_sec17_a_name_twice_is_refused(tmp_path: Path) -> None:
    archive = archive_of(tmp_path / "t", member("a"), member("a"), content=b"x")
    with pytest.raises(TaskRefused, match="'a': is in the archive twice"):
        unpack_task(archive, tmp_path / "out")


def test_a_file_where_a_folder_must_be_is_refused(tmp_path: Path) -> None:
    archive = archive_of(tmp_path / "t", member("a"), member("a/b"), content=b"x")
    with pytest.raises(TaskRefused, match="'a/b': is in the archive twice"):
        unpack_task(archive, tmp_path / "out")


def test_sec17_a_few_kilobytes_that_unpack_to_gigabytes_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task_folder, "TASK_UNPACKED_BYTES_MAX", 1_000_000)
    archive = archive_of(tmp_path / "t", member("zeros"), content=bytes(5_000_000))
    assert archive.stat().st_size < 10_000
    with pytest.raises(TaskRefused, match="unpacks to more than 1000000 bytes"):
        unpack_task(archive, tmp_path / "out")


def test_sec17_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task_folder, "TASK_FILES_MAX", 2)
    archive = archive_of(tmp_path / "t", *(member(str(n)) for n in range(3)))
    with pytest.raises(TaskRefused, match="more than 2 files"):
        unpack_task(archive, tmp_path / "out")


def cut(whole: bytes) -> bytes:
    return whole[:-20]


def cut_short(whole: bytes) -> bytes:
    return whole[:30]


def emptied(whole: bytes) -> bytes:
    return whole[:0]


def another_format(whole: bytes) -> bytes:
    return b"PK\x03\x04" + whole


def zipped(_whole: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("../../x", "x")
    return out.getvalue()


def no_tar_inside(whole: bytes) -> bytes:
    return gzip.compress(whole * 10)


def damaged(whole: bytes) -> bytes:
    return whole[:40] + bytes(20) + whole[60:]


@pytest.mark.parametrize(
    "spoil",
    [cut, cut_short, emptied, another_format, zipped, no_tar_inside, damaged],
)
def test_sec17_what_is_not_a_whole_archive_is_refused(
    folder: Path, tmp_path: Path, spoil: Callable[[bytes], bytes]
) -> None:
    archive = packed(folder, tmp_path / "t")
    archive.write_bytes(spoil(archive.read_bytes()))
    with pytest.raises(TaskRefused, match=r"not a whole tar\.gz"):
        unpack_task(tmp_path / "t", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_archive_with_no_file_is_an_empty_folder(tmp_path: Path) -> None:
    unpack_task(archive_of(tmp_path / "t"), tmp_path / "out")
    assert contents(tmp_path / "out") == {}


def test_unpacked_files_are_the_daemons_alone(folder: Path, tmp_path: Path) -> None:
    unpack_task(packed(folder, tmp_path / "t"), tmp_path / "out")
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o700


def test_what_a_crash_left_half_unpacked_is_replaced(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "out.part").mkdir()
    (tmp_path / "out.part" / "old").touch()
    unpack_task(packed(folder, tmp_path / "t"), tmp_path / "out")
    assert "old" not in contents(tmp_path / "out")


def test_a_folder_that_is_there_is_never_replaced(folder: Path, tmp_path: Path) -> None:
    archive = packed(folder, tmp_path / "t")
    with pytest.raises(TaskRefused, match="is there already"):
        unpack_task(archive, folder)


def test_sec17_a_path_that_a_link_leads_out_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").symlink_to("/etc")
    with pytest.raises(TaskRefused, match="out/passwd: is outside"):
        path_inside(tmp_path, "out/passwd")


def test_task_code_is_a_module_of_its_own_each_time(folder: Path) -> None:
    (folder / "task.py").write_text("here = __name__\n")
    first, second = load_task_code(folder), load_task_code(folder)
    assert first is not None
    assert second is not None
    assert first.here != second.here
    unload_task_code(first)
    unload_task_code(second)


def test_a_task_without_code_has_none(folder: Path) -> None:
    assert load_task_code(folder) is None


def test_task_code_may_import_what_lies_beside_it(folder: Path) -> None:
    (folder / "helpers.py").write_text("answer = 42\n")
    (folder / "task.py").write_text("from .helpers import answer\n")
    module = load_task_code(folder)
    assert module is not None
    assert module.answer == 42
    unload_task_code(module)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("def f(:\n", "SyntaxError"),
        ("import no_such_module_at_all\n", "No module named 'no_such_module_at_all'"),
        ("raise SystemExit(3)\n", "SystemExit: 3"),
        ("\n\nboom()\n", 'task.py", line 3'),
    ],
)
def test_code_that_fails_says_where(folder: Path, code: str, said: str) -> None:
    (folder / "task.py").write_text(code)
    with pytest.raises(TaskCodeFailed, match=r"\S") as failed:
        load_task_code(folder)
    assert said in str(failed.value)
    assert "importlib" not in str(failed.value)


def test_changed_code_is_read_anew(folder: Path) -> None:
    path = folder / "task.py"
    for value in (1, 2):
        path.write_text(f"value = {value}\n")
        os.utime(path, (1, 1))
        module = load_task_code(folder)
        assert module is not None
        assert module.value == value
        unload_task_code(module)
