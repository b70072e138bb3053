"""Live updates between pages and the daemon: what is told, told again, confirmed and passed on."""

from typing import Any

import pytest

from crowdd.protocol.limits import SOCKET_QUEUE_PACKETS_MAX, STREAM_UNACKED_MAX
from crowdd.protocol.names import AgentStatus, Outcome, WireId
from crowdd.protocol.packets import (
    AgentDetails,
    Alive,
    MephistoBoundLiveUpdate,
    RollCall,
    StreamUpdate,
    UpdateStatus,
)
from crowdd.protocol.streams import Confirmed
from crowdd.router.commands import Command, SocketId, TellSocket
from crowdd.router.limits import ENDED_UPDATES_KEPT_S, PAGES_PER_AGENT_MAX

from .kit import CROWDD, Pair, agent_id, closed, packet, register, told

A = agent_id()


def ours(pair: Pair, seen: int = 0, agent: WireId = A, **more: Any) -> tuple[SocketId, list[Command]]:
    """A page of crowdd.js connects, and has everything up to `seen`."""
    socket = pair.run.socket_opened("10.0.0.1", pair.now)
    assert socket is not None
    data = {"update_id": "a", "crowdd": 1, "seen": seen, **more}
    return socket, say(pair, socket, packet("alive", agent, data))


def say(pair: Pair, socket: SocketId, text: bytes) -> list[Command]:
    return pair.run.socket_heard(socket, text, pair.now) + pair.pump()


def ack(pair: Pair, socket: SocketId, seen: int) -> list[Command]:
    return say(pair, socket, packet("ack", A, {"seen": seen}))


def tell(pair: Pair, *numbers: int, agent: WireId = A) -> list[Command]:
    """The daemon sends updates of these numbers."""
    for number in numbers:
        pair.daemon.stream_send(agent, {"update_id": f"1.{number}"}, number, number=number)
    return pair.pump()


def numbers(commands: list[Command]) -> list[int]:
    """Of the updates that pages are told."""
    return [int(data["update_id"][2:]) for kind, data in told(commands) if kind == "client_bound_live_update"]


def confirmed(pair: Pair) -> list[Any]:
    """What the daemon heard to be confirmed since it was asked last."""
    tags = [heard.tag for heard in pair.heard if isinstance(heard, Confirmed)]
    pair.heard.clear()
    return tags


def alives(pair: Pair) -> list[Alive]:
    found = [heard for heard in pair.heard if isinstance(heard, Alive)]
    pair.heard.clear()
    return found


def sent(pair: Pair, socket: SocketId, page: str, number: int, agent: WireId = A) -> list[Command]:
    """A page of crowdd.js sends one of its updates."""
    text = packet("mephisto_bound_live_update", agent, {"n": number}, page=page, number=number)
    return say(pair, socket, text)


def passed_on(pair: Pair) -> list[MephistoBoundLiveUpdate]:
    return [heard for heard in pair.heard if isinstance(heard, MephistoBoundLiveUpdate)]


# to pages


def test_a_page_of_ours_confirms_by_itself_and_its_heartbeats_do_not() -> None:
    pair = Pair()
    socket, _ = ours(pair)
    assert numbers(tell(pair, 1, 2, 3)) == [1, 2, 3]
    pair.now += 60
    say(pair, socket, packet("heartbeat", A))
    assert confirmed(pair) == []
    ack(pair, socket, 2)
    assert confirmed(pair) == [2]


def test_an_update_has_its_number_beside_the_data() -> None:
    pair = Pair()
    ours(pair)
    (command,) = [command for command in tell(pair, 7) if isinstance(command, TellSocket)]
    assert command.packet["number"] == 7


def test_a_page_that_comes_back_is_told_what_it_lacks() -> None:
    pair = Pair()
    ours(pair)
    tell(pair, 1, 2, 3, 4)
    _, commands = ours(pair, seen=2)
    assert numbers(commands) == [3, 4]
    assert confirmed(pair) == [2]


def test_a_second_tab_that_has_less_says_so_to_the_daemon_which_sends_again() -> None:
    pair = Pair()
    first, _ = ours(pair)
    tell(pair, 1, 2, 3)
    ack(pair, first, 3)
    pair.heard.clear()
    _, commands = ours(pair, seen=1)
    assert numbers(commands) == []
    assert alives(pair) == [Alive(A, 1)]
    assert numbers(tell(pair, 2, 3)) == [2, 2, 3, 3]
    assert confirmed(pair) == [3]  # known to be seen: it need not be kept here again


def test_what_is_sent_again_out_of_order_is_confirmed_in_its_own_order() -> None:
    pair = Pair()
    first, _ = ours(pair)
    tell(pair, 1, 2, 3)
    ack(pair, first, 2)
    assert confirmed(pair) == [2]
    tell(pair, 1, 2)
    assert confirmed(pair) == []  # 3 came before them and is not confirmed
    ack(pair, first, 3)
    assert confirmed(pair) == [3]


def test_a_registration_answer_that_holds_the_past_confirms_it() -> None:
    pair = Pair()
    tell(pair, 1, 2, 3)
    pair.ask(register(), CROWDD)
    pair.heard.clear()
    pair.say(AgentDetails("r1", Outcome.OK, "5", A, {}, status=AgentStatus.IN_TASK, seen=2))
    assert confirmed(pair) == [2]
    socket = pair.run.socket_opened("10.0.0.1", 0.0)
    assert socket is not None
    assert numbers(say(pair, socket, packet("alive", A))) == [3]
    assert alives(pair) == [Alive(A, 2)]


def test_an_answer_to_nobody_confirms_nothing() -> None:
    pair = Pair()
    tell(pair, 1)
    pair.say(AgentDetails("r1", Outcome.OK, "5", A, {}, status=AgentStatus.IN_TASK, seen=1))
    assert confirmed(pair) == []


def test_what_an_unchanged_page_has_is_what_its_heartbeats_have_shown() -> None:
    pair = Pair()
    socket = pair.seat(A)
    tell(pair, 1, 2)
    pair.now += 6
    say(pair, socket, packet("heartbeat", A))
    assert confirmed(pair) == [2]
    tell(pair, 3)
    pair.seat(A)
    assert alives(pair) == [Alive(A, 2)]


def test_what_an_unchanged_page_had_of_another_router_is_not_known_to_this_one() -> None:
    pair = Pair()
    pair.seat(A)
    assert alives(pair) == [Alive(A, None)]


def test_a_new_router_learns_from_the_first_update_what_an_unchanged_page_had_before() -> None:
    pair = Pair()
    pair.seat(A)
    tell(pair, 5, 6)
    pair.cut()
    pair.heard.clear()
    pair.link(epoch=2)
    assert alives(pair) == [Alive(A, 4)]


def test_the_heartbeat_of_one_tab_does_not_speak_for_another() -> None:
    pair = Pair()
    quiet = pair.seat(A)
    tell(pair, 1)
    pair.run.socket_closed(quiet, 0.0)
    other = pair.run.socket_opened("10.0.0.1", pair.now)
    assert other is not None
    pair.now += 6
    assert numbers(say(pair, other, packet("alive", A))) == [1]
    say(pair, other, packet("heartbeat", A))
    assert confirmed(pair) == []


def test_every_alive_of_a_page_reaches_the_daemon_with_its_answer_to_a_roll_call() -> None:
    pair = Pair()
    socket, _ = ours(pair, seen=3)
    assert alives(pair) == [Alive(A, 3)]
    say(pair, socket, packet("alive", A, {"crowdd": 1, "seen": 4, "here": True}))
    assert alives(pair) == [Alive(A, 4, here=True)]


def test_a_roll_is_called_at_pages_of_ours_only() -> None:
    pair = Pair()
    ours(pair)
    ours(pair)
    pair.seat(A)
    pair.seat(agent_id(2))
    assert told(pair.say(RollCall(A, 20.0))) == [("roll_call", {"within_s": 20.0})] * 2


def test_where_only_unchanged_pages_are_open_one_that_is_open_answers_a_roll_call() -> None:
    pair = Pair()
    pair.seat(A)
    pair.heard.clear()
    assert told(pair.say(RollCall(A, 20.0))) == []
    assert alives(pair) == [Alive(A, None, here=True)]


def test_where_no_page_is_open_nobody_answers_a_roll_call() -> None:
    pair = Pair()
    pair.say(RollCall(A, 20.0))
    assert alives(pair) == []


@pytest.mark.parametrize("epoch", [1, 2])
def test_on_every_link_the_daemon_is_told_which_pages_are_there_and_what_they_have(epoch: int) -> None:
    pair = Pair()
    first, _ = ours(pair)
    ours(pair)
    pair.seat(agent_id(2))
    tell(pair, 1, 2)
    ack(pair, first, 2)
    pair.cut()
    pair.heard.clear()
    pair.link(epoch=epoch)
    assert alives(pair) == [Alive(A, 0), Alive(agent_id(2), None)]


def test_what_a_daemon_that_started_anew_sends_takes_the_place_of_what_was_kept() -> None:
    pair = Pair()
    socket, _ = ours(pair)
    tell(pair, 1, 2, 3)
    ack(pair, socket, 1)
    pair.cut()
    pair.link(epoch=2)
    pair.heard.clear()
    assert numbers(tell(pair, 2, 3, 4)) == [2, 3, 4]
    ack(pair, socket, 4)
    assert confirmed(pair) == [4]
    assert numbers(ours(pair, seen=0)[1]) == []


def test_a_page_that_is_owed_as_much_as_can_be_is_not_too_slow_for_that() -> None:
    assert STREAM_UNACKED_MAX * 2 < SOCKET_QUEUE_PACKETS_MAX


def test_updates_of_an_agent_that_has_ended_wait_a_while_for_its_page() -> None:
    pair = Pair()
    tell(pair, 1)
    pair.say(UpdateStatus(A, 2, AgentStatus.COMPLETED))
    pair.at(ENDED_UPDATES_KEPT_S - 1)
    assert numbers(ours(pair)[1]) == [1]
    pair.link()
    pair.at(ENDED_UPDATES_KEPT_S)
    assert numbers(ours(pair)[1]) == []


# to the daemon


def test_an_update_of_ours_carries_its_page_and_number() -> None:
    pair = Pair()
    socket, _ = ours(pair)
    sent(pair, socket, "p", 1)
    (update,) = passed_on(pair)
    assert (update.page, update.page_number, update.update) == ("p", 1, {"n": 1})


def stored(pair: Pair, update: StreamUpdate) -> list[tuple[str, Any]]:
    pair.daemon.stream_stored(update)
    return told(pair.pump())


def test_every_page_of_ours_is_told_what_the_daemon_has_stored() -> None:
    pair = Pair()
    socket, _ = ours(pair)
    ours(pair)
    pair.seat(A)
    for number in (1, 2, 3):
        sent(pair, socket, "p", number)
    assert stored(pair, passed_on(pair)[1]) == [("ack", {"page": "p", "number": 2})] * 2
    assert stored(pair, passed_on(pair)[2]) == [("ack", {"page": "p", "number": 3})] * 2


def test_of_updates_without_a_number_no_page_is_told_anything() -> None:
    pair = Pair()
    ours(pair)
    socket = pair.seat(A)
    say(pair, socket, packet("mephisto_bound_live_update", A, {"n": 1}))
    assert stored(pair, passed_on(pair)[0]) == []


def test_what_is_sent_again_is_passed_on_once() -> None:
    pair = Pair()
    first, _ = ours(pair)
    second, _ = ours(pair)
    for number in (1, 2):
        sent(pair, first, "p", number)
    for number in (1, 2, 3):
        sent(pair, second, "p", number)
    sent(pair, first, "p", 4)
    assert [update.page_number for update in passed_on(pair)] == [1, 2, 3, 4]


def test_a_page_that_sends_what_is_stored_again_is_told_so_at_once() -> None:
    pair = Pair()
    socket, _ = ours(pair)
    for number in (1, 2, 3):
        sent(pair, socket, "p", number)
    stored(pair, passed_on(pair)[1])
    again, _ = ours(pair)
    assert told(sent(pair, again, "p", 1)) == [("ack", {"page": "p", "number": 2})]
    assert told(sent(pair, again, "p", 3)) == []


def test_a_page_may_send_again_for_as_long_as_the_daemon_is_away() -> None:
    pair = Pair()
    pair.cut()
    for _ in range(20):
        socket, _ = ours(pair)
        for number in range(1, 21):
            assert closed(sent(pair, socket, "p", number)) == []
        pair.run.socket_closed(socket, pair.now)
    pair.link()
    assert [update.page_number for update in passed_on(pair)] == list(range(1, 21))


def test_a_router_that_forgot_takes_up_a_page_where_it_goes_on() -> None:
    pair = Pair()
    socket, _ = ours(pair)
    for number in (41, 42, 44, 43):
        sent(pair, socket, "p", number)
    assert [update.page_number for update in passed_on(pair)] == [41, 42, 43]


def test_nothing_is_passed_on_after_a_gap_until_it_is_filled() -> None:
    pair = Pair()
    socket, _ = ours(pair)
    for number in (5, 7, 8, 6, 7):
        sent(pair, socket, "p", number)
    assert [update.page_number for update in passed_on(pair)] == [5, 6, 7]
    assert pair.run.counters["page_gaps"] == 2


def test_an_update_that_cannot_be_read_leaves_a_gap() -> None:
    pair = Pair()
    socket, _ = ours(pair)
    sent(pair, socket, "p", 1)
    text = packet("mephisto_bound_live_update", A, {"n": 0}, page="p", number=2)
    ((kind, data),) = told(say(pair, socket, text.replace(b'"n": 0', b'"n": 1e999')))
    assert (kind, data["reason"]) == ("error", "bad_request")
    sent(pair, socket, "p", 3)
    assert [update.page_number for update in passed_on(pair)] == [1]


def test_earlier_loads_of_a_page_have_their_own_numbers() -> None:
    pair = Pair()
    socket, _ = ours(pair)
    for page, number in (("old", 9), ("new", 1), ("old", 10), ("new", 2)):
        sent(pair, socket, page, number)
    assert len(passed_on(pair)) == 4


def test_of_one_agent_only_so_many_loads_of_pages_are_followed() -> None:
    pair = Pair()
    socket, _ = ours(pair)
    for load in range(PAGES_PER_AGENT_MAX + 1):
        sent(pair, socket, f"p{load}", 1)
    sent(pair, socket, "p0", 5)
    sent(pair, socket, f"p{PAGES_PER_AGENT_MAX}", 5)
    assert passed_on(pair)[-1].page == "p0"


def test_an_agent_of_whom_too_much_waits_loses_its_socket_and_nobody_else() -> None:
    pair = Pair()
    mine, _ = ours(pair)
    other, _ = ours(pair, agent=agent_id(2))
    pair.cut()
    for number in range(1, STREAM_UNACKED_MAX + 1):
        assert closed(sent(pair, mine, "p", number)) == []
    assert closed(sent(pair, mine, "p", STREAM_UNACKED_MAX + 1)) == [1013]
    assert closed(sent(pair, other, "q", 1, agent=agent_id(2))) == []
