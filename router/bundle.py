"""A deployed bundle: a tar.gz of regular files, checked strictly and held in memory as pages.

Nothing of a bundle is ever unpacked onto the disk, so its names can reach no file.
"""

import gzip
import hashlib
import io
import mimetypes
import tarfile
import zlib

import attrs

from ..protocol.limits import BUNDLE_FILES_MAX, BUNDLE_UNPACKED_BYTES_MAX

_GZIP_BYTES_MIN = 1024
_TEXTUAL = ("text/", "application/javascript", "application/json", "image/svg+xml", "application/wasm")
_TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".json": "application/json",
    ".jsonl": "application/x-ndjson",
    ".map": "application/json",
    ".wasm": "application/wasm",
    ".woff2": "font/woff2",
    ".webp": "image/webp",
    ".avif": "image/avif",
    ".md": "text/markdown",
}


class BundleRefused(Exception):
    """This archive is not what a bundle may be; the words name the member and the reason."""


@attrs.frozen
class Page:
    """One file as it is sent: its bytes, type and tag, and a packed copy where that saves something."""

    content: bytes = attrs.field(repr=False)
    media_type: str
    etag: str
    packed: bytes | None = attrs.field(default=None, repr=False)


def read_bundle(archive: bytes) -> dict[str, Page]:
    """The pages by their path ("index.html"), or BundleRefused."""
    pages: dict[str, Page] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(_unpack(archive)), mode="r:") as tar:
            for member in tar:
                if member.isdir():
                    _check_name(member.name)
                    continue
                name = _checked(member)
                if name in pages:
                    raise BundleRefused(f"{name!r} is in the bundle twice")
                if len(pages) >= BUNDLE_FILES_MAX:
                    raise BundleRefused(f"more than {BUNDLE_FILES_MAX} files")
                file = tar.extractfile(member)
                if file is None:
                    raise BundleRefused(f"{name!r} has no content")
                pages[name] = make_page(name, file.read())
    except (tarfile.TarError, UnicodeError, ValueError, EOFError) as exc:
        raise BundleRefused(f"not a readable tar.gz: {exc}") from exc
    if "index.html" not in pages:
        raise BundleRefused("it has no index.html")
    return pages


def make_page(name: str, content: bytes) -> Page:
    """One file made ready to be sent."""
    media_type = _media_type(name)
    packed = None
    if len(content) >= _GZIP_BYTES_MIN and media_type.startswith(_TEXTUAL):
        packed = gzip.compress(content, 6, mtime=0)
        packed = packed if len(packed) < len(content) * 0.9 else None
    return Page(content, media_type, hashlib.sha256(content).hexdigest()[:32], packed)


def _unpack(archive: bytes) -> bytes:
    unpacker = zlib.decompressobj(wbits=31)
    most = BUNDLE_UNPACKED_BYTES_MAX + BUNDLE_FILES_MAX * 1024  # a header and padding for each file
    try:
        content = unpacker.decompress(archive, most)
    except zlib.error as exc:
        raise BundleRefused(f"not a readable tar.gz: {exc}") from exc
    if not unpacker.eof:
        raise BundleRefused(
            f"more than {BUNDLE_UNPACKED_BYTES_MAX} bytes unpacked"
            if len(content) >= most
            else "it is cut short"
        )
    return content


def _checked(member: tarfile.TarInfo) -> str:
    if not member.isreg() or member.issparse():
        raise BundleRefused(f"{member.name!r} is not a regular file")
    return _check_name(member.name)


def _check_name(name: str) -> str:
    name = name.removeprefix("./")
    parts = name.split("/")
    if name.startswith("/") or ".." in parts or "\\" in name or not name.isprintable() or len(name) > 1024:
        raise BundleRefused(f"{name!r} is no name for a page")
    return "/".join(part for part in parts if part not in ("", "."))


def _media_type(name: str) -> str:
    suffix = "." + name.rpartition(".")[2].lower()
    guessed = _TYPES.get(suffix) or mimetypes.guess_type(name, strict=True)[0] or "application/octet-stream"
    return f"{guessed}; charset=utf-8" if guessed.startswith(("text/", "application/json")) else guessed
