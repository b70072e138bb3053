"""Row: our codec, strict and generic, beside the code that one would write by hand for one packet."""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, cast

import msgpack as _untyped_msgpack  # type: ignore[import-untyped]
import trio

from crowdd.protocol.codec import decode_frame, encode_frame
from crowdd.protocol.names import WireId
from crowdd.protocol.packets import MephistoBoundLiveUpdate

from ..instrument.row import Measure, Row, Setting, Sides, at_most
from ..instrument.sample import Figure, Meter, Sample

PACKETS, PACKETS_SMALL = 5_000, 500
TURNS = 40  # a message and an answer are some 50 bytes of JSON: together 2 kB
_msgpack: Any = _untyped_msgpack


def packet_of_2_kb() -> MephistoBoundLiveUpdate:
    """What a page of a long conversation says."""
    said = [{"turn": n, "who": "worker", "words": "so it was", "seconds": n * 1.25} for n in range(TURNS)]
    update = {"update_id": "3-17", "said": said, "done": False}
    return MephistoBoundLiveUpdate(WireId("w" * 43), 1, 17, update, "page-3", 17)


def by_hand(packet: MephistoBoundLiveUpdate) -> MephistoBoundLiveUpdate:
    """To a frame and back, knowing that it is this packet and nothing is wrong with it."""
    data = {"update": packet.update, "page": packet.page, "page_number": packet.page_number}
    wire = {"t": packet.type.value, "s": packet.subject, "e": packet.epoch, "q": packet.sequence, "d": data}
    frame: bytes = _msgpack.packb([wire], use_bin_type=True)
    (got,) = _msgpack.unpackb(frame, raw=False)
    told = got["d"]
    return MephistoBoundLiveUpdate(
        got["s"], got["e"], got["q"], told["update"], told["page"], told["page_number"]
    )


def by_codec(packet: MephistoBoundLiveUpdate) -> MephistoBoundLiveUpdate:
    """The same as router and daemon do it."""
    (got,) = decode_frame(encode_frame([packet]))
    return cast(MephistoBoundLiveUpdate, got)


@asynccontextmanager
async def open_sides(setting: Setting) -> AsyncGenerator[Sides]:
    """Both in this process."""
    packet, count = packet_of_2_kb(), setting.size(PACKETS, PACKETS_SMALL)
    assert by_hand(packet) == by_codec(packet) == packet
    yield Sides(_side(by_codec, packet, count), _side(by_hand, packet, count))


def _side(there_and_back: Any, packet: MephistoBoundLiveUpdate, count: int) -> Measure:
    async def measure() -> Sample:
        await trio.lowlevel.checkpoint()
        with Meter([os.getpid()]) as meter:
            for _ in range(count):
                there_and_back(packet)
        return meter.sample(count)

    return measure


ROW = Row(
    "codec",
    "codec: a packet of 2 kB to a frame and back",
    "hand-written msgpack",
    (at_most(Figure.CPU_US, 1.5),),
    open_sides,
)
