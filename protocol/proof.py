"""How daemon and router prove to each other that they know the same secret, without ever saying it."""

import hashlib
import hmac

NONCE_BYTES = 32
SECRET_BYTES_MIN = 16  # a shorter secret could be guessed from one recorded proof
REQUEST_WINDOW_S = 300  # clocks of two hosts may differ by so much; a recorded request is good for no longer
_SCHEME = "Crowdd "


def daemon_proof(secret: bytes, label: str, nonce_daemon: bytes, nonce_router: bytes) -> bytes:
    """What only a daemon with the secret can say in answer to the router's nonce."""
    return _mac(secret, b"daemon", label.encode(), nonce_daemon, nonce_router)


def router_proof(secret: bytes, label: str, nonce_daemon: bytes, nonce_router: bytes) -> bytes:
    """What only a router with the secret can say in answer to the daemon's nonce."""
    return _mac(secret, b"router", label.encode(), nonce_daemon, nonce_router)


def check(proof: bytes, expected: bytes) -> bool:
    """Compare two proofs in constant time."""
    return hmac.compare_digest(proof, expected)


def sign_request(secret: bytes, method: str, path: str, unix_time: float, body_sha256: str = "") -> str:
    """The Authorization header of an HTTP request from daemon to router; `path` as sent, with its query."""
    at = str(int(unix_time))
    return f"{_SCHEME}{at}:{_request_mac(secret, method, path, at, body_sha256)}"


def verify_request(
    secret: bytes, method: str, path: str, header: str | None, unix_time: float, body_sha256: str = ""
) -> bool:
    """True if the header was made with this secret for this request within the last 300 s."""
    scheme, at, mac = _split(header or "")
    expected = _request_mac(secret, method, path, at, body_sha256)
    genuine = hmac.compare_digest(mac.encode("utf-8", "replace"), expected.encode())
    return scheme == _SCHEME and genuine and abs(unix_time - int(at)) <= REQUEST_WINDOW_S


def _split(header: str) -> tuple[str, str, str]:
    scheme, rest = header[: len(_SCHEME)], header[len(_SCHEME) :]
    at, _, mac = rest.partition(":")
    sane = at.isascii() and at.isdigit() and len(at) <= 12
    return (scheme, at, mac) if sane else ("", "0", mac)


def _request_mac(secret: bytes, method: str, path: str, at: str, body_sha256: str) -> str:
    words = (method.upper(), path, at, body_sha256)
    return _mac(secret, b"request", *(word.encode("utf-8", "replace") for word in words)).hex()


def _mac(secret: bytes, *words: bytes) -> bytes:
    if len(secret) < SECRET_BYTES_MIN:
        raise ValueError(f"a secret has at least {SECRET_BYTES_MIN} bytes")
    # Each word with its length in front: no two lists of words give the same text.
    text = b"".join(len(word).to_bytes(4, "big") + word for word in words)
    return hmac.new(secret, text, hashlib.sha256).digest()
