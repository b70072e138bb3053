"""Pay for late answers: decided once, told until it is taken, and paid once whatever happens in between."""

from datetime import UTC, datetime
from typing import Any

import attrs
import pytest
import trio
from trio.testing import MockClock

from crowdd.daemon.errands.late_payment import UNSAID, LatePayment
from crowdd.daemon.house import House
from crowdd.daemon.late_pay import LATE_PAY, LatePayer, explain_late_pay
from crowdd.daemon.late_pay.decisions import LateFacts, Owed, Payment, Refused, Unchanged, decide
from crowdd.daemon.lifecycle import TimeOver
from crowdd.protocol.names import AgentStatus, UnitStatus
from crowdd.storage.records import LateAnswer, Worker

from .desk import Desk, a_desk
from .test_errands import Town, serving
from .test_late_answers import ended, late_of, status_of

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Shop(Town):
    """A run with a late answer of a unit that somebody else has, and whoever pays for it."""

    def __init__(self, desk: Desk, worker: Worker) -> None:
        super().__init__(desk.house, desk.run, worker)
        self.desk = desk

    def payer(self) -> LatePayer:
        return LatePayer(self.house.storage, self.house.wall, self.errands)

    async def late(self) -> LateAnswer:
        return (await self.house.storage.late_answers(self.run.id))[0]

    async def books(self) -> list[Any]:
        """What the provider has paid."""
        return [*(await self.provider.payments()).values()]


@pytest.fixture
async def shop(house: House) -> Shop:
    desk = await a_desk(house, units=1)
    details = await ended(desk, TimeOver())
    await desk.agent("bob")
    await desk.submit(details, {"label": 7}, answered=True)
    agent = await desk.stored(details)
    return Shop(desk, await house.storage.worker(agent.worker_id))


async def test_what_staff_pay_is_told_to_the_provider_and_kept(autojump_clock: MockClock, shop: Shop) -> None:
    async with serving(shop.errands):
        (paid,) = await shop.payer().pay([1], 30, "thank you", "staff:ada")
    assert (paid.cents, paid.changed, paid.refused, paid.owed) == (30, True, None, None)
    assert await shop.books() == [{"worker": shop.worker.name, "cents": 30, "reason": "thank you"}]
    late = await shop.late()
    assert (late.owed_cents, late.owed_by, late.paid_at is not None) == (30, "staff:ada", True)
    assert (await shop.kept(), shop.errands.owed()) == ([], [])


async def test_p11_paid_again_it_is_not_told_again(autojump_clock: MockClock, shop: Shop) -> None:
    async with serving(shop.errands):
        await shop.payer().pay([1], 30, None, "staff:ada")
        (again,) = await shop.payer().pay([1], 30, None, "staff:bob")
        (more,) = await shop.payer().pay([1], 31, None, "staff:bob")
    assert (again.cents, again.changed) == (30, False)
    assert more.refused == "It is to be paid 0.30: that is final."
    assert shop.told() == ["bonus"]


async def test_p11_what_was_decided_before_a_crash_is_paid_after_it(
    autojump_clock: MockClock, shop: Shop
) -> None:
    (paid,) = await shop.payer().pay([1], 30, None, "staff:ada")  # nobody serves: the daemon ends here
    assert (paid.changed, paid.owed) == (True, "no answer yet")
    async with serving(shop.anew()):
        await trio.sleep(1)
    assert await shop.books() == [{"worker": shop.worker.name, "cents": 30, "reason": UNSAID}]
    assert (await shop.late()).paid_at is not None


async def test_p11_what_the_provider_paid_without_our_knowing_is_not_paid_twice(
    autojump_clock: MockClock, shop: Shop
) -> None:
    await shop.payer().pay([1], 30, None, "staff:ada")
    unknown = LatePayment(shop.worker, await shop.late())
    await shop.provider.bonus(unknown.worker, unknown.cents, unknown.words, unknown.payment_id)
    assert (await shop.late()).paid_at is None  # the daemon was killed before it could note that
    async with serving(shop.anew()):
        await trio.sleep(1)
    assert len(shop.provider.told("bonus")) == 2
    assert len(await shop.books()) == 1
    assert (await shop.late()).paid_at is not None


async def test_a_provider_that_fails_is_asked_until_it_pays(autojump_clock: MockClock, shop: Shop) -> None:
    shop.provider.fail_next["bonus"] = 2
    async with serving(shop.errands):
        (paid,) = await shop.payer().pay([1], 30, None, "staff:ada")
        assert paid.owed == "bonus is told to fail"
        while shop.errands.owed():
            await trio.sleep(1)
    assert len(await shop.books()) == 1


async def test_two_who_pay_at_once_pay_once(autojump_clock: MockClock, shop: Shop) -> None:
    async with serving(shop.errands), trio.open_nursery() as nursery:
        nursery.start_soon(shop.payer().pay, [1], 30, None, "staff:ada")
        nursery.start_soon(shop.payer().pay, [1], 30, None, "staff:bob")
    assert shop.told() == ["bonus"]


async def test_a_payment_is_recorded_in_words(autojump_clock: MockClock, shop: Shop) -> None:
    await shop.payer().pay([1], 30, "thank you", "staff:ada")
    decisions = await shop.house.storage.decisions(shop.run.id, worker_id=shop.worker.id)
    (told,) = [each for each in decisions if each.kind == LATE_PAY]
    (sentence,) = explain_late_pay(told.facts)
    assert sentence.startswith(
        "staff:ada decided to pay 0.30 for late answer 1, saying: thank you. It came too"
    )


async def test_who_is_paid_for_a_late_answer_does_not_come_back_by_another(
    autojump_clock: MockClock, house: House
) -> None:
    desk = await a_desk(house, units=1)
    details = await ended(desk, TimeOver())
    bob = await desk.agent("bob")
    await desk.submit(details, {"label": 7}, answered=True)
    errands = Shop(desk, await house.storage.worker((await desk.stored(details)).worker_id)).errands
    await LatePayer(house.storage, house.wall, errands).pay([1], 30, None, "staff:ada")
    await desk.runner.happen((await desk.stored(bob)).id, TimeOver())
    await desk.submit(details, {"label": 8}, answered=True)
    assert (await status_of(desk, details))[0] is AgentStatus.TIMEOUT
    assert await late_of(desk) == [
        f"its time was over, and its unit went to agent {(await desk.stored(bob)).id}",
        "its time was over, and another late answer of the same agent is to be paid",
    ]


# what is decided


@pytest.fixture
async def facts(shop: Shop) -> LateFacts:
    late = await shop.late()
    assert late.agent_id is not None
    agent = await shop.house.storage.agent(late.agent_id)
    return LateFacts(late, agent, await shop.house.storage.unit(agent.unit_id), [late])


def decided(facts: LateFacts | None, cents: int | None = None) -> Owed | Unchanged | Refused:
    return decide(facts, Payment(cents, None, "staff:ada"), NOON)


async def test_without_an_amount_it_is_what_the_unit_is_worth(facts: LateFacts) -> None:
    worth = attrs.evolve(facts, unit=attrs.evolve(facts.unit, pay_cents=25))
    owed = decided(worth)
    assert isinstance(owed, Owed)
    assert owed.cents == 25


async def test_a_unit_that_is_worth_nothing_needs_an_amount(facts: LateFacts) -> None:
    worthless = attrs.evolve(facts, unit=attrs.evolve(facts.unit, pay_cents=0))
    assert decided(worthless) == Refused("The unit is worth nothing: say how much, with --amount.")


async def test_what_is_nobody_s_is_not_paid() -> None:
    outcome = decided(None, 30)
    assert isinstance(outcome, Refused)
    assert outcome.words.startswith("Whose it is this store does not know")


async def test_what_is_no_answer_is_not_paid(facts: LateFacts) -> None:
    beside = attrs.evolve(facts, late=attrs.evolve(facts.late, is_answer=False))
    assert decided(beside, 30) == Refused("It is no answer: it was told beside one.")


async def test_one_late_answer_of_an_agent_is_paid(facts: LateFacts) -> None:
    other = attrs.evolve(facts.late, id=2, owed_cents=30, owed_by="staff:ada", owed_at=NOON)
    outcome = decided(attrs.evolve(facts, of_agent=[facts.late, other]), 30)
    assert outcome == Refused(
        "Another late answer of the same agent is to be paid: a unit is paid once to a worker."
    )


async def test_who_completed_the_unit_is_paid_by_a_review(facts: LateFacts) -> None:
    agent = attrs.evolve(facts.agent, status=AgentStatus.COMPLETED)
    unit = attrs.evolve(facts.unit, status=UnitStatus.COMPLETED, agent_id=agent.id)
    outcome = decided(attrs.evolve(facts, agent=agent, unit=unit), 30)
    assert outcome == Refused(
        f"Its worker has the unit, and is paid by a review: crowdctl approve {agent.id}."
    )
