"""A router's core and a daemon's end of the link, joined without transport; and what tests need of ids."""

import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from crowdd.protocol.handshake import Peer
from crowdd.protocol.ids import new_wire_id
from crowdd.protocol.link import Heard, LinkEnd, Role, Said
from crowdd.protocol.names import AgentStatus, Outcome, WireId
from crowdd.protocol.packets import AgentDetails, Answer, RegisterAgent, SubmitUnit
from crowdd.router.commands import AnswerTicket, CloseSocket, Command, HttpAnswer, SocketId, TellSocket
from crowdd.router.run import RouterRun
from crowdd.router.tickets import Caller

KEY = b"k" * 32
PLAIN = Caller("10.0.0.1")
CROWDD = Caller("10.0.0.1", crowdd_client=True)
WALL = 1_800_000_000.0


def agent_id(number: int = 1, key: bytes = KEY, onboarding: bool = False) -> WireId:
    """The genuine id of an agent (of another run, with another key)."""
    return new_wire_id(key, number.to_bytes(16, "big"), onboarding)


class Pair:
    """Both ends of one run's link, at a time that tests set."""

    def __init__(self, linked: bool = True) -> None:
        self.now: float = 0.0
        self.run = RouterRun("digits", None, 7, 0.0, lambda: WALL + self.now)
        self.daemon, self.epoch = LinkEnd(Role.DAEMON, 1), 1
        self.heard: list[Heard] = []
        self.done: list[Command] = []
        if linked:
            self.link()

    def link(self, statuses: dict[str, str] | None = None, key: bytes = KEY, epoch: int = 1) -> None:
        """Connect them (again); with another epoch, to a daemon that started anew."""
        if epoch != self.epoch:
            self.daemon, self.epoch = LinkEnd(Role.DAEMON, epoch), epoch
        self.run.link_up(Peer(1, epoch, key, statuses or {}, []), self.now)
        self.daemon.connection_made(self.now, 7)
        self.pump()

    def cut(self) -> None:
        """The connection is gone, on both sides."""
        self.run.link_lost(self.now)
        self.daemon.connection_lost()

    def say(self, packet: Said) -> list[Command]:
        """The daemon says something; what the router's core then wants done."""
        self.daemon.send(packet)
        return self.pump()

    def pump(self) -> list[Command]:
        """Carry frames until both are quiet; the commands that came of it."""
        came: list[Command] = []
        while True:
            up, down = self.run.take_frame(), self.daemon.take_frame()
            if up is None and down is None:
                self.done += came
                return came
            if up is not None:
                self.heard += self.daemon.receive(up, self.now)
            if down is not None:
                came += self.run.link_frame(down, self.now)

    def ask(self, packet: RegisterAgent | SubmitUnit, caller: Caller = PLAIN) -> HttpAnswer | None:
        """A page asks; the answer if it came at once."""
        return answer_in(self.run.ask(packet, caller, self.now) + self.pump())

    def at(self, now: float) -> list[Command]:
        """Let time pass; what was due then."""
        self.now = now
        return self.run.tick(now) + self.pump()

    def seat(self, agent: WireId) -> SocketId:
        """Open a socket and bind it."""
        socket = self.run.socket_opened("10.0.0.1", self.now)
        assert socket is not None
        self.run.socket_heard(socket, packet("alive", agent), self.now)
        self.pump()
        return socket


def answer_in(commands: list[Command]) -> HttpAnswer | None:
    """The answer among these commands, if there is one."""
    answers = [command.answer for command in commands if isinstance(command, AnswerTicket)]
    assert len(answers) <= 1
    return answers[0] if answers else None


def told(commands: list[Command]) -> list[tuple[str, Mapping[str, Any]]]:
    """Type and data of every packet for a page among these commands."""
    return [(c.packet["packet_type"], c.packet["data"]) for c in commands if isinstance(c, TellSocket)]


def closed(commands: list[Command]) -> list[int]:
    """The codes with which sockets are closed."""
    return [command.code for command in commands if isinstance(command, CloseSocket)]


def packet(kind: str, subject: str | None, data: Any = None, **more: Any) -> bytes:
    """What a page sends over its socket."""
    return json.dumps({"packet_type": kind, "subject_id": subject, "data": data or {}, **more}).encode()


def register(request: str = "r1") -> RegisterAgent:
    """A registration like those of real pages."""
    return RegisterAgent(
        request, {"worker_name": "ann", "agent_registration_id": "a-ann", "assignment_id": "a"}
    )


def submit(agent: WireId, request: str = "s1", final_data: Any = None) -> SubmitUnit:
    """A submission."""
    return SubmitUnit(agent, request, {"label": 7} if final_data is None else final_data)


def accepted(request: str, agent: WireId) -> AgentDetails:
    """The daemon lets somebody in."""
    return AgentDetails(
        request, Outcome.OK, "5", agent, {"digit": 3}, status=AgentStatus.IN_TASK, time_left_s=600.0
    )


def done(request: str) -> Answer:
    """The daemon has committed."""
    return Answer(request, Outcome.OK, status=AgentStatus.COMPLETED)


def bundle_of(files: Mapping[str, bytes]) -> bytes:
    """A tar.gz of these files."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=1) as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()


@attrs.frozen
class Part:
    """One part of a form, written as browsers do."""

    name: str
    content: bytes
    filename: str | None = None
    media_type: str = "application/octet-stream"

    def head(self) -> str:
        """Its headers."""
        if self.filename is None:
            return f'Content-Disposition: form-data; name="{self.name}"'
        disposition = f'Content-Disposition: form-data; name="{self.name}"; filename="{self.filename}"'
        return f"{disposition}\r\nContent-Type: {self.media_type}"


def form_of(parts: Sequence[Part], boundary: str) -> bytes:
    """A multipart body."""
    body = b"".join(
        f"--{boundary}\r\n{part.head()}\r\n\r\n".encode() + part.content + b"\r\n" for part in parts
    )
    return body + f"--{boundary}--\r\n".encode()
