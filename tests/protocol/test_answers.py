"""What pages are told, in the seven keys that they know."""

from typing import Any

import pytest

from crowdd.protocol.answers import (
    agent_details_packet,
    heartbeat_packet,
    live_update_packet,
    roll_call_packet,
    stored_packet,
    update_status_packet,
)
from crowdd.protocol.browser import SocketPacket, SocketType
from crowdd.protocol.names import SENTENCES, AgentStatus, Outcome, Reason, WireId
from crowdd.protocol.packets import AgentDetails, ClientBoundLiveUpdate, RollCall, UpdateStatus

A = WireId("agent-id")
NOW = 1795296937.5
SEVEN = {
    "packet_type",
    "subject_id",
    "data",
    "client_timestamp",
    "router_incoming_timestamp",
    "router_outgoing_timestamp",
    "server_timestamp",
}
DETAILS = AgentDetails(
    "q", Outcome.OK, "75", A, {"task_data": {}}, status=AgentStatus.ACCEPTED, time_left_s=60.0
)
BEAT = SocketPacket(SocketType.HEARTBEAT, A, {}, 1.5)


@pytest.mark.parametrize(
    "packet",
    [
        agent_details_packet(DETAILS, NOW, crowdd_client=False),
        update_status_packet(UpdateStatus(A, 1, AgentStatus.WAITING), NOW),
        heartbeat_packet(BEAT, A, AgentStatus.WAITING, 1_795_296_687_797, NOW),
        live_update_packet(ClientBoundLiveUpdate(A, 1, 2, {}), NOW),
        stored_packet(A, "p1", 3, NOW),
        roll_call_packet(RollCall(A, 20.0), NOW),
    ],
    ids=lambda packet: packet["packet_type"],
)
def test_every_packet_has_the_seven_keys(packet: dict[str, Any]) -> None:
    assert set(packet) == SEVEN


def test_details_for_an_unchanged_page_are_what_it_knows() -> None:
    packet = agent_details_packet(DETAILS, NOW, crowdd_client=False)
    assert packet["packet_type"] == "agent_details"
    assert packet["data"] == {
        "request_id": "q",
        "worker_id": "75",
        "agent_id": A,
        "init_task_data": {"task_data": {}},
        "failure_reason": None,
    }


def test_details_for_our_page_say_more() -> None:
    data = agent_details_packet(DETAILS, NOW, crowdd_client=True)["data"]
    more = {
        key: data[key] for key in ("reason", "retry_after_s", "status", "time_left_s", "finished", "seen")
    }
    assert more == {
        "reason": None,
        "retry_after_s": None,
        "status": "accepted",
        "time_left_s": 60.0,
        "finished": False,
        "seen": 0,
    }


@pytest.mark.parametrize("reason", Reason)
def test_a_refusal_has_the_words_of_its_reason(reason: Reason) -> None:
    data = agent_details_packet(AgentDetails("q", Outcome.REFUSED, reason=reason), NOW, False)["data"]
    assert (data["agent_id"], data["failure_reason"]) == (None, SENTENCES[reason])


def test_a_task_may_word_its_refusals() -> None:
    details = AgentDetails("q", Outcome.REFUSED, failure_reason="Not today.", reason=Reason.NO_MATCH)
    assert agent_details_packet(details, NOW, False)["data"]["failure_reason"] == "Not today."


def test_try_later_says_when() -> None:
    details = AgentDetails("q", Outcome.TRY_LATER, retry_after_s=7.0)
    assert "try again in 7 seconds" in agent_details_packet(details, NOW, False)["data"]["failure_reason"]


def test_a_heartbeat_is_answered_with_its_own_timestamp() -> None:
    packet = heartbeat_packet(BEAT, A, AgentStatus.IN_TASK, 1_795_296_687_797, NOW)
    assert packet["client_timestamp"] == 1.5
    assert packet["data"] == {"last_mephisto_ping": 1_795_296_687_797, "status": "in task"}


def test_a_status_says_why_only_where_there_is_a_why() -> None:
    plain = update_status_packet(UpdateStatus(A, 1, AgentStatus.IN_TASK), NOW)
    told = update_status_packet(UpdateStatus(A, 2, AgentStatus.TIMEOUT, Reason.TIME_OVER, "Over."), NOW)
    assert plain["data"] == {"status": "in task"}
    assert told["data"] == {"status": "timeout", "reason": "time_over", "text": "Over."}


def test_a_live_update_keeps_its_id() -> None:
    packet = live_update_packet(ClientBoundLiveUpdate(A, 1, 2, {"update_id": "u", "text": "hi"}), NOW)
    assert packet["data"] == {"update_id": "u", "text": "hi"}


def test_a_live_update_has_its_number_beside_the_seven_keys() -> None:
    packet = live_update_packet(ClientBoundLiveUpdate(A, 1, 2, {"update_id": "5.3"}, number=3), NOW)
    assert set(packet) == SEVEN | {"number"}
    assert (packet["number"], packet["data"]) == (3, {"update_id": "5.3"})


def test_a_page_of_ours_is_told_what_is_stored_and_who_is_called() -> None:
    stored = stored_packet(A, "p1", 3, NOW)
    assert (stored["packet_type"], stored["data"]) == ("ack", {"page": "p1", "number": 3})
    call = roll_call_packet(RollCall(A, 20.0), NOW)
    assert (call["packet_type"], call["data"]) == ("roll_call", {"within_s": 20.0})


def test_a_live_update_without_an_id_gets_one_of_its_place() -> None:
    first, again, other = (
        live_update_packet(ClientBoundLiveUpdate(A, 1, q, {}), NOW)["data"]["update_id"] for q in (2, 2, 3)
    )
    assert first == again != other
