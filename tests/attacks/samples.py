"""One small file of each type that can be asked for, as programs write them, and what only pretends to be."""

import io
import struct
import wave
import zipfile
import zlib
from collections.abc import Mapping

SCRIPT = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"
PAGE = b"<!DOCTYPE html><script>alert(1)</script>"


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(comment: bytes = b"") -> bytes:
    """One grey point, with a comment."""
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    said = _chunk(b"tEXt", b"Comment\x00" + comment)
    return (
        b"\x89PNG\r\n\x1a\n" + header + said + _chunk(b"IDAT", zlib.compress(b"\0\0")) + _chunk(b"IEND", b"")
    )


def wav() -> bytes:
    """A hundredth of a second of silence."""
    content = io.BytesIO()
    with wave.open(content, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(160))
    return content.getvalue()


def archive() -> bytes:
    """A zip file that holds a page."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as packed:
        packed.writestr("index.html", PAGE)
    return content.getvalue()


def _iso(brand: bytes, *others: bytes) -> bytes:
    brands = brand + bytes(4) + b"".join(others)
    return struct.pack(">I", 8 + len(brands)) + b"ftyp" + brands + b"\x00\x00\x00\x08mdat"


def _riff(form: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", 4 + len(form) + 60) + form[:4] + form[4:] + bytes(64)


def _ogg(code: bytes) -> bytes:
    return b"OggS\x00\x02" + bytes(20) + b"\x01" + bytes([len(code)]) + code


_WEBM = (
    b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\xf7\x81\x01\x42\xf2\x81\x04\x42\xf3\x81\x08\x42\x82\x84webm"
)
_MP3_FRAME = b"\xff\xfb\x90\x00" + bytes(413)

GENUINE: Mapping[str, bytes] = {
    "image/png": png(),
    "image/jpeg": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
    + bytes(40)
    + b"\xff\xd9",
    "image/gif": b"GIF89a\x01\x00\x01\x00\x80\x00\x00"
    + bytes(6)
    + b",\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;",
    "image/webp": _riff(b"WEBPVP8 "),
    "image/avif": _iso(b"avif", b"avif", b"mif1", b"miaf"),
    "image/heic": _iso(b"heic", b"mif1", b"heic"),
    "image/tiff": b"II*\x00\x08\x00\x00\x00" + bytes(16),
    "audio/wav": wav(),
    "audio/mpeg": _MP3_FRAME * 2,
    "audio/flac": b"fLaC\x00\x00\x00\x22" + bytes(40),
    "audio/ogg": _ogg(b"OpusHead\x01\x01"),
    "audio/webm": _WEBM + bytes(40),
    "audio/mp4": _iso(b"M4A ", b"isom", b"mp42"),
    "video/webm": _WEBM + bytes(40),
    "video/mp4": _iso(b"isom", b"isom", b"avc1"),
    "video/ogg": _ogg(b"\x80theora\x03"),
    "video/quicktime": _iso(b"qt  ", b"qt  "),
    "application/pdf": b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n",
    "application/zip": archive(),
    "text/plain": "Grüße, 3 < 4\r\n\tand a page says <b>\n".encode(),
    "text/csv": b"a,b\n1,2\n",
}
"""By the type that each is of."""

ALIKE = ({"audio/webm", "video/webm"}, {"audio/mp4", "video/mp4"}, {"text/plain", "text/csv"})
"""Types whose files begin with the same, so that one passes for the other."""

PRETENDERS: Mapping[str, tuple[str, bytes]] = {
    "an empty file": ("image/png", b""),
    "an SVG with a picture's name": ("image/png", SCRIPT),
    "a page with a picture's name": ("image/jpeg", PAGE),
    "a page with a text's name": ("text/plain", b"\xef\xbb\xbf \r\n" + PAGE),
    "an SVG behind its prologue, called a text": ("text/plain", b'<?xml version="1.0"?>' + SCRIPT),
    "a program with a text's name": ("text/plain", b"#!/bin/sh\nrm -rf ~\n"),
    "bytes with a text's name": ("text/plain", b"MZ\x90\x00\x03" * 100),
    "another alphabet with a text's name": ("text/plain", b"caf\xe9"),
    "a letter cut in two with a text's name": ("text/plain", "é".encode()[:1]),
    "a control character far inside": ("text/plain", b"a" * 3_000_000 + b"\x1b[31m"),
    "the first bytes of a picture": ("image/png", b"\x89PNG\r\n\x1a\n"),
    "a picture that is cut short": ("image/png", png()[:-6]),
    "a recording that is cut short": ("audio/wav", wav()[:-1]),
    "three bytes of a photo": ("image/jpeg", b"\xff\xd8\xff"),
    "six bytes of an animation": ("image/gif", b"GIF89a"),
    "a set of bits, not two frames of sound": ("audio/mpeg", b"\xff\xfb\x90\x00" + bytes(1000)),
    "another alphabet's mark, not sound": ("audio/mpeg", b"\xff\xfe" + "MP3".encode("utf-16-le") * 300),
    "a tag that is none": ("audio/mpeg", b"ID3\xff\xff\xff\xff\xff\xff\xff\xff"),
    "an archive without its end": ("application/zip", archive()[:-4]),
    "a document without its end": ("application/pdf", b"%PDF-1.7\n"),
    "a film that is only announced": ("video/mp4", b"\x00\x00\x00\x20ftypisom"),
    "a film whose beginning is longer than it": ("video/mp4", b"\x00\x00\xff\xfcftypisom" + bytes(64)),
    "another film of the same family": ("video/webm", _WEBM.replace(b"webm", b"matr") + bytes(40)),
    "a picture that is a page": ("image/png", png(PAGE)),
    "a picture that is a script": (
        "image/gif",
        b"GIF89a/*" + bytes(16) + b"*/=1;alert(1)//<svg onload=alert(1)>",
    ),
    "a picture with a program of the server": (
        "image/jpeg",
        GENUINE["image/jpeg"] + b"<?php system($_GET[0]); ?>",
    ),
    "a picture that is a document": ("image/gif", GENUINE["image/gif"] + b"%PDF-1.7"),
    "a picture that is an archive": ("image/png", png() + archive()),
    "a photo that is an archive": ("image/jpeg", GENUINE["image/jpeg"] + bytes(100_000) + archive()),
    "a document that is an archive": ("application/pdf", GENUINE["application/pdf"] + archive()),
}
"""What it is: the type for which it would be taken, and the bytes."""
