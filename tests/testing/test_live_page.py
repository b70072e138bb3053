"""Pages of live work as pure machines: what they say when, and that a bad network costs them nothing."""

import random
from collections.abc import Iterator, Mapping
from typing import Any

import attrs
import pytest

from crowdd.testing.live_page import (
    AHEAD_MAX,
    BURST_MAX,
    HEARTBEAT_S,
    HEARTBEATS_MISSED_MAX,
    HOLE_S,
    IN_FLIGHT_MAX,
    PER_S_MAX,
    SEEN_SAID_S,
    STORED_WITHIN_S,
    LivePage,
)
from crowdd.testing.outbox import Outbox
from crowdd.testing.pages import Handed, Kept, Page, RollCalled, StatusTold

AGENT = "agent-1"


def _page(outbox: Outbox | None = None, load: str = "load-1", seed: int = 1) -> LivePage:
    return LivePage(AGENT, load, Outbox() if outbox is None else outbox, random.Random(seed))


def _taken(page: Page, now: float) -> list[Mapping[str, Any]]:
    return list(iter(lambda: page.take(now), None))


def _numbers(packets: list[Mapping[str, Any]]) -> list[tuple[str, int]]:
    return [(packet["page"], packet["number"]) for packet in packets if "number" in packet]


def _from_router(kind: str, data: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {"packet_type": kind, "subject_id": AGENT, "data": data, **more}


def _update(number: int) -> dict[str, Any]:
    return _from_router("client_bound_live_update", {"n": number, "update_id": f"1.{number}"}, number=number)


def test_a_new_socket_begins_with_whose_it_is_and_what_was_seen() -> None:
    page = _page()
    page.restored({"seen": 3, "init_task_data": {"past_live_updates": []}})
    page.opened(0)
    (alive,) = _taken(page, 0)
    assert (alive["packet_type"], alive["subject_id"]) == ("alive", AGENT)
    assert (alive["data"]["crowdd"], alive["data"]["seen"], alive["data"].get("here")) == (1, 3, None)


def test_a_page_load_is_given_the_past_of_user_code_and_not_what_it_said_itself() -> None:
    past = [
        {"update_id": "7.1", "text": "welcome"},
        {"update_id": "f00", "text": "mine"},
        {"update_id": "7.2"},
    ]
    page = _page()
    handed = page.restored({"seen": 2, "init_task_data": {"past_live_updates": past}})
    assert [one.number for one in handed] == [1, 2]
    assert page.seen == 2


def test_what_was_said_before_the_socket_was_there_follows_in_order() -> None:
    page = _page()
    for n in range(3):
        page.say({"n": n})
    page.opened(0)
    packets = _taken(page, 0)
    assert _numbers(packets) == [("load-1", 1), ("load-1", 2), ("load-1", 3)]
    assert [packet["data"]["n"] for packet in packets[1:]] == [0, 1, 2]
    assert len({packet["data"]["update_id"] for packet in packets}) == 4


def test_what_is_not_called_stored_in_time_is_sent_again_from_there_on() -> None:
    page = _page()
    for n in range(3):
        page.say({"n": n})
    page.opened(0)
    _taken(page, 0)
    assert page.hear(_from_router("ack", {"page": "load-1", "number": 1}), 1.0) == [Kept("load-1", 1)]
    assert _numbers(_taken(page, 1.0 + STORED_WITHIN_S - 0.1)) == []
    assert _numbers(_taken(page, 1.0 + STORED_WITHIN_S)) == [("load-1", 2), ("load-1", 3)]
    page.hear(_from_router("ack", {"page": "load-1", "number": 3}), 7.0)
    assert page.waits_with() == 0


def test_a_new_socket_repeats_what_is_not_stored() -> None:
    page = _page()
    page.say({"n": 0})
    page.opened(0)
    _taken(page, 0)
    page.lost(1)
    assert _taken(page, 1) == []
    page.opened(2)
    assert _numbers(_taken(page, 2)) == [("load-1", 1)]


def test_an_older_page_load_ends_its_stream_before_the_next_begins() -> None:
    outbox = Outbox()
    _page(outbox).say({"n": "old"})
    page = _page(outbox, "load-2")
    page.say({"n": "new"})
    page.opened(0)
    assert _numbers(_taken(page, 0)) == [("load-1", 1)]
    page.hear(_from_router("ack", {"page": "load-1", "number": 1}), 0.1)
    assert _numbers(_taken(page, 0.1)) == [("load-2", 1)]


def test_a_flood_keeps_to_the_window_and_the_pace() -> None:
    page = _page()
    for n in range(1000):
        page.say({"n": n})
    page.opened(0)
    assert len(_numbers(_taken(page, 0))) == BURST_MAX
    assert len(_numbers(_taken(page, 1))) == min(PER_S_MAX, IN_FLIGHT_MAX - BURST_MAX)
    assert page.due(1) > 1


def test_updates_are_handed_over_in_order_and_once() -> None:
    page = _page()
    page.opened(0)
    assert page.hear(_update(2), 0) == []
    assert [one.number for one in page.hear(_update(1), 0) if isinstance(one, Handed)] == [1, 2]
    assert page.hear(_update(1), 0) == []


def test_a_hole_that_stays_makes_the_page_ask_anew_on_a_new_socket() -> None:
    page = _page()
    page.opened(0)
    page.hear(_update(1), 0)
    page.hear(_update(3), 1)
    assert not page.stuck(1 + HOLE_S - 0.1)
    assert page.due(1) <= 1 + HOLE_S
    assert page.stuck(1 + HOLE_S)
    page.lost(6)
    page.opened(6)
    assert not page.stuck(6)
    assert _taken(page, 6)[0]["data"]["seen"] == 1


def test_updates_too_far_ahead_are_dropped() -> None:
    page = _page()
    page.opened(0)
    page.hear(_update(AHEAD_MAX + 1), 0)
    handed = [
        one.number
        for n in range(1, AHEAD_MAX + 1)
        for one in page.hear(_update(n), 0)
        if isinstance(one, Handed)
    ]
    assert handed == list(range(1, AHEAD_MAX + 1))


def test_the_router_hears_soon_what_was_seen() -> None:
    page = _page()
    page.opened(0)
    _taken(page, 0)
    page.hear(_update(1), 1)
    page.hear(_update(2), 1.1)
    assert page.due(1.1) == 1 + SEEN_SAID_S
    assert [packet["data"] for packet in _taken(page, 1 + SEEN_SAID_S)] == [{"seen": 2}]


def test_hearts_beat_and_a_router_that_never_answers_is_left() -> None:
    page = _page()
    page.opened(0)
    _taken(page, 0)
    beats = [_taken(page, n * HEARTBEAT_S) for n in range(1, HEARTBEATS_MISSED_MAX + 1)]
    assert [packet["packet_type"] for beat in beats for packet in beat] == [
        "heartbeat"
    ] * HEARTBEATS_MISSED_MAX
    assert page.stuck(HEARTBEATS_MISSED_MAX * HEARTBEAT_S)


def test_statuses_and_roll_calls_are_told_and_answered() -> None:
    page = _page()
    page.opened(0)
    _taken(page, 0)
    assert page.hear(_from_router("update_status", {"status": "waiting"}), 1) == [
        StatusTold({"status": "waiting"})
    ]
    assert page.hear(_from_router("roll_call", {"within_s": 20}), 1) == [RollCalled(20)]
    page.here()
    (alive,) = _taken(page, 2)
    assert alive["data"]["here"] is True
    page.lost(3)
    page.opened(3)
    assert "here" not in _taken(page, 3)[0]["data"]


# --- over a bad network ------------------------------------------------------------------------------------


@attrs.define(eq=False)
class _Server:
    """Router and daemon in small: stores a page stream's next update only, sends everything above `seen`."""

    stored: list[tuple[str, Any]] = attrs.Factory(list[tuple[str, Any]])
    last: dict[str, int] = attrs.Factory(dict[str, int])
    outgoing: int = 0

    def hear(self, packet: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        match packet["packet_type"]:
            case "alive":
                yield from (_update(n) for n in range(packet["data"]["seen"] + 1, self.outgoing + 1))
            case "mephisto_bound_live_update":
                page, number = packet["page"], packet["number"]
                if number == self.last.get(page, 0) + 1:
                    self.last[page] = number
                    self.stored.append((page, packet["data"]["n"]))
                    self.outgoing += 1
                    yield _update(self.outgoing)
                if number <= self.last.get(page, 0):
                    yield _from_router("ack", {"page": page, "number": self.last[page]})
            case _:
                yield _from_router("heartbeat", {})


@pytest.mark.parametrize("seed", range(30))
def test_a_network_that_loses_connections_costs_nothing_over_reloads(seed: int) -> None:
    """A socket carries in order until it breaks; then what is under way, either way, is lost."""
    rng, server, outbox = random.Random(seed), _Server(), Outbox()
    page, said, seen, now = _page(outbox, "load-0", seed), list[int](), list[int](), 0.0
    up, down = list[Mapping[str, Any]](), list[Mapping[str, Any]]()
    page.opened(now)
    for step in range(3000):
        now += rng.uniform(0, 0.3)
        calm = step > 2000
        match rng.choices(["say", "send", "arrive", "answer", "cut", "reload"], [1, 6, 6, 6, 0.5, 0.1])[0]:
            case "say" if not calm:
                said.append(step)
                page.say({"n": step})
            case "send":
                up += [packet] if (packet := page.take(now)) else []
            case "arrive" if up:
                down += server.hear(up.pop(0))
            case "answer" if down:
                seen += [one.number for one in page.hear(down.pop(0), now) if isinstance(one, Handed)]
            case "cut" if not calm or page.stuck(now):
                page.lost(now)
                up, down = [], []
                page.opened(now)
            case "reload" if not calm:
                past = [{"update_id": f"1.{n}"} for n in range(1, server.outgoing + 1)]
                page = _page(outbox, f"load-{step}", step)
                seen = [one.number for one in page.restored({"init_task_data": {"past_live_updates": past}})]
                up, down = [], []
                page.opened(now)
            case _:
                pass
    assert page.waits_with() == 0
    assert [n for _, n in server.stored] == said
    assert seen == list(range(1, server.outgoing + 1))
