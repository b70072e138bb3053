"""Whose page is there, as the daemon is told unasked and when it asks."""

import pytest

from crowdd.protocol.limits import PAGE_SILENT_S
from crowdd.protocol.names import AgentStatus
from crowdd.protocol.packets import RequestStatuses, ReturnStatuses, UpdateStatus
from crowdd.router.commands import SocketId
from crowdd.router.limits import PAGE_LOST_S, TICK_S
from crowdd.router.presence import Presence

from .kit import Pair, accepted, agent_id, packet, register

AWAY, PRESENT = {agent_id(): "away"}, {agent_id(): "present"}


def at_work() -> tuple[Pair, SocketId]:
    """A pair with one live agent whose page is known to be there."""
    pair = Pair()
    pair.link({agent_id(): "in task"})
    socket = pair.seat(agent_id())
    assert pushed(pair, 0.0) == [PRESENT]
    return pair, socket


def pushed(pair: Pair, now: float) -> list[dict[str, str]]:
    """What the router says unasked of whose page is there, by then."""
    pair.heard.clear()
    pair.at(now)
    reports = [heard for heard in pair.heard if isinstance(heard, ReturnStatuses)]
    assert all(report.partial for report in reports)
    return [report.presence for report in reports]


def asked(pair: Pair) -> dict[str, str]:
    """What it says when it is asked."""
    pair.heard.clear()
    pair.say(RequestStatuses())
    (report,) = pair.heard
    assert isinstance(report, ReturnStatuses)
    assert not report.partial
    return report.presence


def test_a_lost_socket_is_told_within_a_second_unasked() -> None:
    pair, socket = at_work()
    pair.run.socket_closed(socket, 10.0)
    assert pushed(pair, 10.0) == []
    assert pushed(pair, 10.0 + PAGE_LOST_S) == [AWAY]
    assert PAGE_LOST_S + TICK_S < 1.0


def test_it_is_told_unasked_once_and_again_whenever_the_daemon_asks() -> None:
    pair, socket = at_work()
    pair.run.socket_closed(socket, 10.0)
    assert pushed(pair, 11.0) == [AWAY]
    assert pushed(pair, 12.0) == []
    assert asked(pair) == asked(pair) == AWAY


def test_who_comes_back_is_present_at_the_next_tick() -> None:
    pair, socket = at_work()
    pair.run.socket_closed(socket, 10.0)
    assert pushed(pair, 11.0) == [AWAY]
    pair.seat(agent_id())
    assert pushed(pair, 11.1) == [PRESENT]


def test_a_reload_that_is_quick_is_not_told_at_all() -> None:
    pair, socket = at_work()
    pair.now = 10.0
    pair.run.socket_closed(socket, pair.now)
    pair.seat(agent_id())
    assert pushed(pair, 10.0 + PAGE_SILENT_S - 0.1) == []


def test_a_page_that_is_loaded_anew_has_time_for_its_socket() -> None:
    pair, socket = at_work()
    pair.now = 10.0
    pair.run.socket_closed(socket, pair.now)
    pair.ask(register())
    pair.say(accepted("r1", agent_id()))
    assert pushed(pair, 12.0) == []
    pair.seat(agent_id())
    assert pushed(pair, 12.0) == []


def test_another_tab_keeps_its_agent_present() -> None:
    pair, socket = at_work()
    pair.seat(agent_id())
    pair.run.socket_closed(socket, 0.0)
    assert pushed(pair, PAGE_SILENT_S - 0.1) == []


def test_a_silent_page_is_away_though_its_socket_is_open() -> None:
    pair, socket = at_work()
    pair.run.socket_heard(socket, packet("heartbeat", agent_id()), 6.0)
    assert pushed(pair, 6.0 + PAGE_SILENT_S - 0.1) == []
    assert pushed(pair, 6.0 + PAGE_SILENT_S) == [AWAY]
    pair.run.socket_heard(socket, packet("heartbeat", agent_id()), 30.0)
    assert pushed(pair, 30.0) == [PRESENT]


def test_a_page_that_says_goodbye_is_away_at_once() -> None:
    pair, _ = at_work()
    assert pair.run.page_left(agent_id()) is None
    assert pushed(pair, 0.1) == [AWAY]


def test_the_goodbye_of_one_of_two_tabs_is_not_the_agents() -> None:
    pair, _ = at_work()
    pair.seat(agent_id())
    assert pair.run.page_left(agent_id()) is None
    assert pushed(pair, 0.1) == []


def test_nobody_is_told_of_while_no_daemon_is_linked_and_everybody_afterwards() -> None:
    pair, socket = at_work()
    pair.cut()
    pair.run.socket_closed(socket, 1.0)
    assert pushed(pair, 5.0) == []
    pair.link({agent_id(): "in task"})
    assert pushed(pair, 5.1) == [AWAY]


def test_a_page_that_came_before_the_daemon_is_told_of_when_it_is_linked() -> None:
    pair = Pair()
    pair.cut()
    pair.seat(agent_id())
    pair.link({agent_id(): "in task"})
    assert pushed(pair, 0.1) == [PRESENT]


@pytest.mark.parametrize("status", [AgentStatus.COMPLETED, AgentStatus.TIMEOUT, AgentStatus.DISCONNECT])
def test_of_who_has_ended_nothing_is_told(status: AgentStatus) -> None:
    pair, socket = at_work()
    pair.say(UpdateStatus(agent_id(), 2, status))
    pair.run.socket_heard(socket, packet("heartbeat", agent_id()), 1.0)
    pair.run.socket_closed(socket, 1.0)
    assert pushed(pair, 10.0) == []
    assert asked(pair) == {}


def test_who_is_taken_up_again_after_a_stop_is_told_of_again() -> None:
    pair, socket = at_work()
    pair.say(UpdateStatus(agent_id(), 2, AgentStatus.DISCONNECT))
    assert pushed(pair, 1.0) == []
    pair.say(UpdateStatus(agent_id(), 3, AgentStatus.IN_TASK))
    pair.run.socket_heard(socket, packet("heartbeat", agent_id()), 6.0)
    assert pushed(pair, 6.0) == [PRESENT]


def test_a_report_says_what_the_page_is_shown() -> None:
    pair, socket = at_work()
    pair.run.socket_closed(socket, 1.0)
    pair.heard.clear()
    pair.at(2.0)
    (report,) = pair.heard
    assert isinstance(report, ReturnStatuses)
    assert report.statuses == {agent_id(): "in task"}


def test_of_whom_nothing_changed_nobody_looks() -> None:
    presence, looked = Presence(), list[str]()

    def lives(agent: str) -> bool:
        looked.append(agent)
        return True

    for number in range(50):
        presence.heard(agent_id(number), 0.0)
    assert len(presence.changes(1.0, lives)) == len(looked) == 50
    presence.heard(agent_id(7), 6.0)
    assert presence.changes(6.0, lives) == {}
    assert len(looked) == 50
    presence.left(agent_id(7))
    assert presence.changes(6.0, lives) == {agent_id(7): "away"}
    assert looked[50:] == [agent_id(7)]
