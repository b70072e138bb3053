"""What a browser's socket may say, and what it hears."""

import json

import pytest

from crowdd.protocol.handshake import Peer
from crowdd.protocol.limits import (
    BROWSER_FRAME_BYTES_MAX,
    SOCKET_BYTES_BURST_MAX,
    SOCKET_PACKETS_BURST_MAX,
    SOCKET_UNREGISTERED_S,
    SOCKETS_PER_ADDRESS_MAX,
)
from crowdd.protocol.names import AgentStatus, Reason, WireId
from crowdd.protocol.packets import (
    Alive,
    ClientBoundLiveUpdate,
    MephistoBoundLiveUpdate,
    Suspend,
    UpdateStatus,
)
from crowdd.router.commands import Command, SocketId
from crowdd.router.limits import FLOOD_PAUSE_S, SOCKET_SILENT_S, UNDER_WAY_S
from crowdd.router.sockets import SOCKETS_PER_AGENT_MAX

from .kit import KEY, WALL, Pair, agent_id, closed, packet, told

IN_TASK = UpdateStatus(agent_id(), 1, AgentStatus.IN_TASK)


def opened(pair: Pair) -> SocketId:
    socket = pair.run.socket_opened("10.0.0.1", pair.now)
    assert socket is not None
    return socket


def say(pair: Pair, socket: SocketId, text: bytes) -> list[Command]:
    return pair.run.socket_heard(socket, text, pair.now) + pair.pump()


def test_an_alive_packet_binds_the_socket_and_is_answered_with_the_last_status() -> None:
    pair = Pair()
    pair.say(IN_TASK)
    assert told(say(pair, opened(pair), packet("alive", agent_id()))) == [
        ("update_status", {"status": "in task"})
    ]
    assert pair.heard == [Alive(agent_id(), None)]


def test_any_packet_binds_the_socket_because_alive_sometimes_names_nobody() -> None:
    pair = Pair()
    pair.say(IN_TASK)
    socket = opened(pair)
    assert say(pair, socket, packet("alive", None)) == []
    kinds = [kind for kind, _ in told(say(pair, socket, packet("heartbeat", agent_id())))]
    assert kinds == ["update_status", "heartbeat"]


def test_a_status_goes_to_every_page_of_its_agent_and_to_nobody_else() -> None:
    pair = Pair()
    mine, also_mine, other = pair.seat(agent_id()), pair.seat(agent_id()), pair.seat(agent_id(2))
    commands = pair.say(UpdateStatus(agent_id(), 2, AgentStatus.TIMEOUT, Reason.TIME_OVER, "over"))
    assert (
        told(commands)
        == [("update_status", {"status": "timeout", "reason": "time_over", "text": "over"})] * 2
    )
    assert {getattr(command, "socket", None) for command in commands} - {None} == {mine, also_mine}
    assert other not in {mine, also_mine}


def test_a_page_that_was_there_before_the_daemon_is_told_its_status_when_that_comes() -> None:
    pair = Pair()
    pair.seat(agent_id())
    pair.seat(agent_id(2))
    pair.cut()
    daemon = Peer(1, 2, KEY, {agent_id(): "in task"}, [])
    assert told(pair.run.link_up(daemon, pair.now)) == [("update_status", {"status": "in task"})]
    pair.run.link_lost(pair.now)
    assert told(pair.run.link_up(daemon, pair.now)) == []


def test_an_older_status_is_not_passed_on() -> None:
    pair = Pair()
    pair.seat(agent_id())
    pair.say(UpdateStatus(agent_id(), 5, AgentStatus.COMPLETED))
    assert told(pair.say(UpdateStatus(agent_id(), 4, AgentStatus.IN_TASK))) == []


def test_a_heartbeat_is_answered_on_the_browsers_clock() -> None:
    pair = Pair()
    pair.say(IN_TASK)
    socket = pair.seat(agent_id())
    pair.now = 3.0
    ((kind, data),) = told(say(pair, socket, packet("heartbeat", agent_id(), client_timestamp=5000.25)))
    assert (kind, data) == ("heartbeat", {"last_mephisto_ping": 5_000_250, "status": "in task"})


def ping_age_s(pair: Pair, socket: SocketId) -> float:
    ((_, data),) = told(say(pair, socket, packet("heartbeat", agent_id(), client_timestamp=WALL)))
    return WALL - float(data["last_mephisto_ping"]) / 1000


def test_pages_stay_calm_for_two_minutes_after_the_link_was_lost() -> None:
    pair = Pair()
    socket = pair.seat(agent_id())
    pair.cut()
    pair.now = 60.0
    assert ping_age_s(pair, socket) == 0
    pair.now = 120.0
    assert ping_age_s(pair, socket) == 0
    pair.now = 150.0
    assert ping_age_s(pair, socket) == 30


def test_pages_stay_calm_for_as_long_as_a_restart_was_announced() -> None:
    pair = Pair()
    socket = pair.seat(agent_id())
    pair.say(Suspend(600.0))
    pair.cut()
    pair.now = 80.0
    say(pair, socket, packet("heartbeat", agent_id()))
    pair.now = 599.0
    assert ping_age_s(pair, socket) == 0


def test_an_update_of_a_page_reaches_the_daemon_in_the_order_received() -> None:
    pair = Pair()
    socket = pair.seat(agent_id())
    pair.heard.clear()
    for number in range(5):
        say(
            pair,
            socket,
            packet("mephisto_bound_live_update", agent_id(), {"n": number, "update_id": str(number)}),
        )
    updates = [heard.update["n"] for heard in pair.heard if isinstance(heard, MephistoBoundLiveUpdate)]
    assert updates == [0, 1, 2, 3, 4]


def test_an_update_for_a_page_waits_until_the_page_comes() -> None:
    pair = Pair()
    pair.daemon.stream_send(agent_id(), {"text": "hello", "update_id": "u1"})
    assert told(pair.pump()) == []
    commands = say(pair, opened(pair), packet("alive", agent_id()))
    assert told(commands) == [("client_bound_live_update", {"text": "hello", "update_id": "u1"})]


def test_a_heartbeat_confirms_what_the_page_was_told_before() -> None:
    pair = Pair()
    socket = pair.seat(agent_id())
    pair.daemon.stream_send(agent_id(), {"n": 1})
    pair.pump()
    pair.now += 6
    say(pair, socket, packet("heartbeat", agent_id()))
    assert told(say(pair, opened(pair), packet("alive", agent_id()))) == []


def test_a_heartbeat_that_may_have_been_under_way_confirms_nothing() -> None:
    pair = Pair()
    socket = pair.seat(agent_id())
    pair.daemon.stream_send(agent_id(), {"n": 1})
    pair.pump()
    pair.now += UNDER_WAY_S
    say(pair, socket, packet("heartbeat", agent_id()))
    assert [kind for kind, _ in told(say(pair, opened(pair), packet("alive", agent_id())))] == [
        "client_bound_live_update"
    ]


def test_a_heartbeat_confirms_nothing_while_something_waits_for_its_page() -> None:
    pair = Pair()
    socket = pair.seat(agent_id())
    pair.daemon.stream_send(agent_id(), {"n": 1})
    pair.pump()
    pair.now += 6
    pair.run.socket_heard(socket, packet("heartbeat", agent_id()), pair.now, waiting=1)
    assert len(told(say(pair, opened(pair), packet("alive", agent_id())))) == 1


def test_an_unconfirmed_update_is_told_again_after_a_reload() -> None:
    pair = Pair()
    pair.seat(agent_id())
    sent = pair.daemon.stream_send(agent_id(), {"n": 1, "update_id": "u"})
    assert isinstance(sent, ClientBoundLiveUpdate)
    pair.pump()
    assert told(say(pair, opened(pair), packet("alive", agent_id()))) == [
        ("client_bound_live_update", {"n": 1, "update_id": "u"})
    ]


DAEMONS_OWN = [
    "register_agent",
    "agent_details",
    "submit_onboarding",
    "submit_unit",
    "submit_metadata",
    "client_bound_live_update",
    "update_status",
    "request_statuses",
    "return_statuses",
    "log_error",
    "hello",
    "answer",
    "roll_call",
    "part",
    "suspend",
    "nonsense",
]


@pytest.mark.parametrize("kind", DAEMONS_OWN)
@pytest.mark.parametrize("subject", ["mephisto", agent_id(1), agent_id(2), "", None])
def test_a_browser_cannot_say_what_is_not_a_pages_to_say(kind: str, subject: str | None) -> None:
    pair = Pair()
    pair.seat(agent_id(2))
    socket = pair.seat(agent_id(1))
    pair.heard.clear()
    commands = say(pair, socket, packet(kind, subject, {"status": "completed"}))
    assert [kind for kind, _ in told(commands)] == ["error"]
    assert pair.heard == []
    assert pair.run.counters["bad_socket_packets"] == 1


@pytest.mark.parametrize("kind", ["alive", "heartbeat", "mephisto_bound_live_update"])
def test_a_bound_socket_cannot_speak_for_another_agent(kind: str) -> None:
    pair = Pair()
    socket = pair.seat(agent_id(1))
    pair.heard.clear()
    commands = say(pair, socket, packet(kind, agent_id(2), {"text": "boo"}))
    assert [kind for kind, _ in told(commands)] == ["error"]
    assert pair.heard == []


@pytest.mark.parametrize("subject", ["mephisto", "1", agent_id(1, b"x" * 32)])
def test_a_socket_cannot_be_bound_with_an_id_that_is_not_genuine(subject: str) -> None:
    pair = Pair()
    commands = say(pair, opened(pair), packet("alive", subject))
    assert [kind for kind, _ in told(commands)] == ["error"]
    assert pair.heard == []


def test_the_third_bad_packet_ends_the_socket_with_1008() -> None:
    pair = Pair()
    socket = pair.seat(agent_id())
    assert closed(say(pair, socket, b"{")) == []
    assert closed(say(pair, socket, b"[]")) == []
    assert closed(say(pair, socket, b"\xff")) == [1008]
    assert say(pair, socket, packet("heartbeat", agent_id())) == []


def test_a_packet_larger_than_the_limit_is_a_bad_packet() -> None:
    pair = Pair()
    socket = pair.seat(agent_id())
    update = packet("mephisto_bound_live_update", agent_id(), {"x": ""})
    fits = update.replace(b'"x": ""', b'"x": "' + b"a" * (BROWSER_FRAME_BYTES_MAX - len(update)) + b'"')
    assert len(fits) == BROWSER_FRAME_BYTES_MAX
    assert told(say(pair, socket, fits)) == []
    assert [kind for kind, _ in told(say(pair, socket, fits + b" "))] == ["error"]


def test_a_socket_that_never_says_whose_it_is_ends_after_ten_seconds() -> None:
    pair = Pair()
    opened(pair)
    assert closed(pair.at(SOCKET_UNREGISTERED_S - 0.1)) == []
    assert closed(pair.at(SOCKET_UNREGISTERED_S)) == [1008]


def test_a_page_that_says_nothing_for_long_is_let_go() -> None:
    pair = Pair(linked=False)
    pair.link()
    pair.seat(agent_id())
    pair.cut()
    assert closed(pair.at(SOCKET_SILENT_S - 0.1)) == []
    assert closed(pair.at(SOCKET_SILENT_S)) == [1008]


def test_a_burst_of_packets_passes_and_one_more_ends_the_socket() -> None:
    pair = Pair()
    socket = opened(pair)
    for _ in range(int(SOCKET_PACKETS_BURST_MAX)):
        assert closed(pair.run.socket_heard(socket, packet("heartbeat", agent_id()), 0.0)) == []
    assert closed(pair.run.socket_heard(socket, packet("heartbeat", agent_id()), 0.0)) == [1008]


def flood(pair: Pair, agent: WireId) -> None:
    """A page sends until its socket is ended."""
    socket = pair.seat(agent)
    while not closed(pair.run.socket_heard(socket, packet("heartbeat", agent), pair.now)):
        pass


def test_an_agent_whose_page_was_too_fast_has_to_wait_and_nobody_else() -> None:
    pair = Pair()
    flood(pair, agent_id())
    pair.now += FLOOD_PAUSE_S - 0.1
    assert closed(say(pair, opened(pair), packet("alive", agent_id()))) == [1013]
    assert closed(say(pair, opened(pair), packet("alive", agent_id(2)))) == []
    pair.at(pair.now + 0.1)
    assert closed(say(pair, opened(pair), packet("alive", agent_id()))) == []


def test_what_a_page_sends_is_bounded_in_bytes_as_well() -> None:
    pair = Pair()
    socket = pair.seat(agent_id())
    text = packet("heartbeat", agent_id(), {"x": "a" * 200_000})
    fit = int(SOCKET_BYTES_BURST_MAX // len(text))
    assert fit < SOCKET_PACKETS_BURST_MAX
    ends = [closed(pair.run.socket_heard(socket, text, 0.0)) for _ in range(fit + 1)]
    assert ends[-2:] == [[], [1008]]


def test_an_address_may_have_so_many_sockets_and_no_more() -> None:
    pair = Pair()
    sockets = [pair.run.socket_opened("10.0.0.9", 0.0) for _ in range(SOCKETS_PER_ADDRESS_MAX)]
    assert None not in sockets
    assert pair.run.socket_opened("10.0.0.9", 0.0) is None
    assert pair.run.socket_opened("10.0.0.8", 0.0) is not None
    assert sockets[0] is not None
    pair.run.socket_closed(sockets[0], 0.0)
    assert pair.run.socket_opened("10.0.0.9", 0.0) is not None


def test_the_oldest_of_too_many_pages_of_one_agent_is_closed() -> None:
    pair = Pair()
    for _ in range(SOCKETS_PER_AGENT_MAX):
        pair.seat(agent_id())
    assert closed(say(pair, opened(pair), packet("alive", agent_id()))) == [1008]


def test_no_packet_for_a_page_carries_another_agents_id() -> None:
    pair = Pair()
    pair.seat(agent_id(1))
    pair.seat(agent_id(2))
    commands = pair.say(UpdateStatus(agent_id(1), 3, AgentStatus.EXPIRED))
    assert WireId(agent_id(2)) not in json.dumps([str(command) for command in commands])


def test_the_socket_of_a_passed_onboarding_moves_to_its_next_agent_and_not_back() -> None:
    pair = Pair()
    onboarding = agent_id(1, onboarding=True)
    pair.say(UpdateStatus(agent_id(2), 1, AgentStatus.IN_TASK))
    socket = pair.seat(onboarding)
    pair.heard.clear()
    commands = say(pair, socket, packet("mephisto_bound_live_update", agent_id(2), {"text": "hello"}))
    assert told(commands) == [("update_status", {"status": "in task"})]
    assert [packet.subject for packet in pair.heard if isinstance(packet, MephistoBoundLiveUpdate)] == [
        agent_id(2)
    ]
    again = pair.say(UpdateStatus(onboarding, 2, AgentStatus.WAITING))
    assert told(again) == []
    assert [kind for kind, _ in told(say(pair, socket, packet("heartbeat", onboarding)))] == ["error"]


def test_the_socket_of_an_onboarding_moves_to_no_id_that_is_not_genuine() -> None:
    pair = Pair()
    socket = pair.seat(agent_id(1, onboarding=True))
    pair.heard.clear()
    commands = say(pair, socket, packet("alive", agent_id(2, b"x" * 32)))
    assert [kind for kind, _ in told(commands)] == ["error"]
    assert pair.heard == []


@pytest.mark.parametrize(("status", "codes"), [(AgentStatus.WAITING, []), (AgentStatus.ONBOARDING, [1008])])
def test_a_silent_socket_is_kept_only_if_its_page_has_gone_on_from_an_onboarding(
    status: AgentStatus, codes: list[int]
) -> None:
    pair = Pair()
    pair.seat(agent_id(1, onboarding=True))
    pair.say(UpdateStatus(agent_id(1, onboarding=True), 1, status))
    assert closed(pair.at(SOCKET_SILENT_S + 1)) == codes
