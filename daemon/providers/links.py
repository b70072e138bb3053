"""Personal links: made and checked. Pure: a token says who, for which run, until when, and is signed.

A token is base64url(JSON) + "." + base64url(HMAC-SHA256(secret, purpose ‖ the first part)). There is one
algorithm, and the token does not name it.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs

import attrs

PURPOSE = b"crowdd personal link 1\0"  # the daemon's secret signs nothing else under these words
LINK_ID_BYTES = 9


class LinkInvalid(Exception):
    """This token proves nothing; says why, and never shows the token."""


@attrs.frozen
class PersonalLink:
    """What a token says."""

    run: str
    worker: str
    link: str
    """The link's id; not secret."""
    expires: int
    """Unix time."""


def link_id(secret: bytes, run: str, worker: str, issue: int) -> str:
    """The id of the worker's n-th link to the run: asked again, the same."""
    said = json.dumps([run, worker, issue]).encode()
    return _encoded(hmac.digest(secret, b"crowdd link id 1\0" + said, hashlib.sha256)[:LINK_ID_BYTES])


def make_token(secret: bytes, link: PersonalLink) -> str:
    """The signed text that goes into the worker's address."""
    claims = {"run": link.run, "worker": link.worker, "link": link.link, "exp": link.expires}
    payload = _encoded(json.dumps(claims, separators=(",", ":"), sort_keys=True).encode())
    return f"{payload}.{_signature(secret, payload)}"


def token_in(text: str) -> str:
    """The token of a whole address, or the text itself."""
    address, question, rest = text.strip().partition("?")
    found = parse_qs(rest.partition("#")[0]).get("link") if question else None
    return found[0] if found else address


def read_token(secrets: Sequence[bytes], token: str) -> PersonalLink:
    """What the token says, once one of the secrets was found to have signed it; LinkInvalid.

    Expiry is not judged.
    """
    payload, dot, signature = token.partition(".")
    if not dot or not token.isascii():
        raise LinkInvalid("the link is not signed")
    if not any(hmac.compare_digest(signature, _signature(secret, payload)) for secret in secrets):
        raise LinkInvalid("the link's signature is wrong")
    return _link_of(_claims(payload))


def _claims(payload: str) -> Any:
    try:
        return json.loads(
            base64.b64decode(payload + "=" * (-len(payload) % 4), altchars=b"-_", validate=True)
        )
    except (binascii.Error, ValueError) as exc:
        raise LinkInvalid("the link is signed, but cannot be read") from exc


def _link_of(claims: Any) -> PersonalLink:
    match claims:
        case {"run": str() as run, "worker": str() as worker, "link": str() as link, "exp": int() as expires}:
            return PersonalLink(run=run, worker=worker, link=link, expires=expires)
        case _:
            raise LinkInvalid("the link is signed, but says something else")


def _signature(secret: bytes, payload: str) -> str:
    return _encoded(hmac.digest(secret, PURPOSE + payload.encode(), hashlib.sha256))


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
