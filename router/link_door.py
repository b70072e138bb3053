"""The daemon's websocket: a mutual proof first, then the run's link. No browser gets in."""

import logging
import secrets
from collections.abc import Callable
from contextlib import suppress

import anyio
from starlette.websockets import WebSocket, WebSocketDisconnect

from ..protocol.errors import LinkRefusal
from ..protocol.handshake import SUBPROTOCOL, Handshake, Peer, refusal
from ..protocol.limits import HELLO_S
from ..protocol.link import Role
from ..protocol.proof import NONCE_BYTES
from .addresses import sender_of
from .addressing import is_label
from .bodies import Shares
from .config import KnownSecrets, RouterRefused
from .limits import HELLOS_BYTES_MAX, HELLOS_SHARES, LINK_FAILURES_PER_ADDRESS_PER_MINUTE_MAX, SEND_S
from .rates import Minute
from .runs import Runs, Served
from .socket_door import close, refuse_socket
from .socket_protocol import LINE, BoundedSocket
from .threads import in_thread

log = logging.getLogger(__name__)


class WireGone(Exception):
    """The connection to the daemon is lost."""


class _WebSocketWire:
    """Frames over an accepted websocket."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket
        self._line: BoundedSocket = websocket.scope["extensions"][LINE]["line"]

    async def send(self, frame: bytes) -> None:
        try:
            with anyio.fail_after(SEND_S):
                await self._websocket.send_bytes(frame)
        except (WebSocketDisconnect, TimeoutError, RuntimeError) as exc:
            raise WireGone from exc

    async def receive(self) -> bytes:
        message = await self._websocket.receive()
        if message["type"] == "websocket.disconnect":
            raise WireGone
        return message.get("bytes") or b""

    async def serve(self, hear: Callable[[bytes], None], take: Callable[[], bytes | None]) -> None:
        self._line.serve_link(take, hear)
        with suppress(WireGone):
            while True:
                hear(await self.receive())  # what came before

    def wake(self) -> None:
        self._line.wake()


class LinkDoor:
    """Lets daemons in that know the secret."""

    def __init__(self, runs: Runs, known: KnownSecrets) -> None:
        self._runs = runs
        self._known = known
        self._failures = Minute(LINK_FAILURES_PER_ADDRESS_PER_MINUTE_MAX)
        self._room = Shares(HELLOS_BYTES_MAX, HELLOS_SHARES)

    async def serve(self, websocket: WebSocket) -> None:
        """Serve `/_crowdd/link/<label>` until the link ends."""
        label = str(websocket.path_params["label"])
        address = sender_of(websocket)
        refused = self._refuses(websocket, label, address)
        if refused is not None:
            await refuse_socket(websocket, *refused)
            return
        try:
            await websocket.accept(SUBPROTOCOL)
            words = await self._meet_or_refuse(_WebSocketWire(websocket), label, address)
            with anyio.move_on_after(SEND_S):
                await close(websocket, 1008, words)
        except (WireGone, WebSocketDisconnect, RuntimeError):
            return  # the other side went first

    async def _meet_or_refuse(self, wire: _WebSocketWire, label: str, address: str) -> str:
        try:
            return await self._meet(wire, label, address)
        except RouterRefused as exc:  # just now it was fit
            log.error("no daemon is let in: %s", exc)
            return "the router's secret file cannot be used"
        except (LinkRefusal, TimeoutError) as exc:
            # A daemon that is only too late or too early has proved itself: it is no guesser.
            if not (isinstance(exc, LinkRefusal) and exc.retry):
                self._failures.take(address, anyio.current_time())
            words = str(exc) or "the hello took too long"
            log.warning("link refused to %s: %s", address, words, extra={"label": label})
            for frame in getattr(exc, "frames", ()):
                await wire.send(frame)
            return words

    def _refuses(self, websocket: WebSocket, label: str, address: str) -> tuple[int, str, str] | None:
        if "origin" in websocket.headers:
            return 403, "no_browsers", "This is the daemon's door."
        if SUBPROTOCOL not in websocket.scope.get("subprotocols", ()):
            return 400, "bad_request", f"The link speaks {SUBPROTOCOL}; update the daemon or the router."
        if not is_label(label):
            return 404, "not_found", "There is nothing at this address."
        if self._failures.full(address, anyio.current_time()):
            return 429, "too_many_requests", "Too many failed proofs; wait a minute."
        return self._unfit()

    def _unfit(self) -> tuple[int, str, str] | None:
        try:
            self._known()
        except RouterRefused as exc:
            log.error("no daemon is let in: %s", exc)
            return 503, "no_secret", "This router's secret file cannot be used; its log says why."
        return None

    async def _meet(self, wire: _WebSocketWire, label: str, address: str) -> str:
        known = self._runs.get(label)
        handshake = Handshake(
            Role.ROUTER,
            self._known(),
            label,
            secrets.token_bytes(NONCE_BYTES),
            self._runs.epoch,
            outbox=[] if known is None else known.desk.run.outbox.agents,
        )
        with anyio.fail_after(HELLO_S):
            daemon, welcome = await self._shake_hands(handshake, wire, address)
        served = await self._admit(label, daemon)
        for frame in welcome:
            await wire.send(frame)
        log.info("linked to a daemon of epoch %d", daemon.epoch, extra={"label": label})
        words = await served.desk.serve_link(daemon, wire)
        log.info("link ended: %s", words, extra={"label": label})
        return words

    async def _shake_hands(
        self, handshake: Handshake, wire: _WebSocketWire, address: str
    ) -> tuple[Peer, list[bytes]]:
        held = 0
        try:
            while True:
                came = await wire.receive()
                if not self._room.take(address, len(came)):
                    raise refusal("too much is said in hellos at this moment")
                held += len(came)
                frames = handshake.receive(came)
                if handshake.peer is not None:
                    return handshake.peer, frames
                for frame in frames:
                    await wire.send(frame)
        finally:
            self._room.give_back(address, held)

    async def _admit(self, label: str, daemon: Peer) -> Served:
        served = await self._runs.get_or_make(label)
        words = "this router serves too many runs" if served is None else served.desk.refuses(daemon)
        if served is None or words is not None:
            raise refusal(words or "", retry=True)
        is_new = daemon.key != served.desk.run.key
        if is_new or daemon.uploads != served.desk.run.uploads:
            await in_thread(served.folder.keep_rule, daemon.uploads)
        if is_new:
            await in_thread(served.folder.keep_key, daemon.key)
        return served
