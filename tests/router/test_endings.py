"""Who comes back to work that has ended is told how, while the daemon is away as far as it is certain."""

from typing import Any

import pytest

from crowdd.protocol.limits import REQUEST_HOLD_S
from crowdd.protocol.names import AgentStatus, Outcome, Reason
from crowdd.protocol.packets import (
    AgentDetails,
    RegisterAgent,
    ReturnUnit,
    SubmitMetadata,
    SubmitOnboarding,
    UpdateStatus,
)
from crowdd.router import agents as agents_module
from crowdd.router import registrations as registrations_module
from crowdd.router.agents import Agents
from crowdd.router.commands import HttpAnswer
from crowdd.router.limits import ENDED_UPDATES_KEPT_S
from crowdd.router.registrations import Registrations
from crowdd.router.tickets import Caller

from .kit import CROWDD, PLAIN, Pair, accepted, agent_id, answer_in, submit, told

A = agent_id()
OVER = UpdateStatus(A, 2, AgentStatus.TIMEOUT, Reason.TIME_OVER, "Die Zeit ist um.")
INTERRUPTED = UpdateStatus(A, 2, AgentStatus.DISCONNECT, Reason.SHUTDOWN, "We pause.")
LEFT = UpdateStatus(A, 2, AgentStatus.DISCONNECT, Reason.TASK_MISSING)


def away(last: UpdateStatus | None) -> Pair:
    """The daemon said this of the agent, and went."""
    pair = Pair()
    pair.link({A: "in task"})
    if last is not None:
        pair.say(last)
    pair.cut()
    return pair


def register(after: str | None = "", name: str = "ann") -> RegisterAgent:
    provider_data = {"worker_name": name, "agent_registration_id": f"a-{name}"}
    return RegisterAgent("r1", provider_data if after is None else provider_data | {"after": after})


def registered(last: UpdateStatus | None, packet: RegisterAgent, agent: str = A) -> Pair:
    """The same, of an agent who came by this registration."""
    pair = Pair()
    pair.ask(packet)
    pair.say(accepted("r1", agent))  # type: ignore[arg-type]
    if last is not None:
        pair.say(last)
    pair.cut()
    return pair


def asked(pair: Pair, packet: Any, caller: Caller = CROWDD) -> HttpAnswer | None:
    return answer_in(pair.run.ask(packet, caller, pair.now))


@pytest.mark.parametrize("packet", [submit(A), ReturnUnit(A, "q")])
def test_what_is_certain_is_said_at_once_with_state_reason_and_text(packet: Any) -> None:
    answer = asked(away(OVER), packet)
    assert answer is not None
    assert answer.status == 409
    assert answer.body == {"reason": "time_over", "text": "Die Zeit ist um.", "status": "timeout"}


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (AgentStatus.TIMEOUT, "time_over"),
        (AgentStatus.RETURNED, "returned"),
        (AgentStatus.EXPIRED, "expired"),
        (AgentStatus.PARTNER_DISCONNECT, "partner_left"),
    ],
)
def test_an_end_without_a_reason_has_the_one_of_its_status(status: AgentStatus, reason: str) -> None:
    answer = asked(away(UpdateStatus(A, 2, status)), submit(A))
    assert answer is not None
    assert (answer.status, answer.body["reason"]) == (409, reason)
    assert answer.body["text"]


@pytest.mark.parametrize("last", [None, INTERRUPTED, UpdateStatus(A, 2, AgentStatus.DISCONNECT)])
def test_work_that_goes_on_or_was_only_interrupted_waits_for_the_daemon(last: UpdateStatus | None) -> None:
    pair = away(last)
    assert asked(pair, submit(A)) is None
    pair.link()
    assert pair.heard[-1] == submit(A)


def test_an_answer_that_may_be_the_saved_one_waits_for_the_daemon() -> None:
    assert asked(away(UpdateStatus(A, 2, AgentStatus.COMPLETED)), submit(A)) is None


@pytest.mark.parametrize("packet", [SubmitMetadata(A, "q", {"tips": []}), SubmitOnboarding(A, "q")])
def test_what_the_daemon_takes_from_those_who_have_ended_waits_for_it(packet: Any) -> None:
    assert asked(away(OVER), packet) is None


def test_a_unit_given_back_twice_is_given_back() -> None:
    answer = asked(away(UpdateStatus(A, 2, AgentStatus.RETURNED)), ReturnUnit(A, "q"))
    assert answer == HttpAnswer(200, {"status": "Returned"})


def test_while_the_daemon_is_there_it_is_asked() -> None:
    pair = away(OVER)
    pair.link()
    assert asked(pair, submit(A)) is None


def test_a_forged_id_is_unknown_whatever_is_remembered() -> None:
    answer = asked(away(OVER), submit(agent_id(1, b"x" * 32)))
    assert answer is not None
    assert answer.status == 404


def test_a_socket_that_comes_back_is_told_at_once() -> None:
    pair = away(OVER)
    socket = pair.run.socket_opened("10.0.0.1", 5.0)
    assert socket is not None
    text = b'{"packet_type": "heartbeat", "subject_id": "%s"}' % A.encode()
    assert told(pair.run.socket_heard(socket, text, 5.0))[0] == (
        "update_status",
        {"status": "timeout", "reason": "time_over", "text": "Die Zeit ist um."},
    )


# registrations


@pytest.mark.parametrize("status", [AgentStatus.COMPLETED, AgentStatus.TIMEOUT, AgentStatus.APPROVED])
def test_a_page_of_ours_gets_the_final_page_of_its_link(status: AgentStatus) -> None:
    pair = registered(UpdateStatus(A, 2, status, text="Thanks!"), register())
    answer = asked(pair, register())
    assert answer is not None
    data = answer.body["data"]
    assert (answer.status, data["finished"], data["agent_id"]) == (200, True, A)
    assert (data["status"], data["failure_reason"]) == (status.value, "Thanks!")


def test_an_unchanged_page_hears_the_one_sentence_that_is_for_all_ends() -> None:
    answer = asked(registered(OVER, register(None)), register(None), PLAIN)
    assert answer is not None
    assert (answer.status, answer.body["data"]["agent_id"]) == (200, None)
    assert answer.body["data"]["failure_reason"].startswith("You have already completed this task")


@pytest.mark.parametrize(
    ("last", "packet"),
    [
        (None, register()),
        (INTERRUPTED, register()),
        (OVER, register(after=A)),
        (OVER, register(name="bob")),
    ],
)
def test_whoever_may_get_work_waits_and_is_told_to_come_later(
    last: UpdateStatus | None, packet: RegisterAgent
) -> None:
    pair = registered(last, register())
    assert asked(pair, packet) is None
    answer = answer_in(pair.at(REQUEST_HOLD_S))
    assert answer is not None
    assert (answer.status, answer.body["data"]["reason"]) == (503, "try_later")


def test_what_follows_an_onboarding_is_the_daemons_to_say() -> None:
    onboarding = agent_id(onboarding=True)
    last = UpdateStatus(onboarding, 2, AgentStatus.REJECTED)
    assert asked(registered(last, register(), onboarding), register()) is None


def test_a_refusal_names_no_agent_and_is_not_remembered() -> None:
    pair = Pair()
    pair.ask(register())
    pair.say(AgentDetails("r1", Outcome.REFUSED, reason=Reason.NO_MATCH))
    pair.cut()
    assert asked(pair, register()) is None


# how much is remembered


def test_of_those_who_have_ended_the_oldest_are_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agents_module, "STATES_MAX", 2)
    agents = Agents()
    agents.learn(agent_id(9), AgentStatus.IN_TASK, 0.0)
    for number in (1, 2, 3):
        agents.update(UpdateStatus(agent_id(number), 1, AgentStatus.TIMEOUT), 0.0)
    known = [number for number in (1, 2, 3, 9) if agents.get(agent_id(number)) is not None]
    assert known == [2, 3, 9]


def test_who_is_forgotten_is_done_with_before_their_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agents_module, "STATES_MAX", 2)
    agents = Agents()
    for number in (1, 2, 3):
        agents.learn(agent_id(number), AgentStatus.COMPLETED, 0.0)
    assert agents.take_finished(1.0) == [agent_id(1)]
    assert agents.take_finished(ENDED_UPDATES_KEPT_S) == [agent_id(2), agent_id(3)]
    assert agents.take_finished(ENDED_UPDATES_KEPT_S) == []


def test_who_works_again_is_not_done_with() -> None:
    agents = Agents()
    agents.update(UpdateStatus(A, 1, AgentStatus.DISCONNECT), 0.0)
    agents.update(UpdateStatus(A, 2, AgentStatus.IN_TASK), 1.0)
    assert agents.take_finished(2 * ENDED_UPDATES_KEPT_S) == []


def test_they_are_kept_for_as_long_as_the_run_is_served() -> None:
    pair = away(OVER)
    pair.now = 10_000_000.0
    pair.run.tick(pair.now)
    assert asked(pair, submit(A)) is not None


def test_only_so_many_registrations_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registrations_module, "REGISTRATIONS_KEPT_MAX", 2)
    registrations = Registrations()
    for name in ("ann", "bob", "cy"):
        registrations.answered({"worker_name": name}, A)
    assert registrations.agent_of({"worker_name": "ann"}) is None
    assert registrations.agent_of({"worker_name": "cy"}) == A
    assert len(registrations) == 2
