"""What pages say. Bodies marked "recorded" are what pages of `mephisto-task` 2.0.4 really sent."""

import contextlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdd.protocol.browser import (
    ErrorLog,
    MetadataBody,
    Onboarding,
    Register,
    Return,
    SocketType,
    Submit,
    parse_error_log,
    parse_metadata,
    parse_metadata_form,
    parse_onboarding,
    parse_register,
    parse_return,
    parse_socket_packet,
    parse_submit,
    parse_submit_form,
)
from crowdd.protocol.errors import BadRequest
from crowdd.protocol.limits import BROWSER_FRAME_BYTES_MAX
from crowdd.protocol.names import Reason, WireId

A = WireId("agent-id")
T = 1795296636.635
PARSERS: list[Callable[[bytes], Any]] = [
    parse_register,
    parse_onboarding,
    parse_submit,
    parse_metadata,
    parse_error_log,
    parse_return,
    parse_socket_packet,
]


def body(**fields: Any) -> bytes:
    return json.dumps(fields).encode()


def test_a_recorded_registration() -> None:
    provider_data = {
        "worker_name": "w",
        "agent_registration_id": "a-w",
        "assignment_id": "a",
        "provider_type": "mock",
    }
    assert parse_register(body(provider_data=provider_data, client_timestamp=T)) == Register(provider_data, T)


def test_recorded_onboarding_answers() -> None:
    sent = body(
        provider_data={"USED_AGENT_ID": A, "onboarding_data": {"answer": "right"}}, client_timestamp=T
    )
    assert parse_onboarding(sent) == Onboarding(A, {"answer": "right"}, {}, T)


def test_absent_onboarding_answers_are_an_empty_map() -> None:
    assert parse_onboarding(body(provider_data={"USED_AGENT_ID": A, "worker_name": "w"})) == Onboarding(
        A, {}, {"worker_name": "w"}, None
    )


@pytest.mark.parametrize("final_data", [{}, {"end": "A"}, None, [], "text", 0, False])
def test_a_submission_may_hold_anything(final_data: Any) -> None:
    assert parse_submit(body(USED_AGENT_ID=A, final_data=final_data, client_timestamp=T)) == Submit(
        A, final_data, T
    )


def test_a_submission_without_data_is_refused() -> None:
    with pytest.raises(BadRequest) as caught:
        parse_submit(body(USED_AGENT_ID=A, client_timestamp=T))
    assert (caught.value.path, caught.value.why, caught.value.reason) == (
        "final_data",
        "missing",
        Reason.BAD_REQUEST,
    )


def test_a_recorded_form() -> None:
    fields = {"final_string_data": '{"choice":"b"}', "USED_AGENT_ID": A, "client_timestamp": "1795296636.635"}
    assert parse_submit_form(fields) == Submit(A, {"choice": "b"}, T)


def test_the_string_data_of_a_form_win() -> None:
    fields = {"final_string_data": "1", "final_data": "2", "USED_AGENT_ID": A}
    assert parse_submit_form(fields) == Submit(A, 1, None)


@pytest.mark.parametrize(("text", "value"), [('{"a":1}', {"a": 1}), ("plain words", "plain words"), ("", "")])
def test_the_plain_data_of_a_form_may_be_json_or_text(text: str, value: Any) -> None:
    assert parse_submit_form({"final_data": text, "USED_AGENT_ID": A}) == Submit(A, value, None)


def test_a_form_that_a_page_turned_into_json_is_understood() -> None:
    assert parse_submit(body(USED_AGENT_ID=A, final_string_data='{"a":1}')) == Submit(A, {"a": 1}, None)


@pytest.mark.parametrize("data", ["{", 5, None])
def test_string_data_that_are_no_json_are_refused(data: Any) -> None:
    with pytest.raises(BadRequest) as caught:
        parse_submit(body(USED_AGENT_ID=A, final_string_data=data))
    assert caught.value.path == "final_string_data"


def test_a_form_without_data_is_refused() -> None:
    with pytest.raises(BadRequest, match="final_data: missing"):
        parse_submit_form({"USED_AGENT_ID": A})


def test_recorded_metadata() -> None:
    metadata: dict[str, Any] = {"tips": {"type": "tips", "header": "a tip"}, "feedback": {"questions": []}}
    assert parse_metadata(body(USED_AGENT_ID=A, metadata=metadata, client_timestamp=T)) == MetadataBody(
        A, metadata, T
    )


def test_a_recorded_form_of_metadata() -> None:
    fields = {"metadata": '{"default":{"text":"see picture"}}', "USED_AGENT_ID": A, "client_timestamp": "1.5"}
    assert parse_metadata_form(fields) == MetadataBody(A, {"default": {"text": "see picture"}}, 1.5)


def test_metadata_may_not_be_absent() -> None:
    with pytest.raises(BadRequest, match="metadata: missing"):
        parse_metadata(body(USED_AGENT_ID=A))


def test_a_recorded_error_report() -> None:
    error = {"error": "something broke", "where": {"line": 7}}
    assert parse_error_log(body(USED_AGENT_ID=A, error_data=error, client_timestamp=T)) == ErrorLog(
        A, error, T
    )


def test_a_page_without_an_agent_may_report_errors() -> None:
    assert parse_error_log(body(USED_AGENT_ID=None)) == ErrorLog(WireId(""), None, None)


def test_a_unit_is_given_back_by_id() -> None:
    assert parse_return(body(USED_AGENT_ID=A)) == Return(A)


@pytest.mark.parametrize("wire_id", [None, 5, True, [], {}, "", "x" * 129])
@pytest.mark.parametrize("parse", [parse_submit, parse_metadata, parse_return])
def test_an_agent_id_is_a_short_text(parse: Callable[[bytes], Any], wire_id: Any) -> None:
    with pytest.raises(BadRequest) as caught:
        parse(body(USED_AGENT_ID=wire_id, final_data={}, metadata={}))
    assert caught.value.path == "USED_AGENT_ID"


def test_an_agent_id_may_be_as_long_as_the_limit() -> None:
    assert parse_return(body(USED_AGENT_ID="x" * 128)).wire_id == "x" * 128


@pytest.mark.parametrize("data", [None, 5, [], "x"])
@pytest.mark.parametrize("parse", [parse_register, parse_onboarding])
def test_provider_data_are_an_object(parse: Callable[[bytes], Any], data: Any) -> None:
    with pytest.raises(BadRequest) as caught:
        parse(body(provider_data=data))
    assert (caught.value.path, caught.value.why) == ("provider_data", "object expected")


def test_the_agent_of_an_onboarding_is_named_where_it_is_missing() -> None:
    with pytest.raises(BadRequest) as caught:
        parse_onboarding(body(provider_data={}))
    assert caught.value.path == "provider_data.USED_AGENT_ID"


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (1, 1.0),
        (1.5, 1.5),
        ("1.5", 1.5),
        (None, None),
        ("", None),
        ("soon", None),
        ("inf", None),
        ({}, None),
        (True, None),
    ],
)
def test_a_strange_timestamp_costs_no_answer(sent: Any, read: float | None) -> None:
    assert parse_submit(body(USED_AGENT_ID=A, final_data={}, client_timestamp=sent)).client_timestamp == read


@pytest.mark.parametrize("text", [b"", b"{not json", b"[]", b"5", b"null", b'"x"', b"\xff\xfe"])
@pytest.mark.parametrize("parse", PARSERS)
def test_what_is_no_json_object_is_refused(parse: Callable[[bytes], Any], text: bytes) -> None:
    with pytest.raises(BadRequest):
        parse(text)


@given(
    st.dictionaries(
        st.sampled_from(
            ["USED_AGENT_ID", "provider_data", "final_data", "final_string_data", "packet_type", "data"]
        ),
        st.none()
        | st.integers()
        | st.text(max_size=5)
        | st.dictionaries(st.text(max_size=3), st.text(max_size=3)),
    )
)
def test_no_body_does_worse_than_being_refused(fields: dict[str, Any]) -> None:
    for parse in PARSERS:
        with contextlib.suppress(BadRequest):
            parse(body(**fields))


def test_a_recorded_alive() -> None:
    packet = parse_socket_packet(
        body(packet_type="alive", subject_id=A, data={"update_id": "u"}, client_timestamp=T)
    )
    assert (packet.type, packet.subject, packet.client_timestamp) == (SocketType.ALIVE, A, T)


def test_a_recorded_alive_without_an_agent() -> None:
    packet = parse_socket_packet(body(packet_type="alive", data={"update_id": "u"}, client_timestamp=T))
    assert packet.subject is None


def test_a_recorded_heartbeat_has_no_data() -> None:
    packet = parse_socket_packet(body(packet_type="heartbeat", subject_id=A, client_timestamp=T))
    assert (packet.type, packet.data) == (SocketType.HEARTBEAT, {})


def test_a_recorded_live_update() -> None:
    data = {"text": "naïve ☃ 漢字 🙂 <b>&", "update_id": "u"}
    packet = parse_socket_packet(body(packet_type="mephisto_bound_live_update", subject_id=A, data=data))
    assert (packet.type, packet.data) == (SocketType.MEPHISTO_BOUND_LIVE_UPDATE, data)


@pytest.mark.parametrize("data", [{}, {"data": None}, {"data": "x"}, {"data": [1]}])
def test_a_live_update_without_data_is_refused(data: dict[str, Any]) -> None:
    with pytest.raises(BadRequest) as caught:
        parse_socket_packet(body(packet_type="mephisto_bound_live_update", subject_id=A, **data))
    assert caught.value.path == "data"


@pytest.mark.parametrize(
    "packet_type",
    [
        "register_agent",
        "agent_details",
        "update_status",
        "submit_unit",
        "request_statuses",
        "hello",
        "",
        None,
        5,
        ["alive"],
    ],
)
def test_a_browser_cannot_say_what_is_the_daemons_or_the_routers(packet_type: Any) -> None:
    with pytest.raises(BadRequest) as caught:
        parse_socket_packet(body(packet_type=packet_type, subject_id=A, data={}))
    assert caught.value.path == "packet_type"


def test_a_page_of_ours_says_so_and_what_it_has_seen() -> None:
    data = {"update_id": "u", "crowdd": 1, "seen": 7, "here": True}
    packet = parse_socket_packet(body(packet_type="alive", subject_id=A, data=data))
    assert (packet.crowdd, packet.seen, packet.here) == (True, 7, True)


def test_an_unchanged_page_says_none_of_it() -> None:
    packet = parse_socket_packet(body(packet_type="alive", subject_id=A, data={"update_id": "u"}))
    assert (packet.crowdd, packet.seen, packet.here) == (False, None, False)


def test_a_page_of_ours_counts_its_updates() -> None:
    text = body(
        packet_type="mephisto_bound_live_update", subject_id=A, data={"x": 1}, page="p1", number=2**53 - 1
    )
    packet = parse_socket_packet(text)
    assert (packet.page, packet.page_number) == ("p1", 2**53 - 1)


def test_a_page_of_ours_says_which_updates_it_has() -> None:
    assert parse_socket_packet(body(packet_type="ack", subject_id=A, data={"seen": 0})).seen == 0


@pytest.mark.parametrize("number", [-1, 1.0, True, "1", 2**53, None])
def test_an_ack_names_a_whole_number(number: Any) -> None:
    with pytest.raises(BadRequest):
        parse_socket_packet(body(packet_type="ack", subject_id=A, data={"seen": number}))


@pytest.mark.parametrize(
    "place",
    [
        {"page": "p"},
        {"page": "p", "number": 0},
        {"page": "p", "number": 1.5},
        {"page": "", "number": 1},
        {"page": "p" * 65, "number": 1},
        {"page": 1, "number": 1},
    ],
)
def test_the_place_of_an_update_is_whole_or_absent(place: dict[str, Any]) -> None:
    with pytest.raises(BadRequest):
        parse_socket_packet(body(packet_type="mephisto_bound_live_update", subject_id=A, data={}, **place))


@pytest.mark.parametrize(("spare", "good"), [(0, True), (1, False)])
def test_a_socket_packet_has_a_size(spare: int, good: bool) -> None:
    empty = len(body(packet_type="alive", data={"x": ""}))
    text = body(packet_type="alive", data={"x": "y" * (BROWSER_FRAME_BYTES_MAX - empty + spare)})
    if good:
        parse_socket_packet(text)
        return
    with pytest.raises(BadRequest) as caught:
        parse_socket_packet(text)
    assert caught.value.reason is Reason.TOO_LARGE
