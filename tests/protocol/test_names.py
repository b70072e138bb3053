"""The vocabularies of statuses, which pages and exports rely on to the letter; scenario S32."""

import pytest

from crowdd.protocol import names
from crowdd.protocol.names import (
    COMPLETE_AGENT,
    COMPLETED_UNIT,
    FINAL_UNIT,
    INCOMPLETE_UNIT,
    LIVE_AGENT,
    PAYABLE_UNIT,
    REVIEWED_UNIT,
    SENTENCES,
    AgentStatus,
    AssignmentStatus,
    Reason,
    UnitStatus,
)

AGENT_WORDS = (
    "none, accepted, onboarding, waiting, in task, completed, disconnect, timeout, partner disconnect, "
    "expired, returned, approved, soft_rejected, rejected"
)
ASSIGNMENT_WORDS = "created, launched, assigned, completed, accepted, mixed, rejected, soft_rejected, expired"


def test_s32_agent_statuses_are_the_fourteen_words_that_pages_know() -> None:
    assert [status.value for status in AgentStatus] == AGENT_WORDS.split(", ")


def test_s32_assignment_statuses_are_the_nine_words() -> None:
    assert [status.value for status in AssignmentStatus] == ASSIGNMENT_WORDS.split(", ")


def test_s32_units_have_every_assignment_status_but_mixed() -> None:
    units = {status.value for status in UnitStatus}
    assert units == {status.value for status in AssignmentStatus} - {"mixed"}


@pytest.mark.parametrize(
    ("members", "words"),
    [
        (INCOMPLETE_UNIT, "created launched assigned"),
        (PAYABLE_UNIT, "launched assigned completed accepted soft_rejected"),
        (FINAL_UNIT, "accepted expired soft_rejected"),
        (COMPLETED_UNIT, "completed accepted rejected soft_rejected"),
        (REVIEWED_UNIT, "accepted rejected soft_rejected"),
    ],
)
def test_s32_every_list_of_unit_statuses_has_the_fields_members(
    members: frozenset[UnitStatus], words: str
) -> None:
    assert {status.value for status in members} == set(words.split())


def test_s32_complete_agents_are_those_whose_work_has_ended() -> None:
    complete = "completed disconnect timeout expired returned soft_rejected approved rejected"
    assert {status.value for status in COMPLETE_AGENT} == set(complete.split())


def test_no_status_is_both_live_and_complete() -> None:
    assert not LIVE_AGENT & COMPLETE_AGENT


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_a_sentence_of_its_own(reason: Reason) -> None:
    assert list(SENTENCES.values()).count(SENTENCES[reason]) == 1


def test_the_packet_types_of_mephisto_keep_their_names() -> None:
    words = (
        "alive register_agent agent_details submit_onboarding submit_unit submit_metadata "
        "client_bound_live_update mephisto_bound_live_update update_status request_statuses "
        "return_statuses log_error"
    )
    assert set(words.split()) <= {kind.value for kind in names.PacketType}
