"""What the core of a run does with requests, the link and time."""

import pytest

from crowdd.protocol.errors import RemoteProtocolError
from crowdd.protocol.limits import (
    LINK_SILENT_S,
    REGISTRATIONS_PER_ADDRESS_PER_MINUTE_MAX,
    REQUEST_HOLD_S,
    SUBMIT_HOLD_S,
)
from crowdd.protocol.names import AgentStatus, Outcome, Reason, WireId
from crowdd.protocol.packets import (
    AgentDetails,
    Answer,
    FileNote,
    LogError,
    RegisterAgent,
    RequestStatuses,
    ReturnStatuses,
    ReturnUnit,
    SubmitOnboarding,
    SubmitUnit,
)
from crowdd.router.commands import CloseLink, DropFiles, WakeLink
from crowdd.router.limits import LOG_ERRORS_PER_ADDRESS_PER_MINUTE_MAX, TICKETS_PER_AGENT_MAX

from .kit import CROWDD, KEY, PLAIN, Pair, accepted, agent_id, answer_in, done, register, submit


def test_a_registration_is_answered_with_what_the_daemon_decided() -> None:
    pair = Pair()
    assert pair.ask(register()) is None
    assert pair.heard == [register()]
    answer = answer_in(pair.say(accepted("r1", agent_id())))
    assert answer is not None
    assert answer.status == 200
    assert answer.body["packet_type"] == "agent_details"
    assert answer.body["data"] == {
        "request_id": "r1",
        "worker_id": "5",
        "agent_id": agent_id(),
        "init_task_data": {"digit": 3},
        "failure_reason": None,
    }


def test_the_answer_has_the_seven_keys_that_unchanged_pages_know() -> None:
    pair = Pair()
    pair.ask(register())
    answer = answer_in(pair.say(accepted("r1", agent_id())))
    assert answer is not None
    assert set(answer.body) == {
        "packet_type",
        "subject_id",
        "data",
        "client_timestamp",
        "router_incoming_timestamp",
        "router_outgoing_timestamp",
        "server_timestamp",
    }


def test_a_page_that_knows_refusals_is_told_status_and_time_left() -> None:
    pair = Pair()
    pair.ask(register(), CROWDD)
    answer = answer_in(pair.say(accepted("r1", agent_id())))
    assert answer is not None
    assert answer.body["data"]["status"] == "in task"
    assert answer.body["data"]["time_left_s"] == 600.0
    assert answer.body["data"]["finished"] is False


def refused(reason: Reason, outcome: Outcome = Outcome.REFUSED, retry: float | None = None) -> AgentDetails:
    return AgentDetails("r1", outcome, reason=reason, retry_after_s=retry)


@pytest.mark.parametrize("reason", [Reason.NOT_QUALIFIED, Reason.IDENTITY_UNVERIFIED, Reason.RUN_ENDED])
def test_unchanged_pages_hear_every_refusal_as_200_in_words(reason: Reason) -> None:
    pair = Pair()
    pair.ask(register())
    answer = answer_in(pair.say(refused(reason)))
    assert answer is not None
    assert answer.status == 200
    assert answer.body["data"]["agent_id"] is None
    assert answer.body["data"]["failure_reason"]


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        (Reason.NOT_QUALIFIED, 403),
        (Reason.IDENTITY_UNVERIFIED, 403),
        (Reason.NO_AVAILABLE_UNITS, 409),
        (Reason.RUN_ENDED, 409),
        (Reason.TOO_MANY_REQUESTS, 429),
    ],
)
def test_pages_that_know_refusals_get_statuses_that_mean_something(reason: Reason, status: int) -> None:
    pair = Pair()
    pair.ask(register(), CROWDD)
    answer = answer_in(pair.say(refused(reason)))
    assert answer is not None
    assert (answer.status, answer.body["data"]["reason"]) == (status, reason.value)


def test_try_later_names_the_seconds_in_a_header_and_in_words() -> None:
    pair = Pair()
    pair.ask(register(), CROWDD)
    answer = answer_in(pair.say(refused(Reason.TRY_LATER, Outcome.TRY_LATER, 3.2)))
    assert answer is not None
    assert (answer.status, answer.retry_after_s) == (503, 4)


def test_try_later_is_never_taken_for_a_refusal_whatever_its_reason() -> None:
    pair = Pair()
    pair.ask(register(), CROWDD)
    answer = answer_in(pair.say(refused(Reason.NO_AVAILABLE_UNITS, Outcome.TRY_LATER, 3.0)))
    assert answer is not None
    assert answer.status == 503


def test_a_registration_waits_for_a_daemon_that_is_away() -> None:
    pair = Pair(linked=False)
    assert pair.ask(register()) is None
    assert pair.at(REQUEST_HOLD_S - 1) == []
    pair.link()
    assert pair.heard == [register()]
    assert answer_in(pair.say(accepted("r1", agent_id()))) is not None


def test_a_registration_is_given_up_in_words_after_its_time() -> None:
    pair = Pair(linked=False)
    pair.ask(register())
    assert answer_in(pair.at(REQUEST_HOLD_S - 0.1)) is None
    answer = answer_in(pair.at(REQUEST_HOLD_S))
    assert answer is not None
    assert answer.status == 200
    assert answer.body["data"]["agent_id"] is None
    assert "try again" in answer.body["data"]["failure_reason"]


def test_what_was_given_up_is_not_asked_when_the_daemon_returns() -> None:
    pair = Pair(linked=False)
    pair.ask(register())
    pair.at(REQUEST_HOLD_S)
    pair.link()
    assert pair.heard == []


def test_an_answer_that_comes_too_late_disturbs_nobody() -> None:
    pair = Pair()
    pair.ask(register())
    pair.at(10)
    pair.daemon.send(accepted("r1", agent_id()))
    pair.now = REQUEST_HOLD_S
    assert answer_in(pair.run.tick(pair.now)) is not None
    assert answer_in(pair.pump()) is None


def test_a_submission_is_said_to_be_saved_only_when_the_daemon_says_so() -> None:
    pair = Pair()
    assert pair.ask(submit(agent_id())) is None
    assert pair.heard == [submit(agent_id())]
    answer = answer_in(pair.say(done("s1")))
    assert answer is not None
    assert (answer.status, answer.body) == (200, {"status": "Submitted!"})


def test_an_unanswered_submission_is_repeated_on_the_next_link() -> None:
    pair = Pair()
    pair.ask(submit(agent_id()))
    pair.cut()
    pair.link()
    assert pair.heard == [submit(agent_id()), submit(agent_id())]


def test_a_submission_is_held_for_a_minute_then_told_to_come_again() -> None:
    pair = Pair()
    pair.cut()
    pair.ask(submit(agent_id()))
    assert answer_in(pair.at(SUBMIT_HOLD_S - 0.1)) is None
    answer = answer_in(pair.at(SUBMIT_HOLD_S))
    assert answer is not None
    assert (answer.status, answer.body["reason"], answer.retry_after_s) == (503, "try_later", 5)


def test_another_answer_for_the_same_unit_is_a_conflict_with_its_status() -> None:
    pair = Pair()
    pair.ask(submit(agent_id()))
    reply = Answer("s1", Outcome.REFUSED, Reason.ALREADY_SUBMITTED, status=AgentStatus.COMPLETED)
    answer = answer_in(pair.say(reply))
    assert answer is not None
    assert answer.status == 409
    assert (answer.body["reason"], answer.body["status"]) == ("already_submitted", "completed")


def test_for_an_unchanged_page_the_router_asks_again_when_the_daemon_says_later() -> None:
    pair = Pair()
    pair.ask(submit(agent_id()))
    assert answer_in(pair.say(Answer("s1", Outcome.TRY_LATER, retry_after_s=2.0))) is None
    pair.at(1.9)
    assert len(pair.heard) == 1
    pair.at(2.0)
    assert len(pair.heard) == 2
    assert answer_in(pair.say(done("s1"))) is not None


def test_a_page_that_knows_refusals_is_told_later_at_once() -> None:
    pair = Pair()
    pair.ask(submit(agent_id()), CROWDD)
    answer = answer_in(pair.say(Answer("s1", Outcome.TRY_LATER, retry_after_s=2.0)))
    assert answer is not None
    assert (answer.status, answer.retry_after_s) == (503, 2)


FOREIGN = [agent_id(1, b"x" * 32), "1", "onboarding_1", agent_id()[:-1], agent_id() + "A", "mephisto"]


@pytest.mark.parametrize("wire_id", FOREIGN)
def test_forged_foreign_and_unknown_ids_get_the_same_404(wire_id: str) -> None:
    pair = Pair()
    answer = pair.ask(submit(WireId(wire_id)))
    assert answer is not None
    assert answer.status == 404
    assert answer.body == {"reason": "unknown_agent", "text": "We do not know this work session."}
    assert pair.heard == []


def test_an_onboarding_with_a_forged_id_is_refused_in_words_to_an_unchanged_page() -> None:
    pair = Pair()
    packet = SubmitOnboarding(WireId("onboarding_1"), "o1", {"answer": "right"})
    answer = answer_in(pair.run.ask(packet, PLAIN, 0.0))
    assert answer is not None
    assert (answer.status, answer.body["data"]["agent_id"]) == (200, None)
    answer = answer_in(pair.run.ask(packet, CROWDD, 0.0))
    assert answer is not None
    assert answer.status == 404


def test_without_a_key_nobody_is_called_unknown() -> None:
    answer = Pair(linked=False).ask(submit(agent_id()))
    assert answer is not None
    assert answer.status == 503


def test_a_kept_key_judges_ids_before_any_daemon_came() -> None:
    pair = Pair()
    pair.cut()
    assert pair.run.knows(agent_id()) is None
    unknown = pair.run.knows(agent_id(1, b"x" * 32))
    assert unknown is not None
    assert unknown.status == 404


@pytest.mark.parametrize("count", [TICKETS_PER_AGENT_MAX - 1, TICKETS_PER_AGENT_MAX])
def test_an_agent_may_have_so_many_requests_waiting(count: int) -> None:
    pair = Pair()
    for number in range(count):
        assert pair.ask(submit(agent_id(), f"s{number}")) is None


def test_one_more_waiting_request_of_an_agent_is_too_many() -> None:
    pair = Pair()
    for number in range(TICKETS_PER_AGENT_MAX):
        pair.ask(submit(agent_id(), f"s{number}"))
    answer = pair.ask(submit(agent_id(), "more"))
    assert answer is not None
    assert answer.status == 429
    assert pair.ask(submit(agent_id(2), "of another")) is None


def test_an_address_may_register_so_often_in_a_minute_and_no_more() -> None:
    pair = Pair()
    for number in range(REGISTRATIONS_PER_ADDRESS_PER_MINUTE_MAX):
        assert pair.ask(register(f"r{number}"), CROWDD) is None
    answer = pair.ask(register("more"), CROWDD)
    assert answer is not None
    assert (answer.status, answer.body["data"]["reason"]) == (429, "too_many_requests")
    pair.now = 60.0
    assert pair.ask(register("later"), CROWDD) is None


def test_uploads_are_dropped_once_the_daemon_has_answered() -> None:
    pair = Pair()
    note = FileNote("a" * 64, 3, "attachment", "x.txt", "text/plain")
    pair.ask(SubmitUnit(agent_id(), "s1", {}, [note]))
    assert pair.run.wants_file("a" * 64)
    assert DropFiles(frozenset({"a" * 64})) in pair.say(done("s1"))


def test_an_upload_that_two_requests_name_stays_for_the_second() -> None:
    pair = Pair()
    note = FileNote("a" * 64, 3, "attachment", "x.txt", "text/plain")
    pair.ask(SubmitUnit(agent_id(1), "s1", {}, [note]))
    pair.ask(SubmitUnit(agent_id(2), "s2", {}, [note]))
    assert not [command for command in pair.say(done("s1")) if isinstance(command, DropFiles)]
    assert [command for command in pair.say(done("s2")) if isinstance(command, DropFiles)]


def test_uploads_of_a_given_up_request_stay_for_the_daemon_that_may_be_fetching_them() -> None:
    pair = Pair()
    note = FileNote("a" * 64, 3, "attachment", "x.txt", "text/plain")
    pair.ask(SubmitUnit(agent_id(), "s1", {}, [note]))
    pair.cut()
    assert not [command for command in pair.at(SUBMIT_HOLD_S) if isinstance(command, DropFiles)]


def test_a_returned_unit_is_said_to_be_returned() -> None:
    pair = Pair()
    pair.run.ask(ReturnUnit(agent_id(), "u1"), CROWDD, 0.0)
    pair.pump()
    answer = answer_in(pair.say(Answer("u1", Outcome.OK)))
    assert answer is not None
    assert answer.body == {"status": "Returned"}


def test_an_error_report_reaches_the_daemon() -> None:
    pair = Pair()
    answer, _ = pair.run.log_error(LogError(agent_id(), {"error": "broke"}), PLAIN, 0.0)
    pair.pump()
    assert answer is None
    assert pair.heard == [LogError(agent_id(), {"error": "broke"})]


def test_an_error_report_without_a_daemon_is_not_called_sent() -> None:
    answer, _ = Pair(linked=False).run.log_error(LogError(WireId(""), {}), PLAIN, 0.0)
    assert answer is not None
    assert answer.status == 503


def test_error_reports_of_one_address_have_a_limit() -> None:
    pair = Pair()
    answers = [
        pair.run.log_error(LogError(WireId(""), {}), PLAIN, 0.0)[0]
        for _ in range(LOG_ERRORS_PER_ADDRESS_PER_MINUTE_MAX + 1)
    ]
    assert [answer for answer in answers[:-1] if answer is not None] == []
    assert answers[-1] is not None
    assert answers[-1].status == 429


def test_another_version_of_the_page_is_reported_and_ours_is_not() -> None:
    pair = Pair()
    pair.run.page_uses("2.0.4", 0.0)
    pair.pump()
    assert pair.heard == []
    pair.run.page_uses("2.0.3", 0.0)
    pair.pump()
    (error,) = pair.heard
    assert isinstance(error, LogError)
    assert error.error["error_type"] == "version-mismatch"
    assert "2.0.3" in error.error["text"]


def test_the_daemons_heartbeat_is_answered_with_presence_and_counters() -> None:
    pair = Pair()
    pair.link({agent_id(): "in task"})
    pair.seat(agent_id())
    pair.ask(submit(WireId("forged")))
    pair.heard.clear()
    pair.say(RequestStatuses())
    assert pair.heard == [
        ReturnStatuses({agent_id(): "present"}, {"refused_unknown_agent": 1}, {agent_id(): "in task"})
    ]


def test_presence_is_told_once_and_absence_every_time() -> None:
    pair = Pair()
    pair.link({agent_id(): "in task"})
    pair.seat(agent_id())
    pair.say(RequestStatuses())
    pair.say(RequestStatuses())
    pair.now = 16.0
    pair.say(RequestStatuses())
    pair.say(RequestStatuses())
    reports = [packet.presence for packet in pair.heard if isinstance(packet, ReturnStatuses)]
    assert reports == [{agent_id(): "present"}, {}, {agent_id(): "away"}, {agent_id(): "away"}]


def test_a_daemon_on_a_new_connection_is_told_of_everybody_again() -> None:
    pair = Pair()
    pair.link({agent_id(): "in task"})
    pair.seat(agent_id())
    pair.say(RequestStatuses())
    pair.link({})
    pair.heard.clear()
    pair.say(RequestStatuses())
    (report,) = [packet for packet in pair.heard if isinstance(packet, ReturnStatuses)]
    assert (report.presence, report.statuses) == ({agent_id(): "present"}, {agent_id(): "in task"})


def test_a_static_page_without_a_socket_is_not_called_away_by_its_silence() -> None:
    pair = Pair()
    pair.ask(register())
    pair.say(accepted("r1", agent_id()))
    pair.now = 10_000.0
    pair.heard.clear()
    pair.say(RequestStatuses())
    (report,) = pair.heard
    assert isinstance(report, ReturnStatuses)
    assert report.presence == {agent_id(): "present"}


def test_a_beacon_changes_only_the_presence() -> None:
    pair = Pair()
    pair.link({agent_id(): "in task"})
    assert pair.run.page_left(agent_id()) is None
    pair.say(RequestStatuses())
    (report,) = pair.heard
    assert isinstance(report, ReturnStatuses)
    assert report.presence == {agent_id(): "away"}


def test_a_silent_link_is_closed() -> None:
    pair = Pair()
    assert pair.at(LINK_SILENT_S) == []
    assert [type(command) for command in pair.at(LINK_SILENT_S + 1)] == [CloseLink]


def test_what_is_no_frame_is_an_error_of_the_link() -> None:
    with pytest.raises(RemoteProtocolError):
        Pair().run.link_frame(b"\xc1", 0.0)


def test_a_daemon_that_speaks_like_a_router_is_ignored_and_counted() -> None:
    from crowdd.protocol.codec import encode_frame

    pair = Pair()
    pair.run.link_frame(encode_frame([RegisterAgent("r9", {})]), 0.0)
    assert pair.run.counters["unexpected_packets"] == 1


def test_ending_answers_everybody_and_lets_nobody_new_wait() -> None:
    pair = Pair()
    pair.ask(submit(agent_id()))
    answer = answer_in(pair.run.end(Reason.TRY_LATER))
    assert answer is not None
    assert answer.status == 503
    assert pair.ask(register(), CROWDD) is not None


def test_a_run_that_is_taken_off_says_nothing_definite_of_an_answer_it_has_passed_on() -> None:
    pair = Pair()
    pair.ask(submit(agent_id()))
    answer = answer_in(pair.run.end(Reason.RUN_ENDED))
    assert answer is not None
    assert answer.status == 503


def test_the_key_of_a_later_daemon_counts() -> None:
    pair = Pair()
    pair.link(key=b"n" * 32)
    assert pair.run.key == b"n" * 32 != KEY
    assert pair.run.knows(agent_id(1, b"n" * 32)) is None


def test_a_frame_that_leaves_nothing_to_say_wakes_nobody() -> None:
    pair = Pair()
    pair.ask(register())
    assert WakeLink() not in pair.say(accepted("r1", agent_id()))
    assert WakeLink() in pair.say(RequestStatuses())
