"""Proofs: of the hello, and of single HTTP requests."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdd.protocol.proof import check, daemon_proof, router_proof, sign_request, verify_request

SECRET = b"s" * 32
D, R = b"d" * 32, b"r" * 32
NOW = 1_800_000_000.0
SHA = "ab" * 32


def test_the_same_words_give_the_same_proof() -> None:
    assert check(daemon_proof(SECRET, "run", D, R), daemon_proof(SECRET, "run", D, R))


@pytest.mark.parametrize(
    "other",
    [
        router_proof(SECRET, "run", D, R),
        daemon_proof(b"S" * 32, "run", D, R),
        daemon_proof(SECRET, "run2", D, R),
        daemon_proof(SECRET, "run", R, D),
        daemon_proof(SECRET, "run" + "d", D[1:], R),
    ],
    ids=["role", "secret", "label", "nonces", "borders"],
)
def test_a_proof_is_for_one_role_secret_label_and_pair_of_nonces(other: bytes) -> None:
    assert not check(daemon_proof(SECRET, "run", D, R), other)


def test_a_secret_that_could_be_guessed_is_refused() -> None:
    daemon_proof(b"s" * 16, "run", D, R)
    with pytest.raises(ValueError, match="at least 16 bytes"):
        daemon_proof(b"s" * 15, "run", D, R)


def verify(header: str | None, **changed: Any) -> bool:
    given: dict[str, Any] = {
        "secret": SECRET, "method": "PUT", "path": "/x?y=1", "body_sha256": SHA, "unix_time": NOW,
    }  # fmt: skip
    return verify_request(header=header, **(given | changed))


HEADER = sign_request(SECRET, "PUT", "/x?y=1", NOW, SHA)


def test_a_signed_request_verifies() -> None:
    assert verify(HEADER)


@pytest.mark.parametrize(
    "changed",
    [
        {"secret": b"S" * 32},
        {"method": "GET"},
        {"path": "/x"},
        {"body_sha256": ""},
        {"body_sha256": "00" * 32},
    ],
    ids=str,
)
def test_a_signature_is_for_one_request(changed: dict[str, Any]) -> None:
    assert not verify(HEADER, **changed)


@pytest.mark.parametrize(("later_s", "good"), [(-300, True), (-301, False), (300, True), (301, False)])
def test_a_signature_ages(later_s: int, good: bool) -> None:
    assert verify(HEADER, unix_time=NOW + later_s) is good


def test_the_time_cannot_be_changed() -> None:
    at, _, mac = HEADER.removeprefix("Crowdd ").partition(":")
    assert not verify(f"Crowdd {int(at) + 1}:{mac}", unix_time=NOW)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Crowdd ",
        "Crowdd :",
        "Bearer x",
        HEADER.replace("Crowdd", "crowdd"),
        HEADER[:-1],
        HEADER + "0",
        HEADER.replace(":", ""),
        "Crowdd ١٢:00",
        "Crowdd " + "9" * 5_000 + ":00",
        "Crowdd -5:00",
        "\ud800" * 9,
    ],
)
def test_anything_else_is_no_signature(header: str | None) -> None:
    assert not verify(header)


@given(st.text(max_size=80))
def test_no_header_makes_verifying_fail_otherwise_than_with_no(header: str) -> None:
    assert not verify(header)
    assert not verify("Crowdd " + header)
