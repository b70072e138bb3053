"""What crosses a wire: names and states, packets, codec, and the pure machine of the router link."""

from .codec import (
    BadPacket,
    Decoded,
    UnknownPacket,
    decode_frame,
    decode_packet,
    encode_frame,
    encode_packet,
)
from .documents import canonical_json, check_document, content_digest, dump_json, load_json
from .errors import BadRequest, LinkFull, LinkRefusal, RemoteProtocolError, Unsendable
from .handshake import VERSIONS, Handshake, Peer, refusal
from .ids import new_wire_id, verify_wire_id
from .link import LinkEnd, Role
from .proof import NONCE_BYTES, daemon_proof, router_proof, sign_request, verify_request

__all__ = [
    "NONCE_BYTES",
    "VERSIONS",
    "BadPacket",
    "BadRequest",
    "Decoded",
    "Handshake",
    "LinkEnd",
    "LinkFull",
    "LinkRefusal",
    "Peer",
    "RemoteProtocolError",
    "Role",
    "UnknownPacket",
    "Unsendable",
    "canonical_json",
    "check_document",
    "content_digest",
    "daemon_proof",
    "decode_frame",
    "decode_packet",
    "dump_json",
    "encode_frame",
    "encode_packet",
    "load_json",
    "new_wire_id",
    "refusal",
    "router_proof",
    "sign_request",
    "verify_request",
    "verify_wire_id",
]
