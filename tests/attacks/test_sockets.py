"""SEC3: a page's socket speaks for one agent: every type of packet, for every subject there could be."""

import itertools
import json
from typing import Any

import pytest

from crowdd.protocol.browser import SocketType
from crowdd.protocol.limits import SOCKET_STRIKES_MAX
from crowdd.protocol.link import Heard
from crowdd.protocol.names import AgentStatus, PacketType
from crowdd.protocol.packets import UpdateStatus
from crowdd.router.commands import Command, SocketId, TellSocket

from ..router.kit import Pair, agent_id, closed, told

OWN, OTHER, ONBOARDING = agent_id(1), agent_id(2), agent_id(3, onboarding=True)
SUBJECTS: dict[str, Any] = {
    "another agent": OTHER,
    "somebody in onboarding": ONBOARDING,
    "an agent of another run": agent_id(1, key=b"x" * 32),
    "a forged one": OWN[:-1] + ("A" if OWN[-1] != "A" else "B"),
    "the daemon": "mephisto",
    "the run": "digits",
    "its own, otherwise written": OWN + "=",
    "its own, as an onboarding": "onboarding_" + OWN,
    "nothing": "",
    "a number": 2,
    "a list": [OWN, OTHER],
    "an object": {"subject_id": OTHER},
    "yes": True,
}
TYPES = sorted(
    {each.value for each in PacketType} | {each.value for each in SocketType} | {"error", "ping", ""}
)
PAGES = frozenset(each.value for each in SocketType)
DATA = {"status": "disconnect", "agent_id": OTHER, "update_id": "1", "seen": 9, "crowdd": 1}


def said(kind: str, subject: Any) -> bytes:
    packet = {"packet_type": kind, "subject_id": subject, "data": DATA, "page": "p" * 22, "number": 1}
    return json.dumps(packet).encode()


def subjects_of(heard: list[Heard]) -> set[str]:
    subjects = (getattr(packet, "subject", None) for packet in heard)
    return {str(subject) for subject in subjects if subject}


def say(pair: Pair, socket: SocketId, text: bytes) -> list[Command]:
    return pair.run.socket_heard(socket, text, pair.now) + pair.pump()


@pytest.mark.parametrize(("kind", "name"), list(itertools.product(TYPES, SUBJECTS)))
def test_sec3_a_page_says_nothing_for_anybody_else(kind: str, name: str) -> None:
    pair = Pair()
    pair.link({OWN: "in task", OTHER: "in task"})
    neighbour, socket = pair.seat(OTHER), pair.seat(OWN)
    pair.heard.clear()
    came: list[Command] = []
    for _ in range(SOCKET_STRIKES_MAX):
        assert closed(came) == []
        came = say(pair, socket, said(kind, SUBJECTS[name]))
    assert closed(came) == [1008]
    assert subjects_of(pair.heard) <= {OWN}
    assert not [each for each in came if isinstance(each, TellSocket) and each.socket == neighbour]
    assert pair.run.counters["sockets_struck_out"] == 1


@pytest.mark.parametrize("kind", sorted(set(TYPES) - PAGES))
def test_sec3_a_page_says_nothing_that_only_a_daemon_may_even_for_itself(kind: str) -> None:
    pair = Pair()
    socket = pair.seat(OWN)
    pair.heard.clear()
    came = [say(pair, socket, said(kind, OWN)) for _ in range(SOCKET_STRIKES_MAX)]
    assert closed(came[-1]) == [1008]
    assert pair.heard == []


@pytest.mark.parametrize(("kind", "name"), list(itertools.product(sorted(PAGES), SUBJECTS)))
def test_sec3_a_socket_that_is_nobodys_is_bound_by_genuine_ids_only(kind: str, name: str) -> None:
    pair = Pair()
    pair.link({OTHER: "in task"})
    socket = pair.run.socket_opened("10.0.0.9", pair.now)
    assert socket is not None
    say(pair, socket, said(kind, SUBJECTS[name]))
    genuine = SUBJECTS[name] in (OTHER, ONBOARDING)
    assert subjects_of(pair.heard) == ({SUBJECTS[name]} if genuine else set())


@pytest.mark.parametrize(("strikes", "ends"), [(1, False), (2, False), (3, True)])
def test_sec3_so_many_bad_packets_and_no_more(strikes: int, ends: bool) -> None:
    pair = Pair()
    socket = pair.seat(OWN)
    came = [say(pair, socket, b"nonsense") for _ in range(strikes)]
    assert closed(came[-1]) == ([1008] if ends else [])


def test_sec3_whoever_is_struck_out_hears_nothing_more() -> None:
    pair = Pair()
    socket = pair.seat(OWN)
    for _ in range(SOCKET_STRIKES_MAX):
        say(pair, socket, b"nonsense")
    pair.heard.clear()
    assert say(pair, socket, said("mephisto_bound_live_update", OWN)) == []
    assert told(pair.say(UpdateStatus(OWN, 9, AgentStatus.TIMEOUT))) == []
    assert pair.heard == []
