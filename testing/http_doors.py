"""The real doors: httpx and trio-websocket at a router's address. Names under localhost are not looked up."""

import hashlib
import ssl
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import httpx
import orjson
import trio
import trio_websocket

from ..protocol.limits import BROWSER_FRAME_BYTES_MAX
from .doors import PageSocket, SocketLost
from .verdicts import UNREACHABLE, Answered, judge

SOCKET_OPEN_S = 10.0
SOCKET_CLOSE_S = 1.0  # the router may be gone; a page does not wait for it


class PageAddress:
    """A worker's link taken apart: where to connect, which Host to name, in which folder the page is."""

    def __init__(self, link: str) -> None:
        parts = urlsplit(link)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{link!r:.80} is not the address of a page: http://host/...")
        self.secure = parts.scheme == "https"
        self.host_header = parts.netloc
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self.host = "127.0.0.1" if parts.hostname.endswith("localhost") else parts.hostname
        self.port = parts.port or (443 if self.secure else 80)
        self.folder = parts.path.rpartition("/")[0] + "/"
        self.name = hashlib.sha256(link.encode()).hexdigest()[:12]
        self.query = {key: values[-1] for key, values in parse_qs(parts.query).items()}

    def url(self, path: str) -> str:
        """The address of a door beside the page."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.secure else 'http'}://{host}:{self.port}{self.folder}{path}"

    def registration(self, after: str) -> dict[str, Any]:
        """What `wrap_crowd_source.js` and `crowdd.js` make of the link, also those of plug-ins."""
        link = self.query.get("link", "")
        worker = self.query.get("worker_id") or hashlib.sha256(link.encode()).hexdigest()[:12]
        assignment = self.query.get("assignment_id") or self.query.get("id") or "link"
        return {
            **self.query,
            "worker_name": worker,
            "assignment_id": assignment,
            "agent_registration_id": f"{assignment}-{worker}",
            "provider_type": "inhouse" if link else "mock",
            **({"link": link} if link else {}),
            "after": after,
        }


def unchanged_registration(told: dict[str, Any]) -> dict[str, Any]:
    """What a page that is not crowdd.js registers with: it knows of one unit only."""
    return {key: value for key, value in told.items() if key != "after"}


class HttpDoors:
    """One page at one link. The client is shared by all pages, as the connections of a crowd are not."""

    def __init__(self, client: httpx.AsyncClient, address: PageAddress, crowdd_client: bool = True) -> None:
        """Without `crowdd_client` as a page of mephisto-task, which does not say what it knows."""
        self._client = client
        self._address = address
        self._crowdd_client = crowdd_client

    @property
    def link(self) -> str:
        return self._address.name

    def registration(self, after: str) -> dict[str, Any]:
        told = self._address.registration(after)
        return told if self._crowdd_client else unchanged_registration(told)

    async def post(
        self, path: str, body: Mapping[str, Any], within_s: float, files: Sequence[bytes] = ()
    ) -> Answered:
        body = {**body, "client_timestamp": time.time()}
        kind, content = form_of(body, files) if files else ("application/json", orjson.dumps(body))
        try:
            response = await self._client.send(self._request(path, kind, content, within_s))
        except httpx.TransportError:
            return UNREACHABLE
        return judge(path, response.status_code, _json(response), response.headers.get("Retry-After"))

    def _request(self, path: str, kind: str, content: bytes, within_s: float) -> httpx.Request:
        """Made by hand: what the client makes of a body is a generator, see `_OnePiece`."""
        return httpx.Request(
            "POST",
            self._address.url(path),
            headers={**self._headers(), "Content-Type": kind, "Content-Length": str(len(content))},
            stream=_OnePiece(content),
            extensions={"timeout": httpx.Timeout(within_s).as_dict()},
        )

    async def page(self) -> str:
        """The page's HTML, "" when it cannot be had."""
        try:
            response = await self._client.get(self._address.url(""), headers=self._headers())
        except httpx.TransportError:
            return ""
        return response.text if response.is_success else ""

    @asynccontextmanager
    async def socket(self) -> AsyncGenerator[PageSocket, None]:
        stream = await self._connect()
        async with trio.open_nursery() as nursery:
            try:
                yield await self._open(nursery, stream)
            finally:
                with trio.move_on_after(SOCKET_CLOSE_S, shield=True):
                    await trio.aclose_forcefully(stream)
                nursery.cancel_scope.cancel()

    async def _connect(self) -> "_Stream":
        try:
            with trio.fail_after(SOCKET_OPEN_S):
                stream = await trio.open_tcp_stream(self._address.host, self._address.port)
        except (OSError, trio.TooSlowError) as exc:
            raise SocketLost("while connecting") from exc
        if not self._address.secure:
            return stream
        return trio.SSLStream(stream, ssl.create_default_context(), server_hostname=self._address.host)

    async def _open(self, nursery: trio.Nursery, stream: "_Stream") -> "_Socket":
        try:
            with trio.fail_after(SOCKET_OPEN_S):
                connection = await trio_websocket.wrap_client_stream(
                    nursery,
                    stream,
                    self._address.host_header,
                    self._address.folder,
                    extra_headers=[(b"Origin", self._address.origin.encode())],
                    max_message_size=BROWSER_FRAME_BYTES_MAX,
                )
        except (trio_websocket.HandshakeError, trio.BrokenResourceError, trio.TooSlowError) as exc:
            raise SocketLost("while opening") from exc
        return _Socket(connection)

    def _headers(self) -> dict[str, str]:
        return {
            "Host": self._address.host_header,
            "Content-Type": "application/json",
            **({"X-Crowdd-Client": "1"} if self._crowdd_client else {}),
        }


def form_of(body: Mapping[str, Any], files: Sequence[bytes]) -> tuple[str, bytes]:
    """The form that a browser makes of an answer with files: its type and its bytes, the files first."""
    boundary = hashlib.sha256(b"".join(files)).hexdigest()
    parts = [
        f'name="file"; filename="file-{number}.bin"\r\nContent-Type: application/octet-stream'.encode()
        + b"\r\n\r\n"
        + file
        for number, file in enumerate(files)
    ]
    parts += [
        f'name="{key}"\r\n\r\n'.encode() + (value.encode() if isinstance(value, str) else orjson.dumps(value))
        for key, value in body.items()
    ]
    lines = [b"--%s\r\nContent-Disposition: form-data; %s\r\n" % (boundary.encode(), part) for part in parts]
    return f"multipart/form-data; boundary={boundary}", b"".join([*lines, f"--{boundary}--\r\n".encode()])


class _OnePiece(httpx.AsyncByteStream):
    """A body in one piece. httpx's own is a generator, which trio complains of when sending breaks off."""

    def __init__(self, content: bytes) -> None:
        self._pieces = [content]

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if not self._pieces:
            raise StopAsyncIteration
        return self._pieces.pop()


_Stream = trio.SocketStream | trio.SSLStream[trio.SocketStream]


class _Socket:
    def __init__(self, connection: trio_websocket.WebSocketConnection) -> None:
        self._connection = connection

    async def send(self, packet: Mapping[str, Any]) -> None:
        try:
            await self._connection.send_message(orjson.dumps(packet).decode())
        except trio_websocket.ConnectionClosed as exc:
            raise SocketLost("while sending") from exc

    async def receive(self) -> Mapping[str, Any]:
        try:
            packet: dict[str, Any] = orjson.loads(await self._connection.get_message())
        except trio_websocket.ConnectionClosed as exc:
            raise SocketLost("while receiving") from exc
        return packet


def _json(response: httpx.Response) -> Any:
    try:
        return orjson.loads(response.content)
    except orjson.JSONDecodeError:
        return None
