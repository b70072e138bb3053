"""Signed personal links: what opens the door, and every way of trying without one."""

import base64
import json
import logging
import random
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdd.daemon.house import House
from crowdd.daemon.providers.contract import IdentityUnverified, LinkUnknown, Place
from crowdd.daemon.providers.inhouse import InhouseOptions, InhouseProvider
from crowdd.daemon.providers.links import LinkInvalid, PersonalLink, make_token, read_token

from .conftest import a_run

SECRET = b"s" * 32
NOW = datetime(2026, 3, 1, tzinfo=UTC)
NO_LINKS = [None, "", 5, ["x"], {"a": 1}, "x" * 5000, "a\nb", "é.é", ".", "a", "a.b", "a.b.c"]
URL = "http://127.0.0.1:8000/"


class Door:
    """An in-house provider of one run, with a clock that a test sets."""

    def __init__(
        self, house: House, run: Any, options: InhouseOptions, secret: bytes = SECRET, *old: bytes
    ) -> None:
        self.now = NOW
        place = Place(run, house.storage, lambda: self.now, random.Random(1), secret, old_secrets=old)
        self.provider = InhouseProvider(options, place)

    async def token(self, worker: str = "ann") -> str:
        [(_, url)] = await self.provider.links([worker], URL)
        return parse_qs(urlsplit(url).query)["link"][0]

    async def refusal(self, token: Any) -> str:
        with pytest.raises(IdentityUnverified) as refused:
            await self.provider.verify({"link": token, "worker_name": "ann"})
        return str(refused.value)


@pytest.fixture
async def door(house: House) -> Door:
    return Door(house, await a_run(house), InhouseOptions())


def with_claims(token: str, **claims: Any) -> str:
    """The same signature over other claims."""
    payload, _, signature = token.partition(".")
    said = json.loads(base64.urlsafe_b64decode(payload + "=="))
    forged = base64.urlsafe_b64encode(json.dumps({**said, **claims}).encode()).rstrip(b"=").decode()
    return f"{forged}.{signature}"


async def test_a_link_says_who_comes(door: Door) -> None:
    identity = await door.provider.verify({"link": await door.token("ann"), "worker_name": "bob"})
    assert identity.worker_name == "ann"


async def test_a_worker_has_one_link_however_often_it_is_asked_for(door: Door) -> None:
    first = await door.token()
    door.now += timedelta(days=3)
    assert await door.token() == first


async def test_two_workers_have_two_links(door: Door) -> None:
    identities = [await door.provider.verify({"link": await door.token(name)}) for name in ("ann", "bob")]
    assert len({identity.link for identity in identities}) == 2


async def test_a_name_of_any_letters_comes_through(door: Door) -> None:
    identity = await door.provider.verify({"link": await door.token("Zoë 李 &?=#")})
    assert identity.worker_name == "Zoë 李 &?=#"


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 201])
async def test_a_name_that_could_not_be_shown_gets_no_link(door: Door, name: str) -> None:
    with pytest.raises(ValueError, match="is not a worker's name"):
        await door.provider.links([name], URL)


@pytest.mark.parametrize("token", NO_LINKS)
async def test_what_is_no_link_proves_nothing(door: Door, token: Any) -> None:
    await door.refusal(token)


async def test_a_page_without_a_link_proves_nothing(door: Door) -> None:
    with pytest.raises(IdentityUnverified, match="link is missing"):
        await door.provider.verify({"worker_name": "ann", "agent_registration_id": "1-ann"})


@pytest.mark.parametrize(
    "claims", [{"worker": "eve"}, {"exp": 2**40}, {"run": "other"}, {"link": "another"}, {"alg": "none"}]
)
async def test_changed_claims_break_the_signature(door: Door, claims: dict[str, Any]) -> None:
    assert "signature is wrong" in await door.refusal(with_claims(await door.token(), **claims))


@pytest.mark.parametrize("cut", ["", ".", ".=", ".AAAA"])
async def test_a_link_without_its_signature_is_refused(door: Door, cut: str) -> None:
    await door.refusal((await door.token()).partition(".")[0] + cut)


async def test_the_algorithm_cannot_be_chosen_by_the_link(door: Door) -> None:
    header = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    payload = (await door.token()).partition(".")[0]
    for token in (f"{header}.{payload}.", f"{header}.{payload}", f"{payload}.{payload}", f"{payload}.none"):
        await door.refusal(token)


async def test_a_signature_in_other_letters_is_another_signature(door: Door) -> None:
    payload, _, signature = (await door.token()).partition(".")
    for other in (signature + "=", signature.lower(), signature + " ", signature[:-1]):
        await door.refusal(f"{payload}.{other}")


async def test_a_link_signed_with_another_key_is_refused(house: House) -> None:
    run = await a_run(house)
    theirs = Door(house, run, InhouseOptions(), b"t" * 32)
    ours = Door(house, run, InhouseOptions())
    assert "signature is wrong" in await ours.refusal(await theirs.token())


async def test_a_link_for_another_run_is_refused(house: House) -> None:
    options = InhouseOptions()
    first, second = (
        Door(house, await a_run(house, "one"), options),
        Door(house, await a_run(house, "two"), options),
    )
    assert "for another run" in await second.refusal(await first.token())


async def test_a_link_ends_when_its_days_are_over(house: House) -> None:
    door = Door(house, await a_run(house), InhouseOptions(link_days=2))
    token = await door.token()
    door.now = NOW + timedelta(days=2, seconds=-1)
    await door.provider.verify({"link": token})
    door.now = NOW + timedelta(days=2)
    assert "has expired" in await door.refusal(token)


async def test_a_worker_whose_link_has_expired_gets_another_one(house: House) -> None:
    door = Door(house, await a_run(house), InhouseOptions(link_days=2))
    first = await door.token()
    door.now += timedelta(days=3)
    second = await door.token()
    assert (await door.provider.verify({"link": second})).worker_name == "ann"
    assert "has expired" in await door.refusal(first)


async def test_a_revoked_link_is_refused_also_after_a_restart(house: House) -> None:
    run = await a_run(house)
    before = Door(house, run, InhouseOptions())
    token = await before.token()
    await before.provider.revoke_link(token, "staff:ada")
    assert "was revoked" in await before.refusal(token)
    assert "was revoked" in await Door(house, run, InhouseOptions()).refusal(token)


async def test_a_worker_whose_link_was_revoked_gets_one_that_is_another(door: Door) -> None:
    old = await door.provider.verify({"link": await door.token()})
    await door.provider.revoke_link(await door.token(), "staff:ada")
    new = await door.provider.verify({"link": await door.token()})
    assert (new.worker_name, new.link != old.link) == ("ann", True)


async def test_revoking_one_link_leaves_the_others(door: Door) -> None:
    await door.provider.revoke_link(await door.token("ann"), "staff:ada")
    assert (await door.provider.verify({"link": await door.token("bob")})).worker_name == "bob"


@pytest.mark.parametrize("form", [URL + "?link={}", URL + "index.html?a=b&link={}#top", " {}\n", "{}"])
async def test_a_link_is_revoked_by_its_address_or_by_what_it_carries(door: Door, form: str) -> None:
    token = await door.token()
    text = form.format(token)
    assert InhouseProvider.run_of_link(text, SECRET) == "digits"
    revoked = await door.provider.revoke_link(text, "staff:ada")
    assert (revoked.worker_name, revoked.already) == ("ann", False)
    assert (await door.provider.revoke_link(text, "staff:bob")).already
    assert "was revoked" in await door.refusal(token)


async def test_a_link_is_revoked_by_the_name_of_its_worker(door: Door) -> None:
    token = await door.token()
    assert (await door.provider.revoke_link_of("ann", "staff:ada")).worker_name == "ann"
    assert "was revoked" in await door.refusal(token)
    with pytest.raises(LinkUnknown, match="nobody called 'bob'"):
        await door.provider.revoke_link_of("bob", "staff:ada")


@pytest.mark.parametrize("text", ["", "x", "a.b", URL, URL + "?link=a.b", "?link=", "http://[?link=a.b"])
async def test_what_is_no_link_of_ours_is_not_revoked(door: Door, text: str) -> None:
    assert InhouseProvider.run_of_link(text, SECRET) is None
    with pytest.raises(LinkUnknown):
        await door.provider.revoke_link(text, "staff:ada")


async def test_a_link_of_another_run_or_signed_by_another_daemon_is_not_revoked(house: House) -> None:
    one = Door(house, await a_run(house, "one"), InhouseOptions())
    other = Door(house, await a_run(house, "other"), InhouseOptions())
    with pytest.raises(LinkUnknown, match="another run"):
        await one.provider.revoke_link(await other.token(), "staff:ada")
    foreign = Door(house, one.provider.place.run, InhouseOptions(), secret=b"f" * 32)
    with pytest.raises(LinkUnknown, match="signature"):
        await one.provider.revoke_link(await foreign.token(), "staff:ada")


async def test_the_links_of_a_deleted_run_open_no_later_run_of_its_label(house: House) -> None:
    run = await a_run(house)
    before = Door(house, run, InhouseOptions())
    tokens = [await before.token(name) for name in ("ann", "bob")]
    await before.provider.forget_run("staff:ada")
    later = Door(house, run, InhouseOptions())
    for token in tokens:
        assert "was revoked" in await later.refusal(token)
    new = await later.token("ann")
    assert (await later.provider.verify({"link": new})).worker_name == "ann"


@pytest.mark.parametrize("after", [5, [], {}, "x" * 501, True])
async def test_an_after_that_is_no_wire_id_is_refused(door: Door, after: Any) -> None:
    with pytest.raises(IdentityUnverified, match="after is not a wire id"):
        await door.provider.verify({"link": await door.token(), "after": after})


async def test_no_token_is_kept_logged_or_shown(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    token = await door.token()
    identity = await door.provider.verify(
        {"link": token, "agent_registration_id": "l-ann", "assignment_id": "l"}
    )
    refusals = [await door.refusal(with_claims(token, worker="eve")), await door.refusal(token + "x")]
    door.now += timedelta(days=40)
    refusals.append(await door.refusal(token))
    seen = repr(attrs.asdict(identity)) + repr(refusals) + caplog.text + repr(door.provider.place)
    payload, _, signature = token.partition(".")
    assert payload not in seen
    assert signature not in seen


async def test_only_known_claims_of_the_page_are_kept(door: Door) -> None:
    identity = await door.provider.verify(
        {
            "link": await door.token(),
            "agent_registration_id": "l-ann",
            "provider_type": "inhouse",
            "assignment_id": 5,
            "worker_name": "eve",
            "more": "x" * 100_000,
        }
    )
    assert identity.agent_data == {"agent_registration_id": "l-ann", "provider_type": "inhouse"}


_links = st.builds(
    PersonalLink,
    run=st.text(max_size=20),
    worker=st.text(st.characters(exclude_categories=["Cs"]), max_size=50),
    link=st.text(max_size=20),
    expires=st.integers(0, 2**40),
)


@given(_links)
def test_what_is_signed_is_read_back(link: PersonalLink) -> None:
    assert read_token([SECRET], make_token(SECRET, link)) == link


@given(_links, st.data())
def test_one_changed_letter_is_enough_to_be_refused(link: PersonalLink, data: st.DataObject) -> None:
    token = make_token(SECRET, link)
    place = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.characters(max_codepoint=127).filter(lambda c: c != token[place]))
    with pytest.raises(LinkInvalid):
        read_token([SECRET], token[:place] + letter + token[place + 1 :])


# --- another secret (SEC4, SEC14)

NEW = b"n" * 32


async def test_sec4_links_from_before_a_rotation_open_until_the_old_secret_goes(house: House) -> None:
    run = await a_run(house)
    before = await Door(house, run, InhouseOptions()).token("ann")
    rotating = Door(house, run, InhouseOptions(), NEW, SECRET)
    assert (await rotating.provider.verify({"link": before})).worker_name == "ann"
    rotated = Door(house, run, InhouseOptions(), NEW)
    assert "signature" in await rotated.refusal(before)


async def test_sec4_a_link_made_in_a_rotation_is_signed_by_the_new_secret(house: House) -> None:
    run = await a_run(house)
    await Door(house, run, InhouseOptions()).token("ann")
    link = await Door(house, run, InhouseOptions(), NEW, SECRET).token("ann")
    assert (
        await Door(house, run, InhouseOptions(), NEW).provider.verify({"link": link})
    ).worker_name == "ann"


async def test_sec4_revoking_a_workers_link_in_a_rotation_revokes_both_forms_of_it(house: House) -> None:
    run = await a_run(house)
    before = await Door(house, run, InhouseOptions()).token("ann")
    rotating = Door(house, run, InhouseOptions(), NEW, SECRET)
    after = await rotating.token("ann")
    await rotating.provider.revoke_link_of("ann", "staff:ada")
    for token in (before, after):
        assert "was revoked" in await rotating.refusal(token)
    again = await rotating.token("ann")
    assert (await rotating.provider.verify({"link": again})).worker_name == "ann"


async def test_sec4_the_links_of_a_deleted_run_stay_closed_through_a_rotation(house: House) -> None:
    run = await a_run(house)
    before = await Door(house, run, InhouseOptions()).token("ann")
    rotating = Door(house, run, InhouseOptions(), NEW, SECRET)
    await rotating.provider.forget_run("staff:ada")
    assert "was revoked" in await rotating.refusal(before)
