"""The channel over the network: a websocket for the link, HTTP for bundles and files."""

import hashlib
import ipaddress
import re
import secrets
import ssl
from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

import httpx
import trio

from ..files.durable import settle
from ..protocol.limits import FILE_BYTES_MAX
from ..protocol.proof import sign_request
from .causes import causes
from .channel import Channel, LinkLost, LinkRefused, Wire
from .clock import Wall, wall_clock
from .direct_stream import DirectStream
from .threads import in_thread
from .websocket_wire import PASSING, REFUSAL_BYTES, WebsocketWire, shake_hands

CONNECT_S = 10.0  # a router that takes longer is not there
CLOSE_S = 1.0  # politeness towards a peer that may not read; must fit into every grace time
LEAVE_S = 0.05  # and when the daemon goes: for what was sent last to be read
UNPROVED = 401  # what a router answers to a proof by a secret that it does not have
HTTP_S = 30.0  # between two signs of life of an upload or download
FILE_S = 900.0  # one file of FILE_BYTES_MAX over a slow line; a trickle must not hold its answer for ever
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For plain requests: trusts nobody. Reading the system's certificates takes longer than most requests."""
Dialled = DirectStream | trio.SSLStream[trio.SocketStream]
_SHA256 = re.compile(r"[0-9a-f]{64}")


class WebsocketChannel(Channel):
    """One router at `base` (http:// or https://), for one run; `url` is where workers find its pages."""

    def __init__(
        self, base: str, label: str, secrets: Sequence[bytes], url: str, wall: Wall = wall_clock
    ) -> None:
        """LinkRefused: a plain link that leaves this machine could be read and changed on its way."""
        parts = urlsplit(base)
        if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(parts.hostname or "")):
            raise LinkRefused(f"{base} is neither https nor on this machine; give the router TLS")
        self.name = parts.netloc
        self.url = url
        self.secrets = secrets
        self._taken: bytes | None = None
        self._base = base.rstrip("/")
        self._label = label
        self._wall = wall
        self._tls = ssl.create_default_context() if parts.scheme == "https" else NO_TLS

    @asynccontextmanager
    async def connect(self) -> AsyncGenerator[Wire, None]:
        """Open the link's websocket; when left it is closed, politely but within CLOSE_S."""
        try:
            with trio.fail_after(CONNECT_S):
                stream = await self._dial()
        except (OSError, trio.TooSlowError) as exc:
            raise LinkLost(
                f"no connection to router {self.name}: {str(exc) or 'it does not answer'}"
            ) from exc
        try:
            async with _bounded(await self._shake_hands(stream)) as wire:
                yield wire
        finally:
            await trio.aclose_forcefully(stream)

    async def _dial(self) -> Dialled:
        parts = urlsplit(self._base)
        host = parts.hostname or ""
        if parts.scheme == "https":
            return await trio.open_ssl_over_tcp_stream(
                host, parts.port or 443, ssl_context=self._tls, https_compatible=True
            )
        return DirectStream(await trio.open_tcp_stream(host, parts.port or 80))

    async def _shake_hands(self, stream: Dialled) -> WebsocketWire:
        scheme = "ws" if self._tls is NO_TLS else "wss"
        url = f"{scheme}://{self.name}/_crowdd/link/{self._label}"
        try:
            with trio.fail_after(CONNECT_S):
                return await shake_hands(stream, url, self.name)
        except trio.TooSlowError as exc:
            raise LinkLost(f"no link to router {self.name}: it does not answer") from exc

    async def put_bundle(self, label: str, sha256: str, bundle: bytes) -> None:
        async with self._request("PUT", f"/_crowdd/runs/{label}/bundle/{sha256}", bundle, sha256):
            pass

    async def fetch_file(self, label: str, sha256: str, into: Path) -> None:
        """Download beside `into`, check, sync, and only then give it its name."""
        if not _SHA256.fullmatch(sha256):
            raise LinkRefused(f"{sha256!r:.80} is not a file's digest")
        # A name of its own: a request that is repeated fetches the same file at the same time.
        part = into.with_name(f".{into.name}.{secrets.token_hex(4)}.part")
        try:
            with trio.fail_after(FILE_S):
                async with self._request("GET", f"/_crowdd/runs/{label}/files/{sha256}") as response:
                    found = await self._receive(response, part)
            if found != sha256:
                raise LinkLost(f"router {self.name} sent other contents for file {sha256}")
            await in_thread(settle, part, into)
        except trio.TooSlowError:
            raise LinkLost(f"router {self.name} took longer than {FILE_S:g} s for a file") from None
        finally:
            part.unlink(missing_ok=True)

    async def undeploy(self, label: str, discard: bool = False) -> None:
        """Take the run off the router; one that it does not know is off already."""
        query = "?discard=1" if discard else ""
        async with self._request("DELETE", f"/_crowdd/runs/{label}{query}", accepted=(404,)):
            pass

    @asynccontextmanager
    async def _request(
        self, method: str, path: str, body: bytes = b"", body_sha256: str = "", accepted: Sequence[int] = ()
    ) -> AsyncGenerator[httpx.Response, None]:
        try:
            async with (
                httpx.AsyncClient(verify=self._tls, timeout=HTTP_S, trust_env=False) as client,
                self._proved(client, method, path, body, body_sha256) as response,
            ):
                if not response.is_success and response.status_code not in accepted:
                    raise await _refusal(self.name, method, path, response)
                yield response
        except httpx.HTTPError as exc:
            raise LinkLost(f"router {self.name}: {method} {path}: {_why(exc)}") from exc

    @asynccontextmanager
    async def _proved(
        self, client: httpx.AsyncClient, method: str, path: str, body: bytes, body_sha256: str
    ) -> AsyncGenerator[httpx.Response, None]:
        """The answer to the first proof that the router takes; to the last one, when it takes none."""
        # First the one that was taken last: a router counts failures, and soon listens to nobody.
        *earlier, last = sorted(self.secrets, key=lambda secret: secret != self._taken)
        for secret in earlier:
            async with self._stream(client, secret, method, path, body, body_sha256) as response:
                if response.status_code != UNPROVED:
                    self._taken = secret
                    yield response
                    return
        async with self._stream(client, last, method, path, body, body_sha256) as response:
            self._taken = last
            yield response

    def _stream(
        self, client: httpx.AsyncClient, secret: bytes, method: str, path: str, body: bytes, body_sha256: str
    ) -> AbstractAsyncContextManager[httpx.Response]:
        proof = sign_request(secret, method, path, self._wall().timestamp(), body_sha256)
        headers = {"Authorization": proof}
        return client.stream(method, self._base + path, content=body or None, headers=headers)

    async def _receive(self, response: httpx.Response, part: Path) -> str:
        length = response.headers.get("content-length", "")
        if not (length.isascii() and length.isdigit() and int(length) <= FILE_BYTES_MAX):
            raise LinkRefused(
                f"router {self.name} does not say that a file has at most {FILE_BYTES_MAX} bytes"
            )
        digest = hashlib.sha256()
        with await in_thread(_new_file, part) as file:
            async for chunk in response.aiter_raw():
                digest.update(chunk)
                await in_thread(file.write, chunk)
        return digest.hexdigest()


def _new_file(path: Path) -> BinaryIO:
    return path.open("wb")


@asynccontextmanager
async def _bounded(wire: WebsocketWire) -> AsyncGenerator[WebsocketWire, None]:
    """Have a goodbye said at the end, and not for ever."""
    close_s = CLOSE_S
    try:
        yield wire
    except BaseException as exc:
        close_s = LEAVE_S if _is_cancelled(exc) else CLOSE_S
        raise
    finally:
        with trio.move_on_after(close_s, shield=True):
            await wire.leave()


def _is_cancelled(exc: BaseException) -> bool:
    """Whether somebody else's failure, or the end, cancelled this: alone, or in all of a nursery."""
    return all(isinstance(cause, trio.Cancelled) for cause in causes(exc))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _why(exc: BaseException) -> str:
    """What an error says, or the first behind it that says anything, e.g. about a certificate."""
    said = exc
    while not str(said) and (behind := said.__cause__ or said.__context__):
        said = behind
    return f"{type(said).__name__} {said}"


async def _refusal(name: str, method: str, path: str, response: httpx.Response) -> LinkLost | LinkRefused:
    said = (await _words(response)).decode("utf-8", "replace")
    words = f"router {name}: {method} {path}: {response.status_code} {said!r}"
    return LinkLost(words) if response.status_code in PASSING else LinkRefused(words)


async def _words(response: httpx.Response) -> bytes:
    """What a refusal says, if it is short and not packed: others may have no end, or be a bomb."""
    length = response.headers.get("content-length", "")
    short = length.isascii() and length.isdigit() and int(length) <= REFUSAL_BYTES
    return await response.aread() if short and "content-encoding" not in response.headers else b""
