"""What staff ask over a control socket: one request, its status and JSON. Knows no endpoint."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import httpx

from ...daemon.websocket_channel import NO_TLS

STAFF_S = 30.0


class NoAnswer(Exception):
    """Nobody answered, or not to the end: what was asked may have been done or not."""


@attrs.frozen
class Control:
    """The way to one daemon's socket; holds nothing open."""

    path: Path

    async def ask(
        self,
        method: str,
        path: str,
        json: Mapping[str, Any] | None = None,
        body: bytes | None = None,
        query: Mapping[str, str] | None = None,
        within_s: float = STAFF_S,
    ) -> tuple[int, Any]:
        """The status and the JSON of the answer. NoAnswer."""
        transport = httpx.AsyncHTTPTransport(verify=NO_TLS, uds=str(self.path))
        try:
            async with httpx.AsyncClient(transport=transport, trust_env=False, timeout=within_s) as client:
                response = await client.request(
                    method, f"http://crowdd/v1{path}", json=json, content=body, params=query
                )
                return response.status_code, response.json()
        except (httpx.TransportError, ValueError) as exc:
            raise NoAnswer(f"{method} {path}: {type(exc).__name__}") from exc

    async def is_up(self) -> bool:
        """Whether a daemon answers."""
        if not self.path.exists():
            return False
        try:
            status, _ = await self.ask("GET", "/status", within_s=5)
        except NoAnswer:
            return False
        return status == 200
