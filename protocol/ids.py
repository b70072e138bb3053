"""Wire ids: what a browser knows its agent by. Whoever lacks the run's key cannot make one that verifies."""

import base64
import binascii
import hashlib
import hmac

from .names import ONBOARDING_PREFIX, WireId

RANDOM_BYTES = 16
_PROOF_BYTES = 12
_NOTHING = bytes(RANDOM_BYTES + _PROOF_BYTES)


def new_wire_id(key: bytes, random_bytes: bytes, onboarding: bool = False) -> WireId:
    """Make the id of an agent from the run's key and 16 fresh random bytes."""
    if len(random_bytes) != RANDOM_BYTES:
        raise ValueError(f"a wire id takes {RANDOM_BYTES} random bytes, not {len(random_bytes)}")
    text = _text(random_bytes + _proof(key, random_bytes, onboarding))
    return WireId(ONBOARDING_PREFIX + text if onboarding else text)


def verify_wire_id(key: bytes, wire_id: str) -> bool:
    """True if the id was made with this key. Takes the same time for every id of a length, good or bad."""
    onboarding = wire_id.startswith(ONBOARDING_PREFIX)
    text = wire_id[len(ONBOARDING_PREFIX) :] if onboarding else wire_id
    raw = _bytes(text)
    random_bytes, proof = raw[:RANDOM_BYTES], raw[RANDOM_BYTES:]
    genuine = hmac.compare_digest(proof, _proof(key, random_bytes, onboarding))
    # The last character has spare bits: only one of its spellings is the id.
    exact = hmac.compare_digest(text.encode("utf-8", "replace"), _text(raw).encode())
    return genuine & exact


def _proof(key: bytes, random_bytes: bytes, onboarding: bool) -> bytes:
    kind = b"onboarding" if onboarding else b"unit"
    return hmac.new(key, kind + random_bytes, hashlib.sha256).digest()[:_PROOF_BYTES]


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


_CHARACTERS = len(_text(_NOTHING))


def _bytes(text: str) -> bytes:
    if len(text) != _CHARACTERS:
        return _NOTHING
    try:
        raw = base64.urlsafe_b64decode(text + "==")
    except (binascii.Error, ValueError):
        return _NOTHING
    return raw if len(raw) == len(_NOTHING) else _NOTHING
