"""How a link begins: who is there, in which version, and the proof. Pure; see `Hello` for the four steps.

Each side proves that it knows the secret for this label and both nonces, so nothing that was recorded can be
said again. The daemon gives the run's key and statuses only to a router that has proved itself.
"""

from collections.abc import Sequence
from typing import Any

import attrs

from .codec import BadPacket, Decoded, decode_frame, decode_packet, encode_packet, join_frame
from .errors import LinkRefusal, RemoteProtocolError, Unsendable
from .limits import HELLO_BYTES_MAX, PACKET_BYTES_MAX
from .link import Role
from .names import Outcome
from .packets import Answer, Hello, Part
from .parts import Assembler, split
from .proof import NONCE_BYTES, check, daemon_proof, router_proof
from .streams import EPOCH_MAX
from .uploads import UploadRule

SUBPROTOCOL = "crowdd.1"
"""What both ends of the websocket say that it carries; what its frames may be, `VERSIONS` says."""
VERSIONS = (1,)
"""The versions of the link that we speak: this one and the one before it."""

KEY_BYTES_MIN = 16
_WORDS_MAX = 500
_OTHER = {Role.DAEMON: Role.ROUTER, Role.ROUTER: Role.DAEMON}
_PROOFS = {Role.DAEMON: daemon_proof, Role.ROUTER: router_proof}


@attrs.frozen
class Peer:
    """Who is at the other end, proved: a daemon with key, statuses, uploads, a router with its outbox."""

    version: int
    epoch: int
    key: bytes = attrs.field(repr=False)
    statuses: dict[str, str] = attrs.field(repr=False)
    outbox: list[str]
    uploads: UploadRule | None = None


def refusal(words: str, retry: bool = False) -> LinkRefusal:
    """Refuse the link in words that both sides will read."""
    outcome = Outcome.TRY_LATER if retry else Outcome.REFUSED
    return LinkRefusal(words, _frames(encode_packet(Answer("hello", outcome, text=words))), retry)


class Handshake:
    """One side of the beginning of one connection. `nonce` is fresh from a secure source, 32 bytes.

    The router proves itself with its first secret, the daemon with the one that the router has proved to
    know; both accept any of theirs. So a secret is changed on one host after the other, and the link holds.

    Send what `start` gives, then feed `receive` and send what it gives, until `peer` is set: the link is up.
    LinkRefusal ends it: send its frames, close, log its words.
    """

    def __init__(
        self,
        role: Role,
        secrets: Sequence[bytes],
        label: str,
        nonce: bytes,
        epoch: int,
        *,
        key: bytes = b"",
        statuses: dict[str, str] | None = None,
        outbox: list[str] | None = None,
        uploads: UploadRule | None = None,
        versions: tuple[int, ...] = VERSIONS,
    ) -> None:
        if len(nonce) != NONCE_BYTES:
            raise ValueError(f"a nonce has {NONCE_BYTES} bytes")
        self.peer: Peer | None = None
        self._role = role
        self._secrets = secrets
        self._mine = Hello(0, list(versions), label, nonce, epoch)
        self._key, self._statuses, self._outbox = key, statuses or {}, outbox or []
        self._uploads = uploads
        self._first: Hello | None = None
        self._version = 0
        self._assembler = Assembler(HELLO_BYTES_MAX)

    def start(self) -> list[bytes]:
        """The frames to begin with: the daemon speaks first, the router waits."""
        return self._say(1) if self._role is Role.DAEMON else []

    def receive(self, frame: bytes) -> list[bytes]:
        """Take a frame of the other side; the frames to send now. LinkRefusal when there will be no link."""
        try:
            packet = self._whole(frame)
        except RemoteProtocolError as exc:
            raise refusal(f"the {self._other} sent no hello that can be read ({exc})") from None
        match packet:
            case None:
                return []
            case Hello():
                return self._take(packet)
            case Answer():
                said = "".join(filter(str.isprintable, packet.text or "no reason given"))[:_WORDS_MAX]
                words = f"the {self._other} refused the link: {said}"
                raise LinkRefusal(words, [], packet.outcome is Outcome.TRY_LATER)
            case BadPacket(path=path, why=why):
                raise refusal(f"the {self._other} sent no hello that can be read ({path}: {why})")
            case _:
                raise refusal(f"the {self._other} sent something else than a hello")

    @property
    def _other(self) -> str:
        return _OTHER[self._role].value

    def _whole(self, frame: bytes) -> Decoded | None:
        packets = decode_frame(frame)
        if len(packets) != 1:
            raise RemoteProtocolError("frame", "one packet expected")
        if not isinstance(packets[0], Part):
            return packets[0]
        whole = self._assembler.add(packets[0])
        return None if whole is None else decode_packet(whole)

    def _take(self, hello: Hello) -> list[bytes]:
        match self._role, hello.step, self._first:
            case Role.ROUTER, 1, None:
                self._meet(hello)
                return self._say(2, proof=self._proof(Role.ROUTER, hello.nonce, self._secrets[0]))
            case Role.DAEMON, 2, None:
                self._meet(hello)
                secret = self._check_proof(hello, hello)
                proof = self._proof(Role.DAEMON, hello.nonce, secret)
                told = _told_of(self._uploads)
                return self._say(3, proof=proof, key=self._key, statuses=self._statuses, **told)
            case Role.ROUTER, 3, Hello() as first if self.peer is None:
                self._check_proof(first, hello)
                return self._welcome(first, hello)
            case Role.DAEMON, 4, Hello() as first if self.peer is None:
                self.peer = Peer(self._version, first.epoch, b"", {}, hello.outbox)
                return []
            case _:
                raise refusal(f"the {self._other} sent step {hello.step} of the hello out of turn")

    def _meet(self, hello: Hello) -> None:
        self._version = self._agree(hello.versions)
        if hello.label != self._mine.label:
            raise refusal(
                f"this is the link of run {self._mine.label!r}; the {self._other} means another run"
            )
        if len(hello.nonce) != NONCE_BYTES or not 0 < hello.epoch < EPOCH_MAX:
            raise refusal(f"the nonce or epoch of the {self._other} is none")
        self._first = hello

    def _agree(self, theirs: list[int]) -> int:
        ours = self._mine.versions
        common = set(ours) & set(theirs)
        if common:
            return max(common)
        older = self._role.value if max(ours) < max(theirs, default=0) else self._other
        raise refusal(
            f"the {self._role.value} speaks {_listed(ours)} of the link, the {self._other} {_listed(theirs)}:"
            f" update the {older}"
        )

    def _proof(self, role: Role, their_nonce: bytes, secret: bytes) -> bytes:
        nonces = (self._mine.nonce, their_nonce)
        nonce_daemon, nonce_router = nonces if self._role is Role.DAEMON else reversed(nonces)
        return _PROOFS[role](secret, self._mine.label, nonce_daemon, nonce_router)

    def _check_proof(self, first: Hello, hello: Hello) -> bytes:
        """The secret that the other side has proved to know."""
        for secret in self._secrets:
            if check(hello.proof, self._proof(_OTHER[self._role], first.nonce, secret)):
                return secret
        raise refusal(
            f"the {self._other} did not prove that it knows the secret of the {self._role.value}:"
            " both need the same secret file"
        )

    def _welcome(self, first: Hello, hello: Hello) -> list[bytes]:
        if len(hello.key) < KEY_BYTES_MIN:
            raise refusal(f"the run's key is shorter than {KEY_BYTES_MIN} bytes")
        uploads = UploadRule(tuple(hello.upload_types), hello.upload_words) if hello.upload_types else None
        self.peer = Peer(self._version, first.epoch, hello.key, hello.statuses, [], uploads)
        return self._say(4, outbox=self._outbox)

    def _say(self, step: int, **words: Any) -> list[bytes]:
        return _frames(encode_packet(attrs.evolve(self._mine, step=step, **words)))


def _told_of(uploads: UploadRule | None) -> dict[str, Any]:
    return {} if uploads is None else {"upload_types": [*uploads.types], "upload_words": uploads.words}


def _listed(versions: list[int]) -> str:
    return "version " + (", ".join(map(str, versions[:9])) or "none")


def _frames(encoded: bytes) -> list[bytes]:
    if len(encoded) > HELLO_BYTES_MAX:
        raise Unsendable(f"a hello of {len(encoded)} bytes; at most {HELLO_BYTES_MAX} are read")
    if len(encoded) <= PACKET_BYTES_MAX:
        return [join_frame([encoded])]
    return [join_frame([part]) for part in split(encoded, 0)]
