"""FLT27, SEC4, SEC8: a router that knows the secret and says anything there is to say, in any order. Its own
run goes on, as does the next one; nothing it says is a failure of ours.
"""

import enum
import random
import tempfile
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import attrs
import pytest
import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crowdd.daemon.architects.contract import Site
from crowdd.daemon.channel import Channel, LinkLost, Wire
from crowdd.daemon.client_io import COUNT_MAX, COUNTERS_MAX
from crowdd.daemon.control.answers import json_bytes
from crowdd.protocol.codec import decode_frame, encode_packet, join_frame
from crowdd.protocol.errors import Unsendable
from crowdd.protocol.handshake import Handshake
from crowdd.protocol.link import Role
from crowdd.protocol.names import WireId
from crowdd.protocol.packets import AgentDetails, Packet, RegisterAgent, ReturnStatuses
from crowdd.protocol.proof import NONCE_BYTES
from crowdd.storage.records import TaskRun
from crowdd.testing.patient_clock import patient_clock
from crowdd.testing.verdicts import Verdict

from ..daemon.bare_channel import BareChannel
from ..daemon.virtual import SECRET, Virtual
from ..protocol.test_codec import packets

AGENTS = 3
SAID = st.lists(
    st.tuples(packets | st.binary(max_size=40), st.integers(0, AGENTS), st.booleans()),
    min_size=1,
    max_size=12,
)
Said = tuple[Packet | bytes, int, bool]


@attrs.define(eq=False)
class Hostile:
    """A router in strange hands, in memory. `agents` are the ids it was told."""

    label: str
    agents: list[str] = attrs.Factory(list[str])
    _send: Any = None

    @asynccontextmanager
    async def link(self) -> AsyncGenerator[Wire]:
        """One connection, from its upgrade on."""
        send, receive = trio.open_memory_channel[bytes](1_000)
        self._send = send
        rng = random.Random(1)
        shake = Handshake(
            Role.ROUTER, [SECRET], self.label, rng.randbytes(NONCE_BYTES), rng.randrange(1, 2**40)
        )
        with send, receive:
            yield _HostileWire(self, shake, send, receive)

    def says(self, frame: bytes) -> None:
        """Say this; a frame on a connection that has gone is lost."""
        try:
            self._send.send_nowait(frame)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return


class _HostileWire(Wire):
    def __init__(self, router: Hostile, shake: Handshake, send: Any, receive: Any) -> None:
        self._router, self._shake, self._send, self._receive = router, shake, send, receive

    async def send(self, frame: bytes) -> None:
        await trio.lowlevel.checkpoint()
        if self._shake.peer is None:
            for answer in self._shake.receive(frame):
                self._send.send_nowait(answer)
            return
        for packet in decode_frame(frame):
            if isinstance(packet, AgentDetails) and packet.agent_id:
                self._router.agents.append(packet.agent_id)

    async def receive(self) -> bytes:
        try:
            frame: bytes = await self._receive.receive()
        except (trio.EndOfChannel, trio.ClosedResourceError):
            raise LinkLost("gone") from None
        return frame


class HostileChannel(BareChannel):
    """The daemon's way to it."""

    def __init__(self, router: Hostile) -> None:
        self.name = self.url = f"http://{router.label}.localhost/"
        self.secrets = [SECRET]
        self._router = router

    @asynccontextmanager
    async def connect(self) -> AsyncGenerator[Wire]:
        await trio.lowlevel.checkpoint()
        async with self._router.link() as wire:
            yield wire


class HostileVirtual(Virtual):
    """A daemon with one honest router and one that is not."""

    hostile = Hostile("hostile")

    def _channels(self, site: Site) -> list[Channel]:
        if site.run.label == self.hostile.label:
            return [HostileChannel(self.hostile)]
        return super()._channels(site)


async def say(virtual: HostileVirtual, said: Sequence[Said]) -> None:
    """Everything, in the name of the agents that there are."""
    for number in range(AGENTS):
        data = {"worker_name": f"w{number}", "agent_registration_id": f"a{number}", "assignment_id": "a"}
        virtual.hostile.says(join_frame([encode_packet(RegisterAgent(f"r{number}", data))]))
    await trio.sleep(1)
    assert virtual.hostile.agents, "nobody was let in: what follows would test nothing"
    for packet, agent, pause in said:
        frame = packet if isinstance(packet, bytes) else named(packet, virtual.hostile.agents, agent)
        virtual.hostile.says(frame)
        if pause:
            await trio.sleep(1)
    await trio.sleep(10)


def named(packet: Packet, agents: list[str], which: int) -> bytes:
    """This packet, about one of the agents instead (or as it is)."""
    if which < len(agents) and hasattr(packet, "subject"):
        about: Any = packet
        packet = attrs.evolve(about, subject=WireId(agents[which]))
    try:
        return join_frame([encode_packet(packet)])
    except Unsendable:
        return b""


async def is_well(virtual: HostileVirtual, hostile: TaskRun, honest: TaskRun) -> dict[str, int]:
    live = await virtual.until_live(hostile.id)
    assert live.counters().get("failures", 0) == 0, live.counters()
    json_bytes(live.counters())
    page = await virtual.at_work(honest, "ann")
    assert (await page.submit({"is": "well"})).verdict is Verdict.OK
    return live.counters()


async def heard_out(said: Sequence[Said]) -> dict[str, int]:
    """All of this is said to a daemon, which is well afterwards; what it counted."""
    with tempfile.TemporaryDirectory() as folder:
        async with trio.open_nursery() as nursery:
            virtual = HostileVirtual(Path(folder), nursery)
            virtual.hostile = Hostile("hostile")
            await virtual.daemon.present()
            hostile = await virtual.launch("hostile", units=10, provider="mock")
            honest = await virtual.launch("honest", units=2)
            await say(virtual, said)
            counted = await is_well(virtual, hostile, honest)
            nursery.cancel_scope.cancel()
    return counted


@given(SAID)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_flt27_whatever_a_router_says_the_daemon_and_the_other_runs_go_on(said: Sequence[Said]) -> None:
    trio.run(heard_out, said, clock=patient_clock())


EXTREMES: dict[str, dict[Any, Any]] = {
    "the largest there is": {int: 2**64 - 1, float: 1.7e308, str: "\U0010ffff" * 5_000, bool: True},
    "the smallest there is": {int: -(2**63), float: -1.7e308, str: "", bool: False},
    "what ends a line or a text": {int: 0, float: 0.0, str: "\x00\r\n\x1b[2J'\";--${x}", bool: True},
    "what leads elsewhere": {int: 1, float: 0.1, str: "../../../../etc/passwd", bool: True},
}


def extreme(kind: Any, values: dict[Any, Any]) -> Any:
    """A value of this type made of these."""
    if kind in values:
        return values[kind]
    origin, inner = get_origin(kind), get_args(kind)
    if kind is WireId:
        return WireId(values[str])
    if kind is bytes:
        return values[str].encode()
    if kind is Any:
        return {values[str]: [values[int], values[str]]}
    if origin is dict:
        return {values[str]: extreme(inner[1], values)}
    if origin is list:
        return [extreme(inner[0], values)] * 3
    if inner:
        return extreme(inner[0], values)
    if issubclass(kind, enum.Enum):
        return next(iter(kind))
    return kind(**fields_of(kind, values))


def fields_of(cls: type[Any], values: dict[Any, Any]) -> dict[str, Any]:
    hints = get_type_hints(cls)
    return {each.name: extreme(hints[each.name], values) for each in attrs.fields(cls)}


@pytest.mark.parametrize("name", EXTREMES)
def test_flt27_extremes_of_every_packet_are_no_failure_of_ours(name: str) -> None:
    packets = [cls(**fields_of(cls, EXTREMES[name])) for cls in get_args(Packet)]
    said = [(packet, agent, True) for packet in packets for agent in (0, AGENTS)]
    trio.run(heard_out, said, clock=patient_clock())


def test_sec4_a_router_counts_only_what_routers_count() -> None:
    counters = {f"count_{n}": 2**64 - 1 for n in range(5_000)} | {"\x1b[2J": 1, "x" * 9_999: 1, "": 1}
    said: list[Said] = [(ReturnStatuses({}, counters, {}), AGENTS, True)]
    counted = trio.run(heard_out, said, clock=patient_clock())
    theirs = {name: count for name, count in counted.items() if name.startswith("router_")}
    assert 0 < len(theirs) <= COUNTERS_MAX
    assert all(name.startswith("router_count_") and count == COUNT_MAX for name, count in theirs.items())
