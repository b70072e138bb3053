"""The provider `inhouse`: workers you know, invited by signed personal links with expiry and revocation."""

import math
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import attrs

from ..structuring import Count
from .bookkeeping import BookkeepingProvider, page_script
from .claims import LINK_TOKEN_CHARACTERS_MAX, NAME_CHARACTERS_MAX, claimed_after, claimed_text, kept_claims
from .contract import Identity, IdentityUnverified
from .links import LinkInvalid, PersonalLink, link_id, make_token, read_token

_KEPT = ("agent_registration_id", "assignment_id", "provider_type")


@attrs.frozen
class InhouseOptions:
    """`[provider]` of task.toml."""

    link_days: Count = attrs.field(default=30, validator=[attrs.validators.ge(1), attrs.validators.le(3660)])
    """How long a personal link may be used."""


class InhouseProvider(BookkeepingProvider):
    """Workers you know: each comes by a personal link that carries their name, signed by the daemon."""

    name = "inhouse"
    Options = InhouseOptions

    async def verify(self, provider_data: Mapping[str, Any]) -> Identity:
        """Who the link in `provider_data` was made for; all else that the page says proves nothing."""
        token = claimed_text(provider_data, "link", LINK_TOKEN_CHARACTERS_MAX)
        try:
            link = read_token(self.place.secret, token)
        except LinkInvalid as exc:
            raise IdentityUnverified(str(exc)) from exc
        await self._check(link)
        return Identity(
            worker_name=link.worker,
            link=link.link,
            after=claimed_after(provider_data),
            agent_data=kept_claims(provider_data, _KEPT),
        )

    async def links(self, workers: Sequence[str], url: str) -> list[tuple[str, str]]:
        """A personal address for each worker; the same again while it is valid. ValueError: a bad name."""
        for worker in workers:
            if not worker.strip() or not worker.isprintable() or len(worker) > NAME_CHARACTERS_MAX:
                raise ValueError(f"{worker!r:.60} is not a worker's name: one line, not empty")
        return [(worker, f"{url}?{urlencode({'link': await self._token(worker)})}") for worker in workers]

    async def revoke(self, link: str) -> None:
        """Refuse this link (by its id) from now on, whoever holds it. An agent at work is not touched."""
        await self.place.storage.put_fact(self._revoked, link, self.place.wall().isoformat())

    def page_script(self) -> str:
        return page_script("inhouse.js")

    async def _check(self, link: PersonalLink) -> None:
        if link.run != self.place.run.label:
            raise IdentityUnverified(f"link {link.link} is for another run")
        if link.expires <= self.place.wall().timestamp():
            raise IdentityUnverified(f"link {link.link} has expired")
        if await self._is_revoked(link.link):
            raise IdentityUnverified(f"link {link.link} was revoked")

    async def _token(self, worker: str) -> str:
        issued = await self.place.storage.fact(self._issued, worker)
        link = None if issued is None else self._link(worker, **issued)
        if link is None or link.expires <= self.place.wall().timestamp() or await self._is_revoked(link.link):
            issue = 1 if issued is None else issued["issue"] + 1
            link = self._link(worker, issue, self._expiry())
            await self.place.storage.put_fact(self._issued, worker, {"issue": issue, "expires": link.expires})
        return make_token(self.place.secret, link)

    def _link(self, worker: str, issue: int, expires: int) -> PersonalLink:
        run = self.place.run.label
        return PersonalLink(run, worker, link_id(self.place.secret, run, worker, issue), expires)

    def _expiry(self) -> int:
        return math.ceil((self.place.wall() + timedelta(days=self.options.link_days)).timestamp())

    async def _is_revoked(self, link: str) -> bool:
        return await self.place.storage.fact(self._revoked, link) is not None

    @property
    def _issued(self) -> str:
        return self._scope(f"links:{self.place.run.label}")

    @property
    def _revoked(self) -> str:
        return self._scope(f"revoked:{self.place.run.label}")
