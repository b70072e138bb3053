"""One end of the link, facing another over a wire that loses nothing."""

from collections.abc import Callable, Sequence
from typing import Any

import attrs
import msgpack as untyped_msgpack  # type: ignore[import-untyped]
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdd.protocol import codec as codec_module
from crowdd.protocol import link as link_module
from crowdd.protocol import states as states_module
from crowdd.protocol import stream_table as stream_table_module
from crowdd.protocol import streams as streams_module
from crowdd.protocol.codec import decode_frame, decode_packet, encode_frame, packet_map
from crowdd.protocol.errors import LinkFull, RemoteProtocolError, Unsendable
from crowdd.protocol.limits import REQUESTS_OPEN_MAX, STREAM_UNACKED_MAX, STREAM_WINDOW
from crowdd.protocol.link import Heard, LinkEnd, Role
from crowdd.protocol.names import AgentStatus, Outcome, Reason, WireId
from crowdd.protocol.packets import (
    Ack,
    AgentDetails,
    Alive,
    Answer,
    ClientBoundLiveUpdate,
    Hello,
    LogError,
    MephistoBoundLiveUpdate,
    Packet,
    Part,
    RegisterAgent,
    RequestStatuses,
    ReturnStatuses,
    SubmitUnit,
    UpdateStatus,
)
from crowdd.protocol.parts import split
from crowdd.protocol.streams import Confirmed, Tag, newest, stream_epoch

msgpack: Any = untyped_msgpack
A, B = WireId("agent-a"), WireId("agent-b")
BEAT = RequestStatuses()
EPOCH = stream_epoch(5, 0)


class Pair:
    """Daemon and router, joined; `pump` carries frames until both are quiet."""

    def __init__(self) -> None:
        self.daemon = LinkEnd(Role.DAEMON, 5)
        self.router = LinkEnd(Role.ROUTER, 7)
        self.join()

    def join(self) -> None:
        self.daemon_epoch, self.router_epoch = 5, 7
        self.daemon.connection_made(0.0, self.router_epoch)
        self.router.connection_made(0.0, self.daemon_epoch)

    def cut(self) -> None:
        self.daemon.connection_lost()
        self.router.connection_lost()

    def pump(self) -> tuple[list[Heard], list[Heard]]:
        """What daemon and router are given."""
        to_daemon, to_router = list[Heard](), list[Heard]()
        while True:
            up, down = self.router.take_frame(), self.daemon.take_frame()
            if up is None and down is None:
                return to_daemon, to_router
            to_daemon += self.daemon.receive(up, 1.0) if up else []
            to_router += self.router.receive(down, 1.0) if down else []


@pytest.fixture
def pair() -> Pair:
    return Pair()


def register(request: str = "q") -> RegisterAgent:
    return RegisterAgent(request, {"link": "x"})


def status(version: int, word: AgentStatus = AgentStatus.IN_TASK, subject: WireId = A) -> UpdateStatus:
    return UpdateStatus(subject, version, word)


def update(sequence: int, epoch: int = EPOCH, **data: Any) -> ClientBoundLiveUpdate:
    return ClientBoundLiveUpdate(A, epoch, sequence, data)


def sequences(packets: Sequence[Heard]) -> list[int]:
    return [p.sequence for p in packets if isinstance(p, ClientBoundLiveUpdate | MephistoBoundLiveUpdate)]


def give(end: LinkEnd, *packets: Packet) -> Sequence[Heard]:
    return end.receive(encode_frame(packets), 1.0)


def said(end: LinkEnd) -> list[Any]:
    return [packet for frame in iter(end.take_frame, None) for packet in decode_frame(frame)]


# requests


def test_a_request_is_asked_once_and_answered_once(pair: Pair) -> None:
    pair.router.send_request(register(), 0.0)
    assert pair.pump() == ([register()], [])
    pair.daemon.send(AgentDetails("q", Outcome.OK))
    assert pair.pump() == ([], [AgentDetails("q", Outcome.OK)])
    assert pair.router.open_requests() == 0


def test_a_second_reply_is_dropped(pair: Pair) -> None:
    pair.router.send_request(register(), 0.0)
    pair.pump()
    pair.daemon.send(Answer("q", Outcome.OK))
    pair.daemon.send(Answer("q", Outcome.REFUSED))
    assert pair.pump()[1] == [Answer("q", Outcome.OK)]
    assert pair.router.counters["late_replies"] == 1


def test_an_unanswered_request_is_asked_again_on_every_connection(pair: Pair) -> None:
    pair.router.send_request(register(), 0.0)
    for _ in range(3):
        assert pair.pump()[0] == [register()]
        pair.cut()
        pair.join()


def test_an_answered_request_is_not_asked_again(pair: Pair) -> None:
    pair.router.send_request(register(), 0.0)
    pair.pump()
    pair.daemon.send(Answer("q", Outcome.OK))
    pair.pump()
    pair.cut()
    pair.join()
    assert pair.pump() == ([], [])


def test_a_request_made_without_a_connection_is_asked_on_the_next(pair: Pair) -> None:
    pair.cut()
    pair.router.send_request(register(), 0.0)
    assert pair.router.take_frame() is None
    pair.join()
    assert pair.pump()[0] == [register()]


def test_a_withdrawn_request_is_asked_no_more(pair: Pair) -> None:
    pair.router.send_request(register(), 0.0)
    assert pair.router.withdraw("q")
    assert not pair.router.withdraw("q")
    assert pair.pump() == ([], [])


def test_requests_have_names_of_their_own(pair: Pair) -> None:
    pair.router.send_request(register(), 0.0)
    with pytest.raises(ValueError, match="already open"):
        pair.router.send_request(register(), 0.0)


def test_only_so_many_requests_are_open(pair: Pair) -> None:
    for number in range(REQUESTS_OPEN_MAX):
        pair.router.send_request(register(str(number)), 0.0)
    with pytest.raises(LinkFull):
        pair.router.send_request(register("one more"), 0.0)
    pair.router.withdraw("0")
    pair.router.send_request(register("one more"), 0.0)


def test_open_requests_hold_only_so_many_bytes(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_module, "LINK_HELD_BYTES_MAX", 1_000)
    pair.router.send_request(RegisterAgent("q", {"x": "y" * 900}), 0.0)
    with pytest.raises(LinkFull):
        pair.router.send_request(RegisterAgent("r", {"x": "y" * 100}), 0.0)
    pair.router.withdraw("q")
    pair.router.send_request(RegisterAgent("r", {"x": "y" * 100}), 0.0)


def test_a_request_that_cannot_cross_is_refused_to_its_sender(pair: Pair) -> None:
    with pytest.raises(Unsendable):
        pair.router.send_request(RegisterAgent("q", {"x": object()}), 0.0)
    assert pair.router.open_requests() == 0


def test_the_longest_wait_is_known(pair: Pair) -> None:
    assert pair.router.waited(9.0) == 0.0
    pair.router.send_request(register("1"), 1.0)
    pair.router.send_request(register("2"), 4.0)
    assert pair.router.waited(9.0) == 8.0


def test_a_request_of_megabytes_crosses_and_a_heartbeat_passes_it(pair: Pair) -> None:
    large = SubmitUnit(A, "q", {"x": "y" * 3_000_000})
    pair.router.send_request(large, 0.0)
    pair.router.take_frame()
    pair.router.send(ReturnStatuses())
    frame = pair.router.take_frame()
    assert frame is not None
    assert pair.daemon.receive(frame, 1.0) == [ReturnStatuses()]


def test_a_packet_of_too_many_lists_is_a_bad_part_and_hurts_no_other(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(codec_module, "PACKET_CONTAINERS_MAX", 100_000)
    packet = packet_map(LogError(A, [[]] * 100_000))
    parts = [decode_packet(part) for part in split(msgpack.packb(packet), 0)]
    assert [give(pair.daemon, part) for part in parts if isinstance(part, Part)] == [[]] * len(parts)
    assert pair.daemon.counters["bad_parts"] == 1
    assert give(pair.daemon, Alive(A)) == [Alive(A)]


def test_a_packet_that_was_cut_in_the_middle_crosses_whole_on_the_next_connection(pair: Pair) -> None:
    large = SubmitUnit(A, "q", {"x": "y" * 3_000_000})
    pair.router.send_request(large, 0.0)
    frame = pair.router.take_frame()
    assert frame is not None
    assert pair.daemon.receive(frame, 1.0) == []
    pair.cut()
    pair.join()
    assert pair.pump()[0] == [large]


def test_large_packets_of_a_router_that_started_anew_are_put_together(pair: Pair) -> None:
    for epoch in (7, 8):
        pair.router = LinkEnd(Role.ROUTER, epoch)
        pair.router.connection_made(0.0, 5)
        pair.daemon.connection_made(0.0, epoch)
        large = SubmitUnit(A, "q", {"x": "y" * 300_000})
        pair.router.send_request(large, 0.0)
        assert pair.pump()[0] == [large]


# what is said once


def test_what_is_said_without_a_connection_is_dropped_and_the_sender_knows(pair: Pair) -> None:
    pair.cut()
    assert pair.daemon.send(BEAT) is False
    pair.join()
    assert pair.daemon.send(BEAT) is True
    assert pair.pump()[1] == [BEAT]


def test_what_waits_for_a_slow_reader_has_a_limit(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_module, "LINK_QUEUE_BYTES_MAX", 1_000)
    pair.router.send(LogError(A, "x" * 900))
    with pytest.raises(LinkFull):
        pair.router.send(LogError(A, "x" * 100))
    pair.pump()
    pair.router.send(LogError(A, "x" * 100))


def test_silence_is_measured_from_the_last_frame(pair: Pair) -> None:
    assert pair.daemon.silent_for(3.0) == 3.0
    pair.router.send(Alive(A))
    pair.pump()
    assert pair.daemon.silent_for(3.0) == 2.0


# statuses


def test_the_newest_status_takes_the_place_of_one_that_waits(pair: Pair) -> None:
    for version in (1, 2, 3):
        pair.daemon.send(status(version))
    assert pair.pump()[1] == [status(3)]


def test_an_older_status_changes_nothing(pair: Pair) -> None:
    pair.daemon.send(status(2))
    pair.daemon.send(status(1))
    assert pair.pump()[1] == [status(2)]


def test_an_older_status_that_arrives_is_dropped_however_often(pair: Pair) -> None:
    assert give(pair.router, status(2), status(1), status(1), status(2), status(3)) == [status(2), status(3)]
    assert pair.router.counters["stale_statuses"] == 3


def test_a_status_told_without_a_connection_is_told_on_the_next(pair: Pair) -> None:
    pair.cut()
    assert pair.daemon.send(status(1)) is False
    pair.join()
    assert pair.pump()[1] == [status(1)]


def test_a_status_lost_with_its_connection_is_told_again(pair: Pair) -> None:
    pair.daemon.send(status(1))
    pair.daemon.take_frame()
    pair.cut()
    pair.join()
    assert pair.pump()[1] == [status(1)]


def test_a_daemon_that_started_anew_may_count_anew(pair: Pair) -> None:
    give(pair.router, status(9))
    pair.router.connection_made(1.0, 6)
    assert give(pair.router, status(1)) == [status(1)]


def test_only_so_many_statuses_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(states_module, "STATES_MAX", 2)
    pair = Pair()
    for name in ("1", "2", "3"):
        pair.daemon.send(status(1, subject=WireId(name)))
    pair.pump()
    pair.cut()
    pair.join()
    pair.router.connection_made(1.0, 6)
    assert [packet.subject for packet in pair.pump()[1] if isinstance(packet, UpdateStatus)] == ["2", "3"]


# streams


def test_updates_arrive_in_order_and_once(pair: Pair) -> None:
    for number in range(100):
        pair.daemon.stream_send(A, {"n": number})
        pair.router.stream_send(A, {"n": number})
    to_daemon, to_router = pair.pump()
    assert sequences(to_daemon) == sequences(to_router) == list(range(1, 101))


def test_unconfirmed_updates_come_again_and_are_given_once(pair: Pair) -> None:
    pair.daemon.stream_send(A, {})
    assert sequences(pair.pump()[1]) == [1]
    pair.cut()
    pair.join()
    pair.daemon.stream_send(A, {})
    assert sequences(pair.pump()[1]) == [2]
    assert pair.router.counters["duplicate_updates"] == 1


def test_a_confirmed_update_does_not_come_again(pair: Pair) -> None:
    sent = pair.daemon.stream_send(A, {})
    pair.pump()
    pair.router.stream_stored(sent)
    pair.pump()
    pair.cut()
    pair.join()
    assert said(pair.daemon) == []


def test_a_stream_goes_on_after_everything_was_confirmed(pair: Pair) -> None:
    for number in range(1, 4):
        sent = pair.daemon.stream_send(A, {})
        assert sequences(pair.pump()[1]) == [number]
        pair.router.stream_stored(sent)
        pair.pump()


def test_a_confirmation_that_was_lost_is_said_again(pair: Pair) -> None:
    sent = pair.daemon.stream_send(A, {})
    pair.pump()
    pair.cut()
    pair.router.stream_stored(sent)
    pair.join()
    pair.pump()
    pair.cut()
    pair.join()
    assert said(pair.daemon) == []


def test_confirmations_that_wait_become_one(pair: Pair) -> None:
    sent = [pair.daemon.stream_send(A, {}) for _ in range(9)]
    pair.pump()
    for packet in sent:
        pair.router.stream_stored(packet)
    assert said(pair.router) == [Ack(A, sent[0].epoch, 9)]


def test_what_was_not_received_cannot_be_confirmed(pair: Pair) -> None:
    give(pair.router, update(1))
    pair.router.stream_stored(update(5))
    assert said(pair.router) == [Ack(A, EPOCH, 1)]


def test_later_updates_wait_for_a_missing_one_which_is_asked_for_once(pair: Pair) -> None:
    assert give(pair.router, update(1), update(3), update(4)) == [update(1)]
    assert said(pair.router) == [Ack(A, EPOCH, 0, resend=True)]
    assert give(pair.router, update(2)) == [update(2), update(3), update(4)]
    assert pair.router.counters["gaps"] == 1


def test_the_windows_of_all_agents_hold_only_so_many_bytes_and_the_rest_comes_again(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams_module, "STREAM_WINDOWS_BYTES_MAX", 10_000)
    many = [update(sequence, text="x" * 4_000) for sequence in range(2, 6)]
    give(pair.router, *many)
    assert said(pair.router) == [Ack(A, EPOCH, 0, resend=True)]
    assert sequences(give(pair.router, update(1))) == [1, 2, 3]
    assert sequences(give(pair.router, *many)) == [4, 5]


def test_a_window_takes_room_for_what_cannot_be_read_as_well(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams_module, "STREAM_WINDOWS_BYTES_MAX", 0)
    bad: dict[str, Any] = {"t": "client_bound_live_update", "s": A, "e": EPOCH, "q": 2, "d": {}}
    pair.router.receive(msgpack.packb([bad]), 1.0)
    assert sequences(give(pair.router, update(1))) == [1]
    assert sequences(give(pair.router, update(2))) == [2]


def _fills_the_gap(pair: Pair) -> None:
    give(pair.router, update(1))


def _forgets(pair: Pair) -> None:
    pair.router.forget(A)


def _begins_a_new_stream(pair: Pair) -> None:
    give(pair.router, update(1, stream_epoch(5, 1)))


def _meets_another_daemon(pair: Pair) -> None:
    pair.cut()
    pair.router.connection_made(0.0, 6)
    pair.router.connection_made(0.0, 5)


@pytest.mark.parametrize("let_go", [_fills_the_gap, _forgets, _begins_a_new_stream, _meets_another_daemon])
def test_what_no_window_holds_any_more_takes_no_room(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, let_go: Callable[[Pair], None]
) -> None:
    monkeypatch.setattr(streams_module, "STREAM_WINDOWS_BYTES_MAX", 1_000)
    give(pair.router, update(2, text="x" * 500))
    let_go(pair)
    other = [attrs.evolve(update(sequence, text="y" * 500), subject=B) for sequence in (2, 1)]
    assert sequences(give(pair.router, *other)) == [1, 2]


def test_a_second_gap_is_asked_for_as_well(pair: Pair) -> None:
    give(pair.router, update(2))
    give(pair.router, update(1))
    said(pair.router)
    give(pair.router, update(4))
    assert said(pair.router) == [Ack(A, EPOCH, 0, resend=True)]


def test_a_gap_that_stays_is_asked_for_on_every_connection(pair: Pair) -> None:
    give(pair.router, update(2))
    said(pair.router)
    pair.cut()
    pair.join()
    give(pair.router, update(2))
    assert said(pair.router) == [Ack(A, EPOCH, 0, resend=True)]


def test_a_gap_is_filled_by_the_sender(pair: Pair) -> None:
    for _ in range(3):
        pair.daemon.stream_send(A, {})
    pair.daemon.take_frame()
    pair.daemon.stream_send(A, {})
    assert sequences(pair.pump()[1]) == [1, 2, 3, 4]


def confirmed(heard: Sequence[Heard]) -> list[tuple[WireId, Tag]]:
    return [(each.subject, each.tag) for each in heard if isinstance(each, Confirmed)]


def test_the_owner_hears_what_was_confirmed_by_its_own_number(pair: Pair) -> None:
    sent = [pair.daemon.stream_send(A, {}, tag=number, number=number) for number in (7, 8, 9)]
    assert confirmed(pair.pump()[0]) == []
    pair.router.stream_stored(sent[1])
    assert confirmed(pair.pump()[0]) == [(A, 8)]
    pair.router.stream_stored(sent[2])
    assert confirmed(pair.pump()[0]) == [(A, 9)]


def test_a_confirmation_said_twice_is_heard_once(pair: Pair) -> None:
    sent = pair.daemon.stream_send(A, {}, tag=1)
    pair.pump()
    pair.router.stream_stored(sent)
    pair.router.stream_stored(sent)
    assert confirmed(pair.pump()[0]) == [(A, 1)]
    pair.router.stream_stored(sent)
    assert confirmed(pair.pump()[0]) == []


def test_each_page_of_an_agent_hears_of_its_own_updates(pair: Pair) -> None:
    for page, number in (("one", 1), ("two", 5), ("one", 2), ("one", 3), ("one", 2)):
        sent = pair.router.stream_send(A, {}, tag=(page, number), page=page, page_number=number)
    (*_, last) = pair.pump()[0]
    assert isinstance(last, MephistoBoundLiveUpdate)
    assert (last.page, last.page_number) == ("one", 2)
    pair.daemon.stream_stored(sent)
    assert confirmed(pair.pump()[1]) == [(A, ("one", 3)), (A, ("two", 5))]


def test_what_has_no_number_is_confirmed_in_silence(pair: Pair) -> None:
    sent = pair.router.stream_send(A, {})
    pair.pump()
    pair.daemon.stream_stored(sent)
    assert pair.pump() == ([], [])


def test_the_owners_numbers_outlive_a_restart_of_the_stream(pair: Pair) -> None:
    sent = [pair.daemon.stream_send(A, {"n": n}, tag=n) for n in (1, 2, 3)]
    pair.pump()
    pair.router.stream_stored(sent[0])
    pair.pump()
    pair.cut()
    pair.router = LinkEnd(Role.ROUTER, 8)
    pair.daemon.connection_made(2.0, 8)
    pair.router.connection_made(2.0, 5)
    last = [p for p in pair.pump()[1] if isinstance(p, ClientBoundLiveUpdate)][-1]
    pair.router.stream_stored(last)
    assert confirmed(pair.pump()[0]) == [(A, 3)]


def test_no_page_hears_of_a_lower_number_than_was_confirmed() -> None:
    assert newest([]) == ()
    assert newest([3, 4, 2]) == (4,)


def test_a_window_of_updates_is_held_and_not_one_more(pair: Pair) -> None:
    give(pair.router, *(update(sequence) for sequence in range(2, STREAM_WINDOW + 3)))
    assert len(give(pair.router, update(1))) == STREAM_WINDOW


def test_a_large_update_keeps_its_place(pair: Pair) -> None:
    pair.daemon.stream_send(A, {"x": "y" * 300_000})
    pair.daemon.stream_send(A, {})
    pair.daemon.stream_send(B, {})
    given = [(p.subject, p.sequence) for p in pair.pump()[1] if isinstance(p, ClientBoundLiveUpdate)]
    assert given == [(B, 1), (A, 1), (A, 2)]
    assert pair.router.counters["gaps"] == 0


def test_agents_take_turns(pair: Pair) -> None:
    for _ in range(50):
        pair.daemon.stream_send(A, {})
    pair.daemon.stream_send(B, {})
    order = [packet.subject for packet in said(pair.daemon)]
    assert order.index(B) == 1


def test_one_agent_has_only_so_many_unconfirmed_updates(pair: Pair) -> None:
    sent = [pair.daemon.stream_send(A, {}) for _ in range(STREAM_UNACKED_MAX)]
    with pytest.raises(LinkFull):
        pair.daemon.stream_send(A, {})
    pair.daemon.stream_send(B, {})
    pair.pump()
    pair.router.stream_stored(sent[-1])
    pair.pump()
    pair.daemon.stream_send(A, {})


def test_a_peer_that_sends_more_than_may_be_unconfirmed_of_one_agent_is_cut_off(pair: Pair) -> None:
    given = give(pair.router, *(update(sequence) for sequence in range(1, STREAM_UNACKED_MAX + 1)))
    assert sequences(given) == [*range(1, STREAM_UNACKED_MAX + 1)]
    with pytest.raises(RemoteProtocolError, match=f"more than {STREAM_UNACKED_MAX} unconfirmed"):
        give(pair.router, update(STREAM_UNACKED_MAX + 1))


def test_a_peer_may_repeat_all_that_is_unconfirmed_and_go_on_once_one_is_confirmed(pair: Pair) -> None:
    everything = [update(sequence) for sequence in range(1, STREAM_UNACKED_MAX + 1)]
    give(pair.router, *everything)
    assert give(pair.router, *everything) == []
    pair.router.stream_stored(everything[0])
    assert sequences(give(pair.router, update(STREAM_UNACKED_MAX + 1))) == [STREAM_UNACKED_MAX + 1]


def test_confirmed_updates_free_their_bytes(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_module, "LINK_HELD_BYTES_MAX", 1_000)
    sent = pair.daemon.stream_send(A, {"x": "y" * 1_000})
    with pytest.raises(LinkFull):
        pair.daemon.stream_send(B, {})
    pair.pump()
    pair.router.stream_stored(sent)
    pair.pump()
    pair.daemon.stream_send(B, {})


def test_the_unconfirmed_updates_of_one_agent_hold_only_so_many_bytes(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_table_module, "STREAM_UNACKED_BYTES_MAX", 1_000)
    pair.daemon.stream_send(A, {"x": "y" * 2_000})  # one is always taken, whatever its size
    with pytest.raises(LinkFull):
        pair.daemon.stream_send(A, {})
    pair.daemon.stream_send(B, {})


def test_updates_leave_room_for_requests(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_module, "LINK_HELD_BYTES_MAX", 2_000)
    pair.router.stream_send(A, {"x": "y" * 1_100})
    with pytest.raises(LinkFull):
        pair.router.stream_send(B, {})
    pair.router.send_request(RegisterAgent("q", {"x": "y" * 600}), 0.0)


def test_only_so_many_agents_have_streams(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_table_module, "STREAMS_MAX", 1)
    pair.daemon.stream_send(A, {})
    with pytest.raises(LinkFull):
        pair.daemon.stream_send(B, {})
    pair.daemon.forget(A)
    pair.daemon.stream_send(B, {})


def test_a_peer_opens_only_so_many_streams(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_table_module, "STREAMS_MAX", 1)
    other = ClientBoundLiveUpdate(B, EPOCH, 1, {})
    assert give(pair.router, update(1), other) == [update(1)]
    pair.router.forget(A)
    assert give(pair.router, other) == [other]


def test_an_update_that_cannot_cross_leaves_no_gap(pair: Pair) -> None:
    with pytest.raises(Unsendable):
        pair.daemon.stream_send(A, {"x": object()})
    pair.daemon.stream_send(A, {})
    assert sequences(pair.pump()[1]) == [1]


def test_a_router_that_lost_its_memory_gets_everything_unconfirmed(pair: Pair) -> None:
    sent = [pair.daemon.stream_send(A, {"n": number}) for number in range(5)]
    pair.pump()
    pair.router.stream_stored(sent[2])
    pair.pump()
    pair.cut()
    pair.router = LinkEnd(Role.ROUTER, 8)
    pair.daemon.connection_made(2.0, 8)
    pair.router.connection_made(2.0, 5)
    given = pair.pump()[1]
    assert [p.update["n"] for p in given if isinstance(p, ClientBoundLiveUpdate)] == [3, 4]
    assert pair.daemon.counters["stream_restarts"] == 1
    pair.daemon.stream_send(A, {"n": 5})
    assert [p.update["n"] for p in pair.pump()[1] if isinstance(p, ClientBoundLiveUpdate)] == [5]


def test_a_daemon_that_knows_from_storage_goes_on_where_it_was(pair: Pair) -> None:
    sent = [pair.router.stream_send(A, {}) for _ in range(5)]
    pair.pump()
    pair.cut()
    pair.daemon = LinkEnd(Role.DAEMON, 6)
    pair.daemon.stream_resume(A, sent[2].epoch, sent[2].sequence)
    pair.daemon.connection_made(2.0, 7)
    pair.router.connection_made(2.0, 6)
    assert sequences(pair.pump()[0]) == [4, 5]


def test_an_old_request_to_resend_does_not_restart_a_stream(pair: Pair) -> None:
    sent = [pair.daemon.stream_send(A, {}) for _ in range(3)]
    pair.pump()
    pair.router.stream_stored(sent[1])
    pair.pump()
    give(pair.daemon, Ack(A, sent[0].epoch, 0, resend=True))
    assert pair.daemon.counters["stale_acks"] == 1
    assert pair.pump() == ([], [])


@pytest.mark.parametrize("ack", [Ack(A, EPOCH, 2), Ack(A, 1, 1), Ack(B, EPOCH, 1), Ack(A, EPOCH, -1)])
def test_an_impossible_confirmation_is_dropped(pair: Pair, ack: Ack) -> None:
    pair.daemon.stream_send(A, {})
    give(pair.daemon, ack)
    assert pair.daemon.counters["stale_acks"] == 1
    pair.cut()
    pair.join()
    assert sequences(pair.pump()[1]) == [1]


@pytest.mark.parametrize(
    "stale", [update(1, epoch=stream_epoch(4, 0)), update(1, epoch=stream_epoch(6, 0)), update(0), update(-1)]
)
def test_an_update_of_another_time_is_dropped(pair: Pair, stale: ClientBoundLiveUpdate) -> None:
    give(pair.router, update(1))
    assert give(pair.router, stale) == []
    assert pair.router.counters["stale_updates"] == 1


def test_streams_of_a_daemon_that_started_anew_are_new(pair: Pair) -> None:
    give(pair.router, update(1))
    pair.router.connection_made(1.0, 6)
    assert give(pair.router, update(1, epoch=stream_epoch(6, 0))) == [update(1, epoch=stream_epoch(6, 0))]


def test_streams_of_a_daemon_that_is_gone_take_no_place(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_table_module, "STREAMS_MAX", 1)
    give(pair.router, update(1))
    pair.router.connection_made(1.0, 6)
    other = ClientBoundLiveUpdate(B, stream_epoch(6, 0), 1, {})
    assert give(pair.router, other) == [other]


def test_an_update_from_before_a_restart_of_its_stream_is_dropped(pair: Pair) -> None:
    restarted = update(1, epoch=EPOCH + 1)
    assert give(pair.router, update(1), restarted, update(2), update(1)) == [update(1), restarted]
    assert pair.router.counters["stale_updates"] == 2


def test_a_forgotten_agent_is_not_sent_again(pair: Pair) -> None:
    pair.daemon.stream_send(A, {})
    pair.daemon.forget(A)
    pair.cut()
    pair.join()
    assert said(pair.daemon) == []


def test_a_forgotten_agent_that_comes_back_has_a_new_stream(pair: Pair) -> None:
    pair.daemon.stream_send(A, {"n": 1})
    pair.pump()
    pair.daemon.forget(A)
    pair.daemon.stream_send(A, {"n": 2})
    assert [p.update["n"] for p in pair.pump()[1] if isinstance(p, ClientBoundLiveUpdate)] == [2]


@pytest.mark.parametrize("epoch", [0, -1, 2**40])
def test_an_epoch_leaves_room_for_restarts(epoch: int) -> None:
    with pytest.raises(ValueError, match="epoch"):
        LinkEnd(Role.ROUTER, epoch)


# bad input


def wires(end: LinkEnd, *maps: dict[str, Any]) -> Sequence[Heard]:
    return end.receive(msgpack.packb(list(maps)), 1.0)


def test_an_unknown_packet_is_counted_and_its_neighbours_go_on(pair: Pair) -> None:
    assert wires(pair.router, {"t": "dance", "d": {}}, {"t": "request_statuses", "d": {}}) == [BEAT]
    assert pair.router.counters["unknown_packets"] == 1


def test_an_unknown_request_is_refused(pair: Pair) -> None:
    wires(pair.daemon, {"t": "dance", "r": "q", "d": {}})
    (answer,) = said(pair.daemon)
    assert (answer.request, answer.outcome, answer.reason) == ("q", Outcome.REFUSED, Reason.BAD_REQUEST)


def test_a_bad_request_is_refused_with_what_is_wrong(pair: Pair) -> None:
    wires(pair.daemon, {"t": "register_agent", "r": "q", "d": {"provider_data": 5}})
    (answer,) = said(pair.daemon)
    assert answer == Answer(
        "q", Outcome.REFUSED, Reason.BAD_REQUEST, "d.provider_data: dict expected, not int"
    )
    assert pair.daemon.counters["bad_packets"] == 1


def test_a_reply_that_cannot_be_read_means_try_later(pair: Pair) -> None:
    pair.router.send_request(register(), 0.0)
    (reply,) = wires(pair.router, {"t": "agent_details", "r": "q", "d": {"outcome": 5}})
    assert isinstance(reply, Answer)
    assert (reply.request, reply.outcome) == ("q", Outcome.TRY_LATER)
    assert pair.router.open_requests() == 0


def test_an_update_that_cannot_be_read_does_not_stop_its_stream(pair: Pair) -> None:
    bad = {"t": "client_bound_live_update", "s": A, "e": EPOCH, "q": 2, "d": {"update": 5}}
    give(pair.router, update(1))
    assert wires(pair.router, bad) == []
    assert give(pair.router, update(3)) == [update(3)]


@pytest.mark.parametrize(
    ("role", "packet"),
    [
        (Role.ROUTER, register()),
        (Role.ROUTER, ReturnStatuses()),
        (Role.ROUTER, Hello(1, [1], "x", b"", 1)),
        (Role.DAEMON, status(1)),
        (Role.DAEMON, BEAT),
        (Role.DAEMON, update(1)),
    ],
)
def test_nobody_says_what_is_the_other_sides_to_say(pair: Pair, role: Role, packet: Packet) -> None:
    end = pair.router if role is Role.ROUTER else pair.daemon
    assert give(end, packet) == []
    assert end.counters["unexpected_packets"] == 1


def test_parts_that_do_not_fit_are_counted(pair: Pair) -> None:
    inner = encode_frame([Part(0, 0, True, b"x")])[1:]
    give(pair.router, Part(3, 1, True, b""), Part(4, 0, True, b"\xc1"), Part(5, 0, True, inner), BEAT)
    assert pair.router.counters["bad_parts"] == 3


def test_a_broken_frame_is_the_one_error_that_rises(pair: Pair) -> None:
    with pytest.raises(RemoteProtocolError):
        pair.router.receive(b"\xc1", 1.0)


words = ["part", "ack", "answer", "client_bound_live_update", "update_status", "hello", "agent", "q"]
inner_values = (
    st.integers(-1, 3) | st.booleans() | st.binary(max_size=3) | st.just("ok") | st.just(dict[str, Any]())
)
inner_keys = st.sampled_from(["id", "index", "last", "piece", "update", "status", "outcome"])
values = (
    st.none() | st.integers(-2, 2**40) | st.sampled_from(words) | st.dictionaries(inner_keys, inner_values)
)


@given(st.lists(st.dictionaries(st.sampled_from("tsreqvd"), values)))
@settings(max_examples=200)
def test_no_map_hurts_an_end(maps: list[dict[str, Any]]) -> None:
    pair = Pair()
    pair.router.send_request(register(), 0.0)
    pair.router.stream_send(A, {})
    wires(pair.router, *maps)
    pair.daemon.send(BEAT)
    assert BEAT in pair.pump()[1]


def test_an_agent_that_is_reached_elsewhere_is_heard_on_by_the_old_way(pair: Pair) -> None:
    pair.router.stream_send(A, {"n": 1})
    (first,), _ = pair.pump()
    assert isinstance(first, MephistoBoundLiveUpdate)
    pair.daemon.stream_stored(first)
    pair.daemon.stream_send(A, {"n": 1})
    pair.pump()
    pair.daemon.forget_sent(A)
    pair.router.stream_send(A, {"n": 2})
    (second,), _ = pair.pump()
    assert isinstance(second, MephistoBoundLiveUpdate)
    assert second.update == {"n": 2}
    pair.daemon.stream_send(A, {"n": 2})
    assert sequences(pair.pump()[1]) == [1]
