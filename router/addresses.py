"""As whom a connection is counted: limits are kept for each address, or household of addresses. Pure."""

import ipaddress
from collections.abc import Sequence
from functools import lru_cache

from starlette.requests import HTTPConnection

_NETWORK_BITS = 64  # of IPv6: what one customer gets at least, so its other 64 bits say nothing
_KEPT = 4096  # answers remembered, for addresses come again and again


def sender_of(connection: HTTPConnection) -> str:
    """As whom this request or websocket is counted; behind a trusted proxy as the one that it names."""
    host, _ = connection.scope.get("client") or ("", 0)
    return sender(host)


@lru_cache(_KEPT)
def sender(address: str) -> str:
    """As whom an address is counted: IPv4 by itself, IPv6 by its network; what is none is all one sender."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((int(parsed), _NETWORK_BITS), strict=False))


class Proxies:
    """The proxies that carry everybody's connections, as `trusted_proxies` names them."""

    def __init__(self, names: Sequence[str]) -> None:
        self._all = "*" in names
        self._networks = [_network(name) for name in names if name != "*"]

    def __contains__(self, address: str) -> bool:
        if self._all:
            return True
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._networks)


def _network(name: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    return ipaddress.ip_network(name, strict=False)
