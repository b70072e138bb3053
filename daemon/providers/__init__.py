"""Where workers come from and are paid: the contract, and the providers `inhouse` and `mock`."""

from .bookkeeping import BookkeepingProvider, wrapped_script
from .claims import claimed_after, claimed_text
from .contract import CrowdProvider, Identity, IdentityUnverified, Place, ProviderFailed, ProviderSays

__all__ = [
    "BookkeepingProvider",
    "CrowdProvider",
    "Identity",
    "IdentityUnverified",
    "Place",
    "ProviderFailed",
    "ProviderSays",
    "claimed_after",
    "claimed_text",
    "wrapped_script",
]
