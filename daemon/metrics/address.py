"""Where metrics are served: a loopback address or a Unix socket, and nowhere else. Listens nowhere."""

import ipaddress
from pathlib import Path

import attrs

PORT_MAX = 65535


class AddressRefused(Exception):
    """Metrics are not served there; says why and what would do."""


@attrs.frozen
class MetricsAddress:
    """A path of a Unix socket, or a loopback host and port (port 0: any free one)."""

    host: str = ""
    port: int = 0
    path: Path | None = None

    @property
    def text(self) -> str:
        """As `metrics_address` reads it."""
        if self.path is not None:
            return f"unix:{self.path}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def url(self, port: int) -> str:
        """How a person or a scraper names it, with the port that it came to have."""
        if self.path is not None:
            return f"unix:{self.path}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{port}/metrics"


def metrics_address(text: str) -> MetricsAddress:
    """Read `127.0.0.1:9469`, `[::1]:9469`, `localhost:9469` or `unix:/path`. AddressRefused."""
    if text.startswith("unix:"):
        path = text.removeprefix("unix:")
        if not path:
            raise AddressRefused("unix: needs a path, e.g. unix:/run/crowdd/metrics")
        return MetricsAddress(path=Path(path))
    host, colon, port = text.rpartition(":")
    if not colon or not (port.isascii() and port.isdigit()) or int(port) > PORT_MAX:
        raise AddressRefused(f"{text!r} is no address; say e.g. 127.0.0.1:9469 or unix:/run/crowdd/metrics")
    return MetricsAddress(host=_loopback(host.removeprefix("[").removesuffix("]")), port=int(port))


def _loopback(host: str) -> str:
    """The address itself. A name other than localhost is not looked up: it may lead elsewhere tomorrow."""
    try:
        address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError:
        raise AddressRefused(f"{host!r} is no IP address; say e.g. 127.0.0.1") from None
    if not address.is_loopback:
        raise AddressRefused(
            f"{host} can be reached from other machines, and nobody who reads metrics is asked who they are; "
            "use a loopback address or a Unix socket, and a proxy that asks in front of it"
        )
    return str(address)
