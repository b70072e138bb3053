"""The provider `inhouse`: workers you know, invited by signed personal links with expiry and revocation."""

import math
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import attrs

from ...storage.writes import PutFact
from ..structuring import Count
from .bookkeeping import BookkeepingProvider, page_script
from .claims import LINK_TOKEN_CHARACTERS_MAX, NAME_CHARACTERS_MAX, claimed_after, claimed_text, kept_claims
from .contract import Identity, IdentityUnverified, LinkUnknown, RevokedLink
from .links import LinkInvalid, PersonalLink, link_id, make_token, read_token, token_in

LINKS_PER_TRANSACTION = 500  # so that a run of many thousands holds nobody up
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
            link = read_token(self.place.secrets, token)
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

    @classmethod
    def run_of_link(cls, link: str, secret: bytes) -> str | None:
        try:
            return read_token([secret], token_in(link)).run
        except LinkInvalid:
            return None

    async def revoke_link(self, link: str, who: str) -> RevokedLink:
        try:
            read = read_token(self.place.secrets, token_in(link))
        except LinkInvalid as exc:
            raise LinkUnknown(str(exc)) from exc
        if read.run != self.place.run.label:
            raise LinkUnknown("the link is for another run")
        return await self._revoke(read, who)

    async def revoke_link_of(self, worker: str, who: str) -> RevokedLink:
        issued = await self.place.storage.fact(self._issued, worker)
        if issued is None:
            raise LinkUnknown(f"nobody called {worker!r} was given a link to run {self.place.run.label!r}")
        for earlier in self._earlier(worker, **issued):
            await self._revoke(earlier, who)
        return await self._revoke(self._link(worker, **issued), who)

    async def forget_run(self, who: str) -> None:
        issued = await self.place.storage.facts(self._issued)
        links = [
            link.link
            for worker, each in issued.items()
            for link in (self._link(worker, **each), *self._earlier(worker, **each))
        ]
        for start in range(0, len(links), LINKS_PER_TRANSACTION):
            note = self._revocation(who)
            some = links[start : start + LINKS_PER_TRANSACTION]
            await self.place.storage.commit(
                [PutFact(self._revoked, link, note) for link in some], self.place.wall()
            )

    async def _revoke(self, link: PersonalLink, who: str) -> RevokedLink:
        already = await self._is_revoked(link.link)
        if not already:
            await self.place.storage.put_fact(self._revoked, link.link, self._revocation(who))
        return RevokedLink(link.worker, link.link, already)

    def _revocation(self, who: str) -> dict[str, str]:
        return {"at": self.place.wall().isoformat(), "who": who}

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
        return self._signed(self.place.secret, worker, issue, expires)

    def _earlier(self, worker: str, issue: int, expires: int) -> list[PersonalLink]:
        """The same link as it was signed with the secrets from before."""
        return [self._signed(secret, worker, issue, expires) for secret in self.place.old_secrets]

    def _signed(self, secret: bytes, worker: str, issue: int, expires: int) -> PersonalLink:
        run = self.place.run.label
        return PersonalLink(run, worker, link_id(secret, run, worker, issue), expires)

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
