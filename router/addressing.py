"""Which run a request means: by host, by path, or the default one. Pure."""

import ipaddress
import re
from collections.abc import Container
from functools import lru_cache

import attrs

LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
_HOSTS_KEPT = 64  # answers remembered: a router has few names, and what strangers call it may be long
_BY_PATH = re.compile(r"/run/(?P<label>[^/]+)(?P<rest>/.*)?", re.DOTALL)


def is_label(text: str) -> bool:
    """Whether this can name a run: lower-case letters, digits and inner dashes, at most 40."""
    return LABEL.fullmatch(text) is not None


@attrs.frozen
class Place:
    """A path within a run; `rest` None says that the page's address lacks its last slash."""

    label: str
    rest: str | None


def locate(
    host: str, path: str, runs: Container[str], default_run: str | None, shared_origin: bool
) -> Place | None:
    """Where a request goes, or None when no run here is meant."""
    by_host = _host_label(host)
    if by_host in runs:
        return Place(by_host, path)
    by_path = _BY_PATH.fullmatch(path)
    if shared_origin and by_path is not None and by_path["label"] in runs:
        return Place(by_path["label"], by_path["rest"])
    if default_run is not None and default_run in runs:
        return Place(default_run, path)
    return None


@lru_cache(_HOSTS_KEPT)
def _host_label(host: str) -> str:
    name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        label, _, domain = name.lower().partition(".")
        return label if domain else ""
    return ""
