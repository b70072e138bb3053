"""Asks a provider, with a limit on how long it may take: whatever it does, who asks has an answer."""

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

import trio

from ..storage.contract import Bar
from ..storage.errors import StorageError
from .causes import words_of
from .providers.contract import CrowdProvider, IdentityUnverified

log = logging.getLogger(__name__)

T = TypeVar("T")

PROVIDER_LIMIT_S = 10.0  # a page gives up after 30 s, and there may be two questions


class ProviderSilent(Exception):
    """The provider failed, raised, or took too long; the cause says which. Nothing was decided."""


async def ask_provider(doing: str, ask: Callable[[], Awaitable[T]], limit_s: float = PROVIDER_LIMIT_S) -> T:
    """What `ask` gives. ProviderSilent; IdentityUnverified and errors of storage pass through."""
    try:
        with trio.fail_after(limit_s):
            return await ask()
    except (IdentityUnverified, StorageError):
        raise
    except trio.TooSlowError as exc:
        raise ProviderSilent(f"{doing} took longer than {limit_s:g} s") from exc
    except Exception as exc:  # the boundary to a plug-in, which may be the author's own
        raise ProviderSilent(f"{doing} failed: {type(exc).__name__}: {words_of(exc)}") from exc


def bar_of(provider: CrowdProvider, worker_name: str) -> Bar | None:
    """The worker's `bar`; None where the provider fails to name it: `admits` is to be asked."""
    try:
        return provider.bar(worker_name)
    except Exception:  # as above
        log.exception("the provider failed to name what bars a worker")
        return None
