"""Values of which many are made: what they say is what they are."""

from crowdd.protocol.names import WireId
from crowdd.protocol.packets import Ack


def test_values_that_say_the_same_are_equal() -> None:
    assert Ack(WireId("a"), 1, 2) == Ack(WireId("a"), 1, 2)


def test_values_that_say_the_same_are_one_key() -> None:
    assert len({Ack(WireId("a"), 1, 2), Ack(WireId("a"), 1, 2)}) == 1
