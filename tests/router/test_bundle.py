"""What a bundle may hold, and how its pages are sent."""

import gzip
import io
import tarfile
from collections.abc import Callable

import pytest

from crowdd.protocol.limits import BUNDLE_FILES_MAX
from crowdd.router import bundle
from crowdd.router.bundle import BundleRefused, make_page, read_bundle

from .kit import bundle_of

INDEX = {"index.html": b"<p>hello</p>"}


def with_member(change: Callable[[tarfile.TarInfo], None], content: bytes = b"") -> bytes:
    """A bundle with an index and one strange member."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        index = tarfile.TarInfo("index.html")
        index.size = 2
        tar.addfile(index, io.BytesIO(b"hi"))
        member = tarfile.TarInfo("strange")
        member.size = len(content)
        change(member)
        tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def linked(kind: bytes, target: str) -> Callable[[tarfile.TarInfo], None]:
    def change(member: tarfile.TarInfo) -> None:
        member.type, member.linkname = kind, target

    return change


def named(name: str) -> Callable[[tarfile.TarInfo], None]:
    def change(member: tarfile.TarInfo) -> None:
        member.name = name

    return change


def test_pages_are_known_by_their_path() -> None:
    pages = read_bundle(bundle_of({**INDEX, "./js/a.js": b"1", "task_config.json": b"{}"}))
    assert {name: page.content for name, page in pages.items()} == {
        "index.html": b"<p>hello</p>",
        "js/a.js": b"1",
        "task_config.json": b"{}",
    }


@pytest.mark.parametrize("target", ["/etc/passwd", "../../etc/passwd", "index.html"])
@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_a_link_in_a_bundle_is_refused(kind: bytes, target: str) -> None:
    with pytest.raises(BundleRefused, match="not a regular file"):
        read_bundle(with_member(linked(kind, target)))


@pytest.mark.parametrize("kind", [tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE])
def test_a_device_in_a_bundle_is_refused(kind: bytes) -> None:
    with pytest.raises(BundleRefused, match="not a regular file"):
        read_bundle(with_member(linked(kind, "")))


@pytest.mark.parametrize(
    "name", ["../x", "a/../../x", "/etc/passwd", "a\\..\\x", "..", "a\nb", "a\x00b", "x/" * 600 + "y"]
)
def test_a_name_that_leads_elsewhere_is_refused(name: str) -> None:
    try:
        archive = with_member(named(name))
        pages = read_bundle(archive)
    except BundleRefused:
        return
    assert "\x00" in name, "tar itself ends names at NUL"
    assert set(pages) == {"index.html", "a"}


def test_a_member_that_comes_twice_is_refused() -> None:
    with pytest.raises(BundleRefused, match="twice"):
        read_bundle(with_member(named("./index.html")))


def test_a_bundle_without_an_index_is_refused() -> None:
    with pytest.raises(BundleRefused, match=r"index\.html"):
        read_bundle(bundle_of({"other.html": b""}))


@pytest.mark.parametrize(
    "archive",
    [b"", b"not gzip", gzip.compress(b"not tar" * 200), bundle_of(INDEX)[:-9]],
    ids=["empty", "not compressed", "not an archive", "cut short"],
)
def test_what_is_no_archive_is_refused(archive: bytes) -> None:
    with pytest.raises(BundleRefused):
        read_bundle(archive)


def test_so_many_files_and_no_more() -> None:
    files = {f"{number}.txt": b"" for number in range(BUNDLE_FILES_MAX - 1)}
    assert len(read_bundle(bundle_of(INDEX | files))) == BUNDLE_FILES_MAX
    with pytest.raises(BundleRefused, match="files"):
        read_bundle(bundle_of(INDEX | files | {"more.txt": b""}))


def test_an_archive_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle, "BUNDLE_UNPACKED_BYTES_MAX", 100_000)
    monkeypatch.setattr(bundle, "BUNDLE_FILES_MAX", 10)
    with pytest.raises(BundleRefused, match="unpacked"):
        read_bundle(bundle_of(INDEX | {"bomb.txt": bytes(1_000_000)}))


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("index.html", "text/html; charset=utf-8"),
        ("bundle.js", "text/javascript; charset=utf-8"),
        ("task_config.json", "application/json; charset=utf-8"),
        ("a.css", "text/css; charset=utf-8"),
        ("a.png", "image/png"),
        ("a.svg", "image/svg+xml"),
        ("a.wasm", "application/wasm"),
        ("a.strange", "application/octet-stream"),
        ("noending", "application/octet-stream"),
    ],
)
def test_types_are_right(name: str, media_type: str) -> None:
    assert make_page(name, b"").media_type == media_type


def test_long_text_has_a_packed_copy_and_pictures_have_none() -> None:
    page = make_page("a.js", b"let a = 1;\n" * 1000)
    assert page.packed is not None
    assert gzip.decompress(page.packed) == page.content
    assert make_page("a.png", bytes(10_000)).packed is None


def test_the_same_content_has_the_same_tag() -> None:
    assert make_page("a.js", b"1").etag == make_page("b.js", b"1").etag != make_page("a.js", b"2").etag
