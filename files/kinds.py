"""Of which type a file is, by what is in it: never by its name or by what a browser says. Blocks.

A closed table: it answers whether a file is one of the types that somebody asked for, and knows nothing of
others. So far as its ends tell, a file that is something else besides is none of them.
"""

import codecs
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import BinaryIO, NamedTuple

HEAD_BYTES = 4096  # all beginnings that are looked at, and where readers of other formats look for theirs
TAIL_BYTES = 65_557  # a zip archive's end with the longest comment: where its readers look for it
PIECE_BYTES = 1024 * 1024  # of a text, which is read as a whole

_FOREIGN = (b"<script", b"<svg", b"<html", b"<!doctype", b"<iframe", b"<body", b"<?php", b"%pdf-")
"""What acts when it is opened, in small letters; near the beginning of no picture, recording or film."""
_ZIP_END = b"PK\x05\x06"
_ZIP_END_BYTES = 22
_CONTROL = bytes(byte for byte in range(32) if byte not in b"\t\n\r\x0c")
_NO_TEXT = re.compile(rb"(\xef\xbb\xbf)?([ \t\r\n\x0c]*<[a-zA-Z!?/]|#!|%PDF-)")
"""How pages, programs and documents begin that are made of letters."""


class Ends(NamedTuple):
    """How a file begins and ends; all of it, where it is short."""

    head: bytes
    tail: bytes
    size: int


def is_one_of(path: Path, types: Iterable[str]) -> bool:
    """Whether the file is of one of these types; those that are not in TYPES are of no file. OSError."""
    asked = [TYPES[name] for name in types if name in TYPES]
    with path.open("rb") as file:
        ends = _ends_of(file)
        return any(looks_so(ends) for looks_so in asked) or (_is_text in asked and _reads_as_text(file))


def _ends_of(file: BinaryIO) -> Ends:
    head = file.read(HEAD_BYTES)
    size = file.seek(0, 2)
    file.seek(max(0, size - TAIL_BYTES))
    return Ends(head, file.read(TAIL_BYTES), size)


def _alone(begins: Callable[[Ends], bool]) -> Callable[[Ends], bool]:
    """The same, unless something else is in it that would be opened as such."""

    def looks_so(ends: Ends) -> bool:
        return begins(ends) and not _has_foreign(ends.head) and not _ends_as_zip(ends.tail)

    return looks_so


def _has_foreign(head: bytes) -> bool:
    letters = head.lower()
    return any(mark in letters for mark in _FOREIGN)


def _ends_as_zip(tail: bytes) -> bool:
    """Its end counts back: whoever opens an archive does not look at the beginning."""
    at = tail.rfind(_ZIP_END)
    while at >= 0:
        comment = int.from_bytes(tail[at + 20 : at + 22], "little")
        if at + _ZIP_END_BYTES <= len(tail) and at + _ZIP_END_BYTES + comment == len(tail):
            return True
        at = tail.rfind(_ZIP_END, 0, at)
    return False


# Pictures.


def _is_png(ends: Ends) -> bool:
    return (
        ends.head.startswith(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR")
        and b"\x00\x00\x00\x00IEND\xae\x42\x60\x82" in ends.tail
    )


def _is_jpeg(ends: Ends) -> bool:
    """Cameras put films behind their pictures, so the end says nothing."""
    return ends.head.startswith(b"\xff\xd8\xff") and ends.size > len(b"\xff\xd8\xff\xe0\x00\x10JFIF\x00")


def _is_gif(ends: Ends) -> bool:
    return ends.head[:6] in (b"GIF87a", b"GIF89a") and ends.size > len(b"GIF89awwhhfba")


def _is_webp(ends: Ends) -> bool:
    return _is_riff(ends, b"WEBP") and ends.head[12:15] == b"VP8"


def _is_avif(ends: Ends) -> bool:
    return bool({b"avif", b"avis"} & _brands(ends))


def _is_heic(ends: Ends) -> bool:
    return bool({b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1"} & _brands(ends)) and not _is_avif(ends)


def _is_tiff(ends: Ends) -> bool:
    return ends.head[:4] in (b"II*\x00", b"MM\x00*") and ends.size > 8


# Recordings and films.


def _is_wav(ends: Ends) -> bool:
    return _is_riff(ends, b"WAVE")


def _is_mp3(ends: Ends) -> bool:
    """A tag of our time, or two frames in a row: eleven set bits alone begin many things."""
    head = ends.head
    if head.startswith(b"ID3") and len(head) > 10:
        return head[3] in (2, 3, 4) and all(byte < 0x80 for byte in head[6:10])
    length = _mp3_frame(head[:4])
    return length is not None and _mp3_frame(head[length : length + 4]) is not None


def _is_flac(ends: Ends) -> bool:
    return ends.head.startswith(b"fLaC") and ends.size > 42


def _is_ogg_sound(ends: Ends) -> bool:
    return _ogg_begins(ends, b"OpusHead", b"\x01vorbis", b"Speex   ", b"\x7fFLAC")


def _is_ogg_film(ends: Ends) -> bool:
    return _ogg_begins(ends, b"\x80theora")


def _is_webm(ends: Ends) -> bool:
    """Sound or film: browsers make both with the same beginning."""
    at = ends.head[:64].find(b"\x42\x82")
    return ends.head.startswith(b"\x1a\x45\xdf\xa3") and ends.head[at + 2 : at + 7] == b"\x84webm"


def _is_mp4(ends: Ends) -> bool:
    """Sound or film, but what says of itself that it is a picture."""
    known = (b"iso", b"mp4", b"avc1", b"M4A", b"M4V", b"M4B", b"dash", b"3gp")
    is_picture = _is_avif(ends) or _is_heic(ends)
    return not is_picture and any(brand.startswith(known) for brand in _brands(ends))


def _is_quicktime(ends: Ends) -> bool:
    return b"qt  " in _brands(ends)


# Documents.


def _is_pdf(ends: Ends) -> bool:
    return ends.head.startswith(b"%PDF-") and b"%%EOF" in ends.tail and not _ends_as_zip(ends.tail)


def _is_zip(ends: Ends) -> bool:
    return ends.head.startswith((b"PK\x03\x04", _ZIP_END)) and _ends_as_zip(ends.tail)


def _is_text(_: Ends) -> bool:
    """Its ends say nothing: see `_reads_as_text`."""
    return False


def _reads_as_text(file: BinaryIO) -> bool:
    """UTF-8 without control characters, whose beginning is no markup and no program."""
    file.seek(0)
    if _NO_TEXT.match(file.read(HEAD_BYTES)):
        return False
    decoder, size = codecs.getincrementaldecoder("utf-8")(), file.seek(0)
    try:
        while piece := file.read(PIECE_BYTES):
            if len(piece.translate(None, _CONTROL)) < len(piece):
                return False
            decoder.decode(piece)
            size += len(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return size > 0


TYPES: Mapping[str, Callable[[Ends], bool]] = {
    "image/png": _alone(_is_png),
    "image/jpeg": _alone(_is_jpeg),
    "image/gif": _alone(_is_gif),
    "image/webp": _alone(_is_webp),
    "image/avif": _alone(_is_avif),
    "image/heic": _alone(_is_heic),
    "image/tiff": _alone(_is_tiff),
    "audio/wav": _alone(_is_wav),
    "audio/mpeg": _alone(_is_mp3),
    "audio/flac": _alone(_is_flac),
    "audio/ogg": _alone(_is_ogg_sound),
    "audio/webm": _alone(_is_webm),
    "audio/mp4": _alone(_is_mp4),
    "video/webm": _alone(_is_webm),
    "video/mp4": _alone(_is_mp4),
    "video/ogg": _alone(_is_ogg_film),
    "video/quicktime": _alone(_is_quicktime),
    "application/pdf": _is_pdf,
    "application/zip": _is_zip,
    "text/plain": _is_text,
    "text/csv": _is_text,
}
"""What can be asked for. None of them acts by itself when it is opened: no pages, no SVG, no programs."""


# Forms that several have.


def _is_riff(ends: Ends, form: bytes) -> bool:
    """Whole as far as it says: who writes into a pipe does not know how long it will be."""
    size = int.from_bytes(ends.head[4:8], "little")
    is_known = size not in (0, 0xFFFFFFFF)
    whole = ends.size > 44 and not (is_known and ends.size < size + 8)
    return ends.head[:4] == b"RIFF" and ends.head[8:12] == form and whole


def _brands(ends: Ends) -> frozenset[bytes]:
    """What an ISO media file says that it can be read as: its own brand, and those it is compatible with."""
    length = int.from_bytes(ends.head[:4], "big")
    if ends.head[4:8] != b"ftyp" or length % 4 or not 16 <= length <= min(len(ends.head), ends.size - 8):
        return frozenset()
    brands = ends.head[8:12] + ends.head[16:length]
    return frozenset(brands[at : at + 4] for at in range(0, len(brands), 4))


def _ogg_begins(ends: Ends, *codes: bytes) -> bool:
    """The first page has one packet: it says of what codec the first stream is."""
    return (
        ends.head.startswith(b"OggS\x00\x02")
        and ends.head[26:27] == b"\x01"
        and ends.head[28:].startswith(codes)
    )


_MP3_KBITS = {
    1: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_MP3_HERTZ = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}


def _mp3_frame(header: bytes) -> int | None:
    """How long the frame of layer III is that begins with these four bytes; None: none does."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE6 != 0xE2:
        return None
    version, rate, hertz = header[1] >> 3 & 3, header[2] >> 4, header[2] >> 2 & 3
    if version == 1 or rate in (0, 15) or hertz == 3:
        return None
    kbits = _MP3_KBITS[1 if version == 3 else 2][rate]
    per_frame = 144_000 if version == 3 else 72_000
    return per_frame * kbits // _MP3_HERTZ[version][hertz] + (header[2] >> 1 & 1)
