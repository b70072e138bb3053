"""The routers that run already, by name: `routers.toml`, which whoever runs the daemon writes.

Task authors know the names only: addresses and secret files are this machine's business. The file is read
whenever a run asks, so a router can be added while the daemon runs.
"""

import ipaddress
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import attrs

from .structuring import Faults, Words, make_converter, nearest, structure

ROUTERS_NAME = "routers.toml"


@attrs.frozen
class KnownRouter:
    """One table of routers.toml, called by its router's name."""

    url: Words
    """Where the daemon reaches it: https://crowd.example.org, or http:// on this machine."""
    secret_file: Words
    """What daemon and router prove themselves with; relative to the folder of routers.toml."""
    public_url: str = attrs.field(default=attrs.Factory(lambda self: self.url, takes_self=True))
    """Where workers reach it, when that is not the same."""

    def __attrs_post_init__(self) -> None:
        problems = [
            f"{key}: must be like https://crowd.example.org, not {url!r}"
            for key, url in (("url", self.url), ("public_url", self.public_url))
            if not _is_origin(url)
        ]
        if problems:
            raise Faults(problems)

    def address(self, label: str, shared_origin: bool) -> str:
        """Where workers find the run: by its own host or, with `shared_origin`, by path. Faults: nowhere."""
        public = urlsplit(self.public_url)
        host = public.hostname or ""
        if host.partition(".")[0] == label:
            # The router would take every request to its own name for this run's, other runs' by path, too.
            raise Faults([f"the label {label!r} begins the router's own name {host}: choose another label"])
        if shared_origin:
            return f"{public.scheme}://{public.netloc}/run/{label}/"
        if _is_number(host):
            raise Faults(
                [f"runs cannot have hosts of their own under {host}: set shared_origin = true, "
                 "or give the router a name"]
            )  # fmt: skip
        return f"{public.scheme}://{label}.{public.netloc}/"


@attrs.frozen
class Routers:
    """What routers.toml says at present; without a file, no router is known."""

    path: Path | None = None

    def find(self, names: Sequence[str]) -> list[KnownRouter]:
        """The routers of these names, their secret files as whole paths. Faults: all that is wrong."""
        known = self._read()
        missing = [
            f"{name!r} is not in {self.path or ROUTERS_NAME}; {nearest(name, known)}"
            for name in names
            if name not in known
        ]
        if missing:
            raise Faults(missing)
        return [known[name] for name in names]

    def _read(self) -> dict[str, KnownRouter]:
        if self.path is None or not self.path.exists():
            return {}
        try:
            document: dict[str, Any] = tomllib.loads(self.path.read_text("utf-8"))
        except (OSError, ValueError) as exc:
            raise Faults([f"{self.path} cannot be read: {exc}"]) from exc
        try:
            known = structure(make_converter(), document, dict[str, KnownRouter])
        except Faults as exc:
            raise Faults([f"{self.path}: {problem}" for problem in exc.problems]) from exc
        folder = self.path.parent
        return {
            name: attrs.evolve(router, secret_file=str(folder / router.secret_file))
            for name, router in known.items()
        }


def _is_origin(url: str) -> bool:
    try:
        parts = urlsplit(url)
        plain = f"{parts.hostname}" + (f":{parts.port}" if parts.port else "")
    except ValueError:
        return False
    return (
        parts.scheme in ("http", "https")
        and bool(parts.hostname)
        and parts.netloc.lower().replace("[", "").replace("]", "") == plain
        and parts.path in ("", "/")
        and not (parts.query or parts.fragment)
    )


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
