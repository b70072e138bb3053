"""Reads what a page says about its worker (`provider_data`): foreign data, typed and bounded here.

Whether it is true is for the provider to find out.
"""

from collections.abc import Mapping
from typing import Any

from .contract import IdentityUnverified

NAME_CHARACTERS_MAX = 200  # longer than any vendor's worker ids
CLAIM_CHARACTERS_MAX = 500
LINK_TOKEN_CHARACTERS_MAX = 4000  # a name of 200 characters, escaped, and its signature


def claimed_text(
    provider_data: Mapping[str, Any], key: str, characters_max: int = CLAIM_CHARACTERS_MAX
) -> str:
    """The text under `key`: not empty, printable, bounded. IdentityUnverified, without showing the value."""
    value = provider_data.get(key)
    if not isinstance(value, str) or not value:
        raise IdentityUnverified(f"{key} is missing")
    if len(value) > characters_max or not value.isprintable():
        raise IdentityUnverified(f"{key} is too long or has control characters")
    return value


def claimed_after(provider_data: Mapping[str, Any]) -> str | None:
    """Which agent the page has finished: "" for none yet, None for pages that do not say."""
    if "after" not in provider_data:
        return None
    after = provider_data["after"]
    if after is None:
        return ""
    if not isinstance(after, str) or len(after) > CLAIM_CHARACTERS_MAX:
        raise IdentityUnverified("after is not a wire id")
    return after


def kept_claims(provider_data: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, str]:
    """Those of `keys` that hold short text; nothing else of the page's is kept."""
    return {
        key: value
        for key in keys
        if isinstance(value := provider_data.get(key), str) and len(value) <= CLAIM_CHARACTERS_MAX
    }
