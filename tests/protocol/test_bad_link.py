"""Two ends of the link over a wire that cuts, drops, repeats and holds back frames; seeded.

The owners of the ends are as simple as owners can be: the daemon answers each request by its content, both
store an update some time after they were given it and confirm it then. What must hold afterwards is the
promise of the link, whatever the wire did.
"""

import random
from collections import Counter, deque
from collections.abc import Sequence

import pytest

from crowdd.protocol.link import Heard, LinkEnd, Role
from crowdd.protocol.names import AgentStatus, Outcome, WireId
from crowdd.protocol.packets import (
    Answer,
    ClientBoundLiveUpdate,
    MephistoBoundLiveUpdate,
    RequestStatuses,
    ReturnStatuses,
    StreamUpdate,
    SubmitUnit,
    UpdateStatus,
)
from crowdd.protocol.streams import Confirmed

AGENTS = [WireId(f"agent-{number}") for number in range(3)]
STEPS = 250


class Owner:
    """What stands around one end: it survives restarts of the end, as a disk would."""

    def __init__(self, role: Role, epoch: int, rng: random.Random) -> None:
        self.role = role
        self.epoch = epoch
        self.rng = rng
        self.end = LinkEnd(role, epoch)
        self.stored: dict[WireId, list[int]] = {agent: [] for agent in AGENTS}
        self.places: dict[WireId, tuple[int, int]] = {}
        self.sent: Counter[WireId] = Counter()
        self.confirmed: Counter[WireId] = Counter()
        self.unstored: deque[StreamUpdate] = deque()
        self.replies: list[Answer] = []
        self.open: deque[str] = deque()
        self.asked: list[str] = []
        self.versions: Counter[WireId] = Counter()
        self.statuses: dict[WireId, int] = {}
        self.heartbeats = 0

    def given(self, packets: Sequence[Heard]) -> None:
        for packet in packets:
            match packet:
                case ClientBoundLiveUpdate() | MephistoBoundLiveUpdate():
                    self.unstored.append(packet)
                case Confirmed():
                    assert isinstance(packet.tag, int)
                    self.confirmed[packet.subject] = max(self.confirmed[packet.subject], packet.tag)
                case SubmitUnit():
                    self.open.append(packet.request)
                case Answer():
                    self.replies.append(packet)
                case UpdateStatus():
                    assert packet.version > self.statuses.get(packet.subject, 0)
                    self.statuses[packet.subject] = packet.version
                case _:
                    self.heartbeats += 1

    def store(self, count: int) -> None:
        for _ in range(min(count, len(self.unstored))):
            packet = self.unstored.popleft()
            self.stored[packet.subject].append(packet.update["n"])
            self.places[packet.subject] = (packet.epoch, packet.sequence)
            self.end.stream_stored(packet)

    def reply(self, count: int) -> None:
        for _ in range(min(count, len(self.open))):
            request = self.open.popleft()
            self.end.send(Answer(request, Outcome.OK, text=f"answer to {request}"))

    def act(self) -> None:
        """Do one thing that an owner does."""
        agent = self.rng.choice(AGENTS)
        match self.rng.choice(["update", "update", "store", "ask", "reply", "status", "beat"]):
            case "update":
                self.sent[agent] += 1
                self.end.stream_send(agent, {"n": self.sent[agent], "x": self.bulk()}, tag=self.sent[agent])
            case "store":
                self.store(self.rng.randrange(5))
            case "ask" if self.role is Role.ROUTER:
                self.asked.append(f"request {len(self.asked)}")
                self.end.send_request(SubmitUnit(agent, self.asked[-1], self.bulk()), 0.0)
            case "reply":
                self.reply(self.rng.randrange(4))
            case "status" if self.role is Role.DAEMON:
                self.versions[agent] += 1
                self.end.send(UpdateStatus(agent, self.versions[agent], AgentStatus.IN_TASK))
            case _:
                self.end.send(RequestStatuses() if self.role is Role.DAEMON else ReturnStatuses())

    def bulk(self) -> str:
        return "x" * (self.rng.randrange(60_000, 300_000) if self.rng.random() < 0.04 else 10)

    def restart(self) -> None:
        """Kill the process: memory is gone, and what was stored is taken up again from there."""
        self.epoch += 1
        self.end = LinkEnd(self.role, self.epoch)
        self.unstored.clear()
        self.open.clear()
        for agent, place in self.places.items():
            self.end.stream_resume(agent, *place)


class BadLink:
    """Both owners and the wire between them."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.daemon = Owner(Role.DAEMON, 100, self.rng)
        self.router = Owner(Role.ROUTER, 200, self.rng)
        self.wires: dict[Role, deque[bytes]] = {Role.DAEMON: deque(), Role.ROUTER: deque()}
        self.connected = False

    def connect(self) -> None:
        self.connected = True
        self.daemon.end.connection_made(0.0, self.router.epoch)
        self.router.end.connection_made(0.0, self.daemon.epoch)

    def cut(self, late: float = 0.0) -> None:
        """End the connection; frames under way are lost, but some may turn up later (`late`)."""
        self.connected = False
        self.daemon.end.connection_lost()
        self.router.end.connection_lost()
        for role, wire in self.wires.items():
            self.wires[role] = deque(frame for frame in wire if self.rng.random() < late)

    def send(self, owner: Owner) -> None:
        frame = owner.end.take_frame()
        if frame is not None:
            self.wires[owner.role].append(frame)

    def carry(self, sender: Owner, receiver: Owner) -> None:
        """Take the next frame of the wire to its end: mostly."""
        wire = self.wires[sender.role]
        if not wire:
            return
        luck = self.rng.random()
        if luck < 0.05:
            wire.popleft()
        elif luck < 0.10:
            wire.insert(self.rng.randrange(len(wire) + 1), wire[0])
        elif luck < 0.20:
            wire.rotate(-1)
        else:
            receiver.given(receiver.end.receive(wire.popleft(), 0.0))
            for agent in AGENTS:
                assert receiver.confirmed[agent] <= max(sender.stored[agent], default=0)

    def step(self, late: float) -> None:
        for owner in (self.daemon, self.router):
            if self.rng.random() < 0.4:
                owner.act()
        if not self.connected:
            if self.rng.random() < 0.3:
                self.connect()
            return
        for sender, receiver in ((self.daemon, self.router), (self.router, self.daemon)):
            self.send(sender)
            self.carry(sender, receiver)
        if self.rng.random() < 0.03:
            self.cut(late)

    def heal(self) -> None:
        """A wire that works: connect once more and let everything arrive, be stored and be answered."""
        self.cut()
        self.connect()
        for _ in range(3):
            for sender, receiver in ((self.daemon, self.router), (self.router, self.daemon)):
                while (frame := sender.end.take_frame()) is not None:
                    receiver.given(receiver.end.receive(frame, 0.0))
                    receiver.store(len(receiver.unstored))
                    receiver.reply(len(receiver.open))

    def check_requests(self) -> None:
        answered = Counter(reply.request for reply in self.router.replies)
        assert answered == Counter(self.router.asked)
        assert all(reply.text == f"answer to {reply.request}" for reply in self.router.replies)
        assert self.router.end.open_requests() == 0

    def check_statuses(self) -> None:
        assert self.router.statuses == dict(self.daemon.versions)

    def check_stream(self, sender: Owner, receiver: Owner) -> None:
        for agent in AGENTS:
            assert receiver.stored[agent] == list(range(1, sender.sent[agent] + 1))
            assert sender.confirmed[agent] == sender.sent[agent]


@pytest.mark.parametrize("late", [0.0, 0.5], ids=["", "with late frames"])
@pytest.mark.parametrize("seed", range(25))
def test_nothing_is_lost_doubled_or_out_of_order_over_a_bad_link(seed: int, late: float) -> None:
    link = BadLink(seed)
    for _ in range(STEPS):
        link.step(late)
    link.heal()
    link.check_requests()
    link.check_statuses()
    link.check_stream(link.daemon, link.router)
    link.check_stream(link.router, link.daemon)


@pytest.mark.parametrize("seed", range(25))
def test_a_daemon_that_is_killed_again_and_again_stores_every_update_once(seed: int) -> None:
    link = BadLink(seed)
    for step in range(STEPS):
        link.step(0.0)
        if step % 40 == 39:
            link.cut()
            link.daemon.restart()
            link.router.statuses.clear()
    link.heal()
    link.check_requests()
    link.check_stream(link.router, link.daemon)


@pytest.mark.parametrize("seed", range(25))
def test_a_router_that_forgets_everything_still_gets_every_update_in_order(seed: int) -> None:
    link = BadLink(seed)
    for step in range(STEPS):
        link.step(0.0)
        if step % 40 == 39:
            link.cut()
            link.router.places.clear()
            link.router.restart()
            link.router.asked = [reply.request for reply in link.router.replies]
            link.router.statuses.clear()
            link.router.sent.clear()
            link.router.confirmed.clear()
            link.daemon.stored = {agent: [] for agent in AGENTS}
            link.daemon.unstored.clear()
    link.heal()
    link.check_statuses()
    for agent in AGENTS:
        once = list(dict.fromkeys(link.router.stored[agent]))
        assert once == list(range(1, link.daemon.sent[agent] + 1))


def test_the_bad_link_is_really_bad() -> None:
    link = BadLink(1)
    for _ in range(STEPS):
        link.step(0.5)
    link.heal()
    strange = link.daemon.end.counters + link.router.end.counters
    met = {name for name, count in strange.items() if count}
    assert met >= {"gaps", "duplicate_updates", "late_replies", "stale_statuses"}
