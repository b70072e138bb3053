"""Pages of mephisto-task as a pure machine: their habits are those of the recordings."""

import math
import random
from collections.abc import Mapping
from typing import Any

from crowdd.testing.pages import Handed
from crowdd.testing.unchanged_page import (
    FIRST_HEARTBEAT_S,
    HEARTBEAT_S,
    MISSED_TO_DIE,
    MISSED_TO_RESTART,
    PING_OLD_S,
    SEND_EVERY_S,
    UnchangedPage,
)

AGENT = "agent-1"
WALL = 1_800_000_000.0


class Browser:
    """A page and its clock."""

    def __init__(self, seed: int = 1) -> None:
        self.now = 0.0
        self.page = UnchangedPage(AGENT, "load", random.Random(seed), lambda: WALL + self.now)

    def open_at(self, now: float) -> None:
        """It gets its next socket."""
        self.now = now
        self.page.opened(now)

    def after(self, seconds: float) -> list[Mapping[str, Any]]:
        """What is sent in the meantime, in steps that are shorter than anything the page waits for."""
        packets: list[Mapping[str, Any]] = []
        until = self.now + seconds
        while self.now < until:
            self.now = round(self.now + SEND_EVERY_S / 4, 6)
            if (packet := self.page.take(self.now)) is not None:
                packets.append(packet)
        return packets

    def hear(self, kind: str, data: Mapping[str, Any], **more: Any) -> list[object]:
        return [*self.page.hear({"packet_type": kind, "subject_id": AGENT, "data": data, **more}, self.now)]


def _texts(packets: list[Mapping[str, Any]]) -> list[str]:
    return [packet["data"]["text"] for packet in packets if "text" in packet.get("data", {})]


def test_the_newest_is_sent_first_and_one_packet_in_a_tenth_of_a_second() -> None:
    browser = Browser()
    browser.page.opened(0)
    for text in "abc":
        browser.page.say({"text": text})
    packets = browser.after(4 * SEND_EVERY_S)
    assert _texts(packets) == ["c", "b", "a"]
    assert packets[3]["packet_type"] == "alive"


def test_the_heart_beats_after_half_a_second_and_then_every_six_seconds_of_the_page() -> None:
    browser = Browser()
    browser.page.opened(0)
    beats: list[float] = []
    while browser.now < 13:
        beats += [browser.now for packet in browser.after(0.01) if packet["packet_type"] == "heartbeat"]
    assert beats == [FIRST_HEARTBEAT_S, HEARTBEAT_S, 2 * HEARTBEAT_S]


def test_one_load_in_fifty_says_alive_without_its_id() -> None:
    anonymous = 0
    for seed in range(500):
        (browser := Browser(seed)).page.opened(0)
        (alive,) = browser.after(SEND_EVERY_S)
        anonymous += "subject_id" not in alive
    assert 1 <= anonymous <= 30


def test_a_lost_socket_is_noticed_at_the_next_heartbeat() -> None:
    browser = Browser()
    browser.page.opened(0)
    browser.after(2)
    browser.page.lost(2)
    assert browser.page.back_at(2) == HEARTBEAT_S


def test_what_could_not_be_sent_is_sent_later_and_what_was_sent_never_again() -> None:
    browser = Browser()
    browser.page.opened(0)
    browser.after(1)
    browser.page.say({"text": "a"})
    (packet,) = browser.after(SEND_EVERY_S)
    browser.page.untake(packet)
    browser.page.lost(browser.now)
    browser.open_at(6)
    assert _texts(browser.after(1)) == ["a"]
    browser.page.lost(browser.now)
    browser.open_at(12)
    assert _texts(browser.after(1)) == []


def test_repeats_are_dropped_by_their_id_also_those_of_the_past() -> None:
    browser = Browser()
    past = [{"update_id": "7.1", "text": "welcome"}]
    assert [one.number for one in browser.page.restored({"init_task_data": {"past_live_updates": past}})] == [
        1
    ]
    browser.page.opened(0)
    assert browser.hear("client_bound_live_update", past[0]) == []
    second = {"update_id": "7.2", "text": "go on"}
    assert browser.hear("client_bound_live_update", second) == [Handed(2, second)]
    assert browser.hear("client_bound_live_update", second) == []


def test_a_daemon_that_seems_silent_for_twenty_seconds_is_given_up_for_good() -> None:
    browser = Browser()
    browser.page.opened(0)
    browser.after(1)
    browser.hear("heartbeat", {"last_mephisto_ping": 1000 * (WALL + browser.now)})
    browser.after(PING_OLD_S - 1)
    assert not browser.page.stuck(browser.now)
    browser.after(2)
    assert browser.page.stuck(browser.now)
    browser.page.lost(browser.now)
    assert browser.page.back_at(browser.now) == math.inf


def test_a_router_that_answers_no_heartbeat_is_tried_anew_and_then_given_up() -> None:
    browser = Browser()
    browser.page.opened(0)
    browser.after((MISSED_TO_RESTART - 1) * HEARTBEAT_S + 1)
    assert browser.page.stuck(browser.now)
    browser.page.lost(browser.now)
    back_at = browser.page.back_at(browser.now)
    assert back_at < math.inf
    browser.open_at(back_at)
    assert not browser.page.stuck(browser.now)
    browser.after((MISSED_TO_DIE - MISSED_TO_RESTART) * HEARTBEAT_S)
    assert browser.page.stuck(browser.now)
    assert browser.page.back_at(browser.now) == math.inf
