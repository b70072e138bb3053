"""Wire ids: only who has the run's key can make one."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdd.protocol.ids import new_wire_id, verify_wire_id
from crowdd.protocol.names import ONBOARDING_PREFIX

KEY = b"k" * 32
SALT = bytes(range(16))


@given(st.binary(min_size=16, max_size=16), st.booleans())
def test_an_id_verifies_with_its_key_only(random_bytes: bytes, onboarding: bool) -> None:
    wire_id = new_wire_id(KEY, random_bytes, onboarding)
    assert verify_wire_id(KEY, wire_id)
    assert not verify_wire_id(b"K" * 32, wire_id)


def test_ids_are_short_and_fit_an_address() -> None:
    assert len(new_wire_id(KEY, SALT)) == 38
    assert new_wire_id(KEY, b"\xff" * 16).replace("-", "").replace("_", "").isalnum()


def test_onboarding_ids_say_so() -> None:
    assert new_wire_id(KEY, SALT, onboarding=True).startswith(ONBOARDING_PREFIX)


def test_an_id_cannot_change_its_kind() -> None:
    assert not verify_wire_id(KEY, ONBOARDING_PREFIX + new_wire_id(KEY, SALT))
    assert not verify_wire_id(KEY, new_wire_id(KEY, SALT, onboarding=True).removeprefix(ONBOARDING_PREFIX))


@pytest.mark.parametrize("place", range(38))
def test_an_id_with_one_character_changed_does_not_verify(place: int) -> None:
    wire_id = new_wire_id(KEY, SALT)
    for other in "AQgw_-9":
        changed = wire_id[:place] + other + wire_id[place + 1 :]
        assert verify_wire_id(KEY, changed) == (changed == wire_id)


def test_spare_bits_of_the_last_character_do_not_make_a_second_spelling() -> None:
    wire_id = new_wire_id(KEY, SALT)
    raw = base64.urlsafe_b64decode(wire_id + "==")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    twins = [wire_id[:-1] + c for c in alphabet if base64.urlsafe_b64decode(wire_id[:-1] + c + "==") == raw]
    assert [twin for twin in twins if verify_wire_id(KEY, twin)] == [wire_id]
    assert len(twins) > 1


@given(st.text(max_size=60))
def test_no_text_makes_verifying_fail_otherwise_than_with_no(text: str) -> None:
    assert not verify_wire_id(KEY, text)


@pytest.mark.parametrize("text", ["", "onboarding_", "A" * 38, "é" * 38, "\ud800" * 38, "A" * 100_000, "1"])
def test_what_was_never_an_id_does_not_verify(text: str) -> None:
    assert not verify_wire_id(KEY, text)


@pytest.mark.parametrize("count", [0, 15, 17])
def test_an_id_takes_sixteen_random_bytes(count: int) -> None:
    with pytest.raises(ValueError, match="16 random bytes"):
        new_wire_id(KEY, bytes(count))
