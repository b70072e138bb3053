"""Whose page is asking (SEC7): is an Origin one of the run's own? Pure."""

from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}
_PAIRS_KEPT = 64  # answers remembered: a router has few names, and what strangers say may be long


def may_connect(origin: str | None, host: str, scheme: str, trusted: Sequence[str]) -> bool:
    """For a websocket upgrade: browsers always name their origin, so a missing one is refused, too."""
    return origin is not None and _is_own(origin, host, scheme, trusted)


def may_post(
    origin: str | None, fetch_site: str | None, host: str, scheme: str, trusted: Sequence[str]
) -> bool:
    """For a POST: an origin must be our own; without one the browser's Sec-Fetch-Site decides.

    Programs send neither and pass: they carry nobody's authority but the ids they know.
    """
    if origin is not None:
        return _is_own(origin, host, scheme, trusted)
    return fetch_site in (None, "same-origin", "none")


def _is_own(origin: str, host: str, scheme: str, trusted: Sequence[str]) -> bool:
    return origin in trusted or _is_same(origin, host, scheme)


@lru_cache(_PAIRS_KEPT)
def _is_same(origin: str, host: str, scheme: str) -> bool:
    try:
        parts = urlsplit(origin)
        theirs, ours = (parts.hostname, parts.port), _split_host(host)
    except ValueError:
        return False
    if (
        parts.scheme not in _DEFAULT_PORTS
        or origin != f"{parts.scheme}://{parts.netloc}"
        or "@" in parts.netloc
    ):
        return False
    if scheme == "https" and parts.scheme != "https":
        return False
    default = _DEFAULT_PORTS[parts.scheme]  # TLS may end before us, so the browser's scheme decides
    return theirs[0] == ours[0] and (theirs[1] or default) == (ours[1] or default)


def _split_host(host: str) -> tuple[str | None, int | None]:
    parts = urlsplit(f"//{host}")
    return parts.hostname, parts.port
