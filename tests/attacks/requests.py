"""Requests that two readers may read in two ways, each followed by one that must not be taken for another."""

_POST = b"POST /return_unit HTTP/1.1\r\nHost: x\r\n"
_CHUNKED = _POST + b"Transfer-Encoding: chunked\r\n\r\n"
_WEBSOCKET = (
    b"Host: x\r\nOrigin: http://x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)

SMUGGLED = b"GET /is_alive HTTP/1.1\r\nHost: x\r\n\r\n"
"""Its answer is `Alive!`, which none of the others gives."""

AMBIGUOUS: dict[str, bytes] = {
    "a length and chunks": _POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks and a length": _POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "two lengths": _POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n{}aaaa",
    "the same length twice": _POST + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
    "a list of lengths": _POST + b"Content-Length: 2, 2\r\n\r\n{}",
    "a length with a plus": _POST + b"Content-Length: +2\r\n\r\n{}",
    "a length below zero": _POST + b"Content-Length: -2\r\n\r\n{}",
    "a length in hex": _POST + b"Content-Length: 0x2\r\n\r\n{}",
    "a length in two": _POST + b"Content-Length: 2 2\r\n\r\n{}",
    "no length": _POST + b"Content-Length: \r\n\r\n",
    "a length beyond all": _POST + b"Content-Length: 99999999999999999999\r\n\r\n",
    "space before a colon": _POST + b"Content-Length : 2\r\n\r\n{}",
    "space before the colon of chunks": _POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "nearly chunked": _POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunked, and not": _POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "not chunked": _POST + b"Transfer-Encoding: identity\r\nContent-Length: 2\r\n\r\n{}",
    "chunked twice": _POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "packed and chunked": _POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunked on the next line": _POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "chunked behind a strange space": _POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "chunked before there were chunks": _POST.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n\r\n",
    "a header over two lines": _POST + b"X: a\r\n b\r\nContent-Length: 0\r\n\r\n",
    "a first header over two lines": b"POST /return_unit HTTP/1.1\r\n Host: x\r\n\r\n",
    "lines that end in one character": b"POST /return_unit HTTP/1.1\nHost: x\nContent-Length: 2\n\n{}",
    "half the end of a line": _POST + b"X: a\rContent-Length: 2\r\n\r\n{}",
    "a zero in a header": _POST + b"X: a\x00b\r\nContent-Length: 2\r\n\r\n{}",
    "a zero in the name of a header": _POST + b"X\x00: a\r\nContent-Length: 2\r\n\r\n{}",
    "a header without a name": _POST + b": a\r\nContent-Length: 2\r\n\r\n{}",
    "a header without a colon": _POST + b"Xa\r\nContent-Length: 2\r\n\r\n{}",
    "a chunk below zero": _CHUNKED + b"-1\r\n\r\n",
    "a chunk in other hex": _CHUNKED + b"0x2\r\n{}\r\n0\r\n\r\n",
    "a chunk beyond all": _CHUNKED + b"fffffffffffffffff\r\n{}\r\n0\r\n\r\n",
    "a chunk with a plus": _CHUNKED + b"+2\r\n{}\r\n0\r\n\r\n",
    "a chunk and a space": _CHUNKED + b"2 \r\n{}\r\n0\r\n\r\n",
    "chunks that end in one character": _CHUNKED + b"2\n{}\n0\n\n",
    "a chunk longer than it says": _CHUNKED + b"2\r\n{}xx\r\n0\r\n\r\n",
    "half the end of a line beside a chunk": _CHUNKED + b"2;a\rb\r\n{}\r\n0\r\n\r\n",
    "the end of a line beside a chunk": _CHUNKED + b"2;a\nb\r\n{}\r\n0\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
    "a host in the address": b"GET http://evil.example/ HTTP/1.1\r\nHost: x\r\n\r\n",
    "a protocol of the future": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a protocol of the past": b"GET /\r\n\r\n",
    "a protocol of nobody": b"GET / HTTP/3.7\r\nHost: x\r\n\r\n",
    "a method in small letters": b"get / HTTP/1.1\r\nHost: x\r\n\r\n",
    "a method in two": b"GE T / HTTP/1.1\r\nHost: x\r\n\r\n",
    "tabs": b"GET\t/\tHTTP/1.1\r\nHost: x\r\n\r\n",
    "a tunnel": b"CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n",
    "an address that is no text": b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
    "a websocket by POST": b"POST / HTTP/1.1\r\nContent-Length: 2\r\n" + _WEBSOCKET + b"\r\n{}",
    "a websocket with a body": b"GET / HTTP/1.1\r\nContent-Length: 5\r\n" + _WEBSOCKET + b"\r\n",
    "a websocket with chunks": b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n"
    + _WEBSOCKET
    + b"\r\n0\r\n\r\n",
    "a websocket of the past": b"GET / HTTP/1.0\r\n" + _WEBSOCKET + b"\r\n",
    "a websocket of an older kind": b"GET / HTTP/1.1\r\n" + _WEBSOCKET.replace(b"13", b"8") + b"\r\n",
    "a websocket without its key": b"GET / HTTP/1.1\r\n" + _WEBSOCKET[:-45] + b"\r\n",
}

CLOSING: dict[str, bytes] = {
    "another protocol": b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
    "other protection": b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: TLS/1.0\r\n\r\n",
    "the end": b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
}
"""Answered, and the last of their connection."""

WHOLE: dict[str, bytes] = {
    "a body that nobody needs": b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(SMUGGLED)
    + SMUGGLED,
    "a body under HEAD": b"HEAD / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(SMUGGLED)
    + SMUGGLED,
    "a body in chunks": b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n"
    % len(SMUGGLED)
    + SMUGGLED
    + b"\r\n0\r\n\r\n",
}
"""What is in a body is no request."""
