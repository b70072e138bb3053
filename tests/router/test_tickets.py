"""Held requests: when each is due, also once very many others came and went."""

import pytest

from crowdd.protocol.limits import REQUEST_HOLD_S
from crowdd.router.tickets import Tickets

from .kit import PLAIN, register


@pytest.fixture
def few_stale(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crowdd.router.tickets.STALE_MAX", 2)


def come_and_go(tickets: Tickets, count: int) -> None:
    for number in range(count):
        tickets.close(tickets.open(register(f"gone-{number}"), PLAIN, 0.0))


def test_who_waits_is_due_though_many_others_were_answered(few_stale: None) -> None:
    tickets = Tickets()
    waiting = tickets.open(register("waiting"), PLAIN, 0.0)
    tickets.look_at(waiting, 1.0)
    come_and_go(tickets, 10)
    assert tickets.due(0.5) == []
    assert tickets.due(1.0) == [waiting]
    assert tickets.due(REQUEST_HOLD_S) == [waiting]


def test_who_was_answered_is_not_due(few_stale: None) -> None:
    tickets = Tickets()
    come_and_go(tickets, 10)
    assert tickets.due(REQUEST_HOLD_S) == []
