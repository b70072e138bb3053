"""What the core of a run keeps for a daemon that is away or slow, and whom it tells "Submitted!"."""

from collections.abc import Iterable
from typing import Any

import attrs
import pytest

from crowdd.protocol.codec import decode_packet
from crowdd.protocol.handshake import Peer
from crowdd.protocol.limits import STATES_MAX, SUBMIT_HOLD_S
from crowdd.protocol.link import LinkEnd, Role
from crowdd.protocol.names import AgentStatus, Outcome, Reason
from crowdd.protocol.packets import (
    Answer,
    FileNote,
    RegisterAgent,
    Request,
    RequestStatuses,
    ReturnStatuses,
    ReturnUnit,
    SubmitMetadata,
    SubmitOnboarding,
    SubmitUnit,
    UpdateStatus,
)
from crowdd.router import stock
from crowdd.router.commands import (
    AnswerTicket,
    Command,
    DropFiles,
    HttpAnswer,
    Kept,
    Load,
    Note,
    SetAside,
    Spool,
    SpoolCommand,
    Unspool,
)
from crowdd.router.limits import KEEP_AGAIN_S, OUTBOX_AGENT_ENTRIES_MAX, RELAY_S
from crowdd.router.quota import Quota
from crowdd.router.run import RouterRun
from crowdd.router.tickets import Caller

from .kit import CROWDD, KEY, PLAIN, WALL, Pair, agent_id, done, submit

A, B = agent_id(1), agent_id(2)
SUBMITTED = HttpAnswer(200, {"status": "Submitted!"})


class Kit(Pair):
    """Both ends, and a disk that does what it is told when it is told to: it survives `kill`."""

    def __init__(self, linked: bool = True, quota: Quota | None = None, key: bytes = KEY) -> None:
        super().__init__(linked=False)
        self.disk: dict[int, tuple[Kept, bytes]] = {}
        self.wanted: list[SpoolCommand] = []
        self.answers: dict[str, HttpAnswer] = {}
        self.notes: list[str] = []
        self.dropped: set[str] = set()
        self.epoch_of_router = 7
        self._quota = quota
        self._begin(key)
        if linked:
            self.up()

    def _begin(self, key: bytes | None) -> None:
        kept = [kept for kept, _ in self.disk.values()]
        wall = WALL
        self.run = RouterRun("digits", key, self.epoch_of_router, self.now, lambda: wall, self._quota, kept)
        self.wanted.clear()

    def kill(self) -> None:
        """The router dies and comes back with its disk."""
        self.daemon.connection_lost()
        self.epoch_of_router += 1
        self._begin(KEY)

    def up(self) -> None:
        """A daemon comes."""
        self.daemon = LinkEnd(Role.DAEMON, 1)
        self.do(self.run.link_up(Peer(1, 1, KEY, {}, []), self.now))
        self.daemon.connection_made(self.now, self.epoch_of_router)
        self.do(self.pump())

    def do(self, commands: Iterable[Command]) -> None:
        """Note what the core wants."""
        for command in commands:
            match command:
                case AnswerTicket():
                    self.answers[command.ticket] = command.answer
                case Spool() | Load() | Unspool() | SetAside():
                    self.wanted.append(command)
                case Note():
                    self.notes.append(command.words)
                case DropFiles():
                    self.dropped |= command.digests
                case _:
                    pass

    def post(self, request: Request, caller: Caller = CROWDD) -> HttpAnswer | None:
        """A page asks; its answer, if it came at once."""
        self.do(self.run.ask(request, caller, self.now))
        self.do(self.pump())
        return self.answers.get(request.request)

    def write(self, trouble: str | None = None) -> None:
        """The disk does the next thing it is asked."""
        command = self.wanted.pop(0)
        number = command.kept.number
        match command:
            case Spool():
                if trouble is None:
                    self.disk[number] = command.kept, command.packet
                self.do(self.run.spooled(number, trouble, self.now))
            case Load() if trouble is None:
                packet = decode_packet(self.disk[number][1])
                assert isinstance(packet, SubmitUnit | SubmitMetadata)
                self.do(self.run.loaded(number, packet, self.now))
            case Load():
                self.do(self.run.not_loaded(number, trouble, self.now))
            case Unspool() | SetAside():
                del self.disk[number]
                self.do(self.run.unspooled(number, self.now))
        self.do(self.pump())

    def settle(self) -> None:
        """The disk does all it is asked."""
        while self.wanted:
            self.write()

    def pass_s(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds
        self.do(self.run.tick(self.now))
        self.do(self.pump())

    def reply(self, reply: Answer) -> None:
        """The daemon answers."""
        self.do(self.say(reply))

    def reply_to_heartbeat(self) -> None:
        """The daemon asks how things are."""
        self.do(self.say(RequestStatuses()))

    def delivered(self) -> list[SubmitUnit | SubmitMetadata]:
        """What reached the daemon as answered."""
        return [p for p in self.heard if isinstance(p, SubmitUnit | SubmitMetadata) and p.answered]

    def hello(self) -> list[str]:
        """What the next hello will say of the outbox."""
        return self.run.outbox.agents


def away() -> Kit:
    return Kit(linked=False)


def later(request: str) -> Answer:
    return Answer(request, Outcome.TRY_LATER, Reason.TRY_LATER, retry_after_s=3.0)


def refused(request: str, reason: Reason = Reason.TIME_OVER) -> Answer:
    return Answer(request, Outcome.REFUSED, reason, status=AgentStatus.TIMEOUT)


def test_without_a_daemon_a_page_is_told_submitted_once_its_answer_is_on_disk() -> None:
    kit = away()
    assert kit.post(submit(A)) is None
    assert [type(command) for command in kit.wanted] == [Spool]
    kit.write()
    assert kit.answers["s1"] == SUBMITTED


def test_what_is_told_beside_the_answer_is_kept_too_and_answered_in_its_own_words() -> None:
    kit = away()
    kit.post(SubmitMetadata(A, "m1", {"tips": "more light"}))
    kit.settle()
    assert kit.answers["m1"] == HttpAnswer(200, {"status": "Submitted metadata"})
    assert kit.hello() == []


@pytest.mark.parametrize(
    "request_",
    [
        RegisterAgent("q", {"worker_name": "ann"}),
        SubmitOnboarding(agent_id(onboarding=True), "q", {}),
        ReturnUnit(A, "q"),
    ],
)
def test_what_only_the_daemon_can_answer_is_never_kept(request_: Request) -> None:
    kit = away()
    assert kit.post(request_) is None
    kit.pass_s(RELAY_S + 1)
    assert kit.wanted == []


def test_the_daemon_is_asked_first_and_its_word_is_what_counts() -> None:
    kit = Kit()
    assert kit.post(submit(A)) is None
    kit.pass_s(RELAY_S - 0.1)
    assert kit.wanted == []
    kit.reply(done("s1"))
    assert kit.answers["s1"] == SUBMITTED
    kit.pass_s(RELAY_S)
    assert kit.wanted == []


def test_a_daemon_that_says_nothing_for_two_seconds_is_answered_for() -> None:
    kit = Kit()
    kit.post(submit(A))
    kit.pass_s(RELAY_S)
    kit.settle()
    assert kit.answers["s1"] == SUBMITTED
    assert [packet.final_data for packet in kit.delivered() if isinstance(packet, SubmitUnit)] == [
        {"label": 7}
    ]


def test_what_waits_when_the_link_is_lost_is_kept_at_once() -> None:
    kit = Kit()
    kit.post(submit(A))
    kit.cut()
    kit.pass_s(0.25)
    kit.settle()
    assert kit.answers["s1"] == SUBMITTED


def test_what_is_kept_is_delivered_as_answered_and_removed_once_the_daemon_has_it() -> None:
    kit = away()
    kit.post(submit(A, final_data={"text": "long"}))
    kit.settle()
    kit.up()
    kit.settle()
    (packet,) = kit.delivered()
    assert isinstance(packet, SubmitUnit)
    assert (packet.subject, packet.final_data, packet.answered) == (A, {"text": "long"}, True)
    assert kit.disk
    kit.reply(done(packet.request))
    kit.settle()
    assert kit.disk == {}
    assert len(kit.run.outbox) == 0


def test_p1_a_killed_router_delivers_what_it_had_called_submitted() -> None:
    kit = away()
    kit.post(submit(A))
    kit.settle()
    kit.kill()
    assert kit.hello() == [A]
    kit.up()
    kit.settle()
    assert [packet.subject for packet in kit.delivered()] == [A]


def test_a_router_killed_before_the_disk_had_it_had_told_nobody() -> None:
    kit = away()
    kit.post(submit(A))
    kit.kill()
    assert (kit.answers, kit.disk, kit.hello()) == ({}, {}, [])


def test_what_the_daemon_took_and_the_router_died_before_removing_is_delivered_again() -> None:
    kit = away()
    kit.post(submit(A))
    kit.settle()
    kit.up()
    kit.settle()
    kit.reply(done(kit.delivered()[0].request))  # its removal is wanted, and does not happen
    kit.kill()
    kit.up()
    kit.settle()
    assert len(kit.delivered()) == 2


def test_an_answer_to_an_earlier_life_of_the_router_removes_nothing() -> None:
    kit = away()
    kit.post(submit(A))
    kit.settle()
    kit.up()
    kit.settle()
    earlier = kit.delivered()[0].request
    kit.kill()
    kit.up()
    kit.settle()
    kit.reply(done(earlier))
    assert not any(isinstance(command, Unspool) for command in kit.wanted)
    assert kit.disk


def test_delivery_goes_on_over_a_link_that_breaks() -> None:
    kit = away()
    kit.post(submit(A))
    kit.settle()
    kit.up()
    kit.settle()
    kit.cut()
    kit.up()
    kit.settle()
    first, second = kit.delivered()
    assert first == second
    kit.reply(done(second.request))
    kit.settle()
    assert kit.disk == {}


def test_a_daemon_that_says_later_is_asked_again_later() -> None:
    kit = away()
    kit.post(submit(A))
    kit.settle()
    kit.up()
    kit.settle()
    kit.reply(later(kit.delivered()[0].request))
    kit.pass_s(2.9)
    kit.settle()
    assert len(kit.delivered()) == 1
    kit.pass_s(0.2)
    kit.settle()
    assert len(kit.delivered()) == 2
    assert kit.disk


def test_what_the_daemon_cannot_take_is_set_aside_and_said() -> None:
    kit = away()
    kit.post(submit(A))
    kit.settle()
    kit.up()
    kit.settle()
    kit.reply(refused(kit.delivered()[0].request, Reason.BAD_REQUEST))
    (command,) = kit.wanted
    assert isinstance(command, SetAside)
    assert "bad_request" in command.why
    kit.settle()
    assert kit.run.counters["outbox_refused"] == 1
    assert len(kit.run.outbox) == 0
    assert kit.run.outbox.measure() == {"set_aside": 1}


def test_what_can_never_be_sent_is_set_aside_and_not_tried_without_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kit = away()
    kit.post(submit(A, final_data={"text": "long" * 9}))
    kit.post(submit(B, "s2"))
    kit.settle()
    monkeypatch.setattr("crowdd.protocol.codec.WHOLE_PACKET_BYTES_MAX", len(kit.disk[1][1]))
    kit.up()  # a kept answer is sent under a longer name than its page's
    kit.write()
    aside = [command for command in kit.wanted if isinstance(command, SetAside)]
    assert [command.kept.agent for command in aside] == [A]
    assert "cannot be sent: a packet of" in aside[0].why
    kit.settle()
    assert [packet.subject for packet in kit.delivered()] == [B]


# the same again, and something else


def test_the_same_again_gets_the_same_answer() -> None:
    kit = away()
    kit.post(submit(A, final_data={"a": 1, "b": 2}))
    kit.settle()
    assert kit.post(submit(A, "s2", {"b": 2, "a": 1})) == SUBMITTED
    assert kit.wanted == []


def test_the_same_again_while_it_is_being_written_waits_for_it() -> None:
    kit = away()
    kit.post(submit(A))
    assert kit.post(submit(A, "s2")) is None
    kit.settle()
    assert (kit.answers["s1"], kit.answers["s2"]) == (SUBMITTED, SUBMITTED)
    assert len(kit.disk) == 1


def writing_the_first_of_two() -> Kit:
    """The same came twice, and the daemon has answered neither: the first is to be kept now."""
    kit = Kit()
    kit.post(submit(A))
    kit.pass_s(RELAY_S / 2)
    kit.post(submit(A, "s2"))
    kit.pass_s(RELAY_S / 2)
    return kit


def test_a_copy_that_the_daemon_has_not_answered_is_told_what_the_first_one_is() -> None:
    kit = writing_the_first_of_two()
    kit.settle()
    assert (kit.answers["s1"], kit.answers["s2"]) == (SUBMITTED, SUBMITTED)
    kit.reply(refused("s2"))
    assert kit.answers["s2"] == SUBMITTED


def test_no_copy_is_refused_before_what_is_written_of_the_other_is_gone() -> None:
    kit = writing_the_first_of_two()
    kit.reply(refused("s2"))
    assert kit.answers == {}
    kit.settle()
    assert kit.disk == {}
    assert kit.answers["s2"].body["reason"] == "time_over"
    kit.reply(refused("s1"))
    assert kit.answers["s1"].body["reason"] == "time_over"


def test_other_content_of_the_same_agent_is_a_conflict() -> None:
    kit = away()
    kit.post(submit(A))
    kit.settle()
    answer = kit.post(submit(A, "s2", {"label": 8}))
    assert answer is not None
    assert (answer.status, answer.body["reason"]) == (409, "already_submitted")


def test_nothing_definite_is_said_of_another_answer_while_the_first_is_being_written() -> None:
    kit = away()
    kit.post(submit(A))
    answer = kit.post(submit(A, "s2", {"label": 8}))
    assert answer is not None
    assert (answer.status, answer.body["reason"]) == (503, "try_later")


def test_the_same_again_after_the_daemon_took_it_is_still_submitted() -> None:
    kit = away()
    kit.post(submit(A))
    kit.settle()
    kit.up()
    kit.settle()
    kit.reply(done(kit.delivered()[0].request))
    kit.settle()
    kit.cut()
    assert kit.post(submit(A, "s2")) == SUBMITTED
    answer = kit.post(submit(A, "s3", {"label": 8}))
    assert answer is not None
    assert answer.status == 409


def test_two_different_answers_that_the_daemon_leaves_open_are_not_both_called_submitted() -> None:
    kit = Kit()
    kit.post(submit(A))
    kit.post(submit(A, "s2", {"label": 8}))
    kit.pass_s(RELAY_S)
    kit.settle()
    assert kit.answers == {"s1": SUBMITTED}
    kit.pass_s(SUBMIT_HOLD_S)
    assert kit.answers["s2"].status == 503


def test_several_things_told_beside_the_answer_are_kept_each() -> None:
    kit = away()
    for number in range(3):
        kit.post(SubmitMetadata(A, f"m{number}", {"tips": number}))
    kit.settle()
    assert len(kit.disk) == 3


def test_a_unit_whose_answer_is_kept_cannot_be_given_back() -> None:
    kit = away()
    kit.post(submit(A))
    kit.settle()
    answer = kit.post(ReturnUnit(A, "q"))
    assert answer is not None
    assert (answer.status, answer.body["reason"]) == (409, "already_submitted")


# what is refused


def test_sec2_an_id_that_does_not_verify_is_unknown_and_not_kept() -> None:
    kit = away()
    answer = kit.post(submit(agent_id(1, b"x" * 32)))
    assert answer is not None
    assert answer.status == 404
    assert kit.wanted == []


def test_without_the_runs_key_nothing_is_kept() -> None:
    pair = Pair(linked=False)
    answer = pair.ask(submit(A))
    assert answer is not None
    assert answer.status == 503


def test_who_has_ended_for_certain_is_told_so_and_nothing_is_kept() -> None:
    kit = Kit()
    kit.say(UpdateStatus(A, 2, AgentStatus.TIMEOUT, Reason.TIME_OVER))
    kit.cut()
    answer = kit.post(submit(A))
    assert answer is not None
    assert (answer.status, answer.body["reason"]) == (409, "time_over")
    assert kit.wanted == []


def test_an_answer_that_the_daemon_may_have_already_is_left_to_it() -> None:
    kit = Kit()
    kit.say(UpdateStatus(A, 2, AgentStatus.COMPLETED))
    kit.cut()
    assert kit.post(submit(A)) is None
    kit.pass_s(RELAY_S)
    assert kit.wanted == []
    kit.pass_s(SUBMIT_HOLD_S)
    assert kit.answers["s1"].status == 503


def test_who_is_only_interrupted_may_submit() -> None:
    kit = Kit()
    kit.say(UpdateStatus(A, 2, AgentStatus.DISCONNECT, Reason.SHUTDOWN))
    kit.cut()
    kit.post(submit(A))
    kit.settle()
    assert kit.answers["s1"] == SUBMITTED


# the daemon's answer while the disk is busy


def test_a_yes_that_comes_while_it_is_written_is_said_at_once_and_nothing_stays() -> None:
    kit = Kit()
    kit.post(submit(A))
    kit.pass_s(RELAY_S)
    kit.reply(done("s1"))
    assert kit.answers["s1"] == SUBMITTED
    kit.settle()
    assert kit.disk == {}
    assert kit.delivered() == []


def test_a_no_that_comes_while_it_is_written_is_said_once_nothing_is_left_of_it() -> None:
    kit = Kit()
    kit.post(submit(A))
    kit.pass_s(RELAY_S)
    kit.reply(refused("s1"))
    assert kit.answers == {}
    kit.write()
    assert (kit.answers, len(kit.disk)) == ({}, 1)
    kit.write()
    assert kit.disk == {}
    assert (kit.answers["s1"].status, kit.answers["s1"].body["reason"]) == (409, "time_over")


def test_a_later_that_comes_while_it_is_written_is_not_said() -> None:
    kit = Kit()
    kit.post(submit(A))
    kit.pass_s(RELAY_S)
    kit.reply(later("s1"))
    kit.settle()
    assert kit.answers == {"s1": SUBMITTED}


def test_a_later_of_the_daemon_is_passed_on_to_a_page_that_can_come_again() -> None:
    kit = Kit()
    kit.post(submit(A))
    kit.reply(later("s1"))
    assert kit.answers["s1"].status == 503


def test_for_an_unchanged_page_which_cannot_come_again_a_later_of_the_daemon_leads_to_disk() -> None:
    kit = Kit()
    kit.post(submit(A), PLAIN)
    kit.reply(later("s1"))
    kit.pass_s(RELAY_S)
    kit.settle()
    assert kit.answers["s1"] == SUBMITTED


def test_an_answer_that_comes_after_the_page_was_told_changes_nothing() -> None:
    kit = Kit()
    kit.post(submit(A))
    kit.pass_s(RELAY_S)
    kit.write()
    kit.reply(refused("s1"))
    assert kit.answers == {"s1": SUBMITTED}
    kit.settle()
    assert len(kit.delivered()) == 1


# no room, no disk


def test_a_full_outbox_says_later_is_counted_and_said_once() -> None:
    kit = Kit(linked=False, quota=Quota(bytes_max=200))
    kit.post(submit(A, final_data="x" * 300))
    kit.post(submit(B, "s2", "x" * 300))
    assert {answer.status for answer in kit.answers.values()} == {503}
    assert kit.answers["s1"].retry_after_s is not None
    assert kit.run.counters["outbox_full"] == 2
    assert [words for words in kit.notes if "full" in words] == [
        "the outbox is full (200 bytes): pages are told to try later"
    ]
    assert kit.run.outbox.measure()["full"] == 1


def test_while_the_outbox_is_full_an_unchanged_page_waits_for_the_daemon() -> None:
    kit = Kit(linked=False, quota=Quota(bytes_max=10))
    assert kit.post(submit(A), PLAIN) is None
    kit.up()
    kit.reply(done("s1"))
    assert kit.answers["s1"] == SUBMITTED


def test_a_full_outbox_that_was_emptied_takes_answers_again() -> None:
    quota = Quota(bytes_max=400)
    kit = Kit(linked=False, quota=quota)
    kit.post(submit(A, final_data="x" * 200))
    kit.settle()
    kit.post(submit(B, "s2", "x" * 200))
    assert kit.answers["s2"].status == 503
    kit.up()
    kit.settle()
    kit.reply(done(kit.delivered()[0].request))
    kit.settle()
    assert quota.held == 0
    assert kit.notes[-1] == "the outbox has room again"
    kit.cut()
    kit.post(submit(B, "s3", "x" * 200))
    kit.settle()
    assert kit.answers["s3"] == SUBMITTED


def test_one_agent_cannot_fill_the_outbox_for_all() -> None:
    kit = away()
    for number in range(OUTBOX_AGENT_ENTRIES_MAX + 1):
        kit.post(SubmitMetadata(A, f"m{number}", {"tips": number}))
        kit.settle()
    statuses = [kit.answers[f"m{number}"].status for number in range(OUTBOX_AGENT_ENTRIES_MAX + 1)]
    assert statuses == [200] * OUTBOX_AGENT_ENTRIES_MAX + [503]
    kit.post(submit(B))
    kit.settle()
    assert kit.answers["s1"] == SUBMITTED


def test_the_files_of_an_answer_count_against_its_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stock, "OUTBOX_AGENT_BYTES_MAX", 1000)
    kit = away()
    kit.post(attrs.evolve(submit(A), files=[note("f" * 64, size=1000)]))
    assert kit.answers["s1"].status == 503


def test_what_cannot_be_written_is_not_called_submitted() -> None:
    kit = away()
    kit.post(submit(A))
    kit.write("Input/output error")
    assert kit.answers["s1"].status == 503
    assert len(kit.run.outbox) == 0
    assert kit.run.counters["outbox_failed"] == 1
    assert kit.run.outbox.measure()["failing"] == 1
    kit.post(submit(A, "s2"))
    kit.settle()
    assert kit.answers["s2"] == SUBMITTED
    assert kit.notes[-1] == "answers can be kept again"


def test_with_a_broken_disk_the_daemon_is_waited_for() -> None:
    kit = Kit()
    kit.post(submit(A))
    kit.pass_s(RELAY_S)
    kit.write("Input/output error")
    assert kit.answers == {}
    kit.reply(done("s1"))
    assert kit.answers["s1"] == SUBMITTED


def test_who_waits_for_a_silent_daemon_is_told_when_the_disk_is_mended_before_it() -> None:
    kit = Kit()
    kit.post(submit(A))
    kit.pass_s(RELAY_S)
    kit.write("No space left on device")
    kit.pass_s(KEEP_AGAIN_S - 0.1)
    assert kit.wanted == [], "a broken disk is not asked all the time"
    kit.pass_s(0.1)
    kit.settle()
    assert kit.answers["s1"] == SUBMITTED
    assert kit.notes[-1] == "answers can be kept again"


def test_what_cannot_be_read_at_present_is_read_later() -> None:
    kit = away()
    kit.post(submit(A))
    kit.settle()
    kit.up()
    kit.write("Input/output error")
    kit.pass_s(10)
    kit.settle()
    assert len(kit.delivered()) == 1


def test_what_is_damaged_is_counted_and_stops_nothing() -> None:
    kit = away()
    kit.post(submit(A))
    kit.post(submit(B, "s2"))
    kit.settle()
    kit.up()
    number = kit.wanted.pop(0).kept.number
    kit.do(kit.run.not_loaded(number, None, kit.now))
    kit.settle()
    assert [packet.subject for packet in kit.delivered()] == [B]
    assert kit.run.counters["outbox_damaged"] == 1


# uploads


def note(sha256: str, size: int = 3) -> FileNote:
    return FileNote(sha256, size, "photo", "me.png", "image/png")


def test_uploads_of_what_is_kept_stay_until_the_daemon_has_them() -> None:
    kit = away()
    kit.post(attrs.evolve(submit(A), files=[note("f" * 64)]))
    kit.settle()
    assert kit.run.wants_file("f" * 64)
    kit.kill()
    assert kit.run.wants_file("f" * 64)
    kit.up()
    kit.settle()
    kit.reply(done(kit.delivered()[0].request))
    assert kit.run.wants_file("f" * 64)
    kit.settle()
    assert not kit.run.wants_file("f" * 64)
    assert kit.dropped == {"f" * 64}


# what comes after


def test_the_next_registration_waits_until_the_daemon_has_the_answer_before_it() -> None:
    kit = away()
    kit.post(submit(A))
    kit.settle()
    kit.post(RegisterAgent("r2", {"link": "ann", "after": A}))
    kit.up()
    assert not any(isinstance(packet, RegisterAgent) for packet in kit.heard)
    kit.settle()
    kit.reply(done(kit.delivered()[0].request))
    assert [packet.request for packet in kit.heard if isinstance(packet, RegisterAgent)] == ["r2"]


def test_a_registration_after_nonsense_is_asked_at_once() -> None:
    kit = away()
    kit.post(submit(A))
    kit.settle()
    for number, after in enumerate[Any]([None, 5, [A], {"a": A}, ""]):
        kit.post(RegisterAgent(f"r{number}", {"link": "ann", "after": after}))
    kit.up()
    assert len([packet for packet in kit.heard if isinstance(packet, RegisterAgent)]) == 5


def test_a_registration_that_waits_for_an_answer_is_told_to_come_later_in_time() -> None:
    kit = away()
    kit.post(submit(A))
    kit.settle()
    kit.post(RegisterAgent("r2", {"link": "ann", "after": A}))
    kit.pass_s(SUBMIT_HOLD_S)
    assert kit.answers["r2"].status == 503


def test_who_has_answered_is_not_reported_away() -> None:
    kit = Kit()
    kit.do(kit.run.link_up(Peer(1, 1, KEY, {A: "in task"}, []), kit.now))
    kit.post(submit(A))
    kit.pass_s(RELAY_S)
    kit.settle()
    kit.run.page_left(A)
    kit.heard.clear()
    kit.reply_to_heartbeat()
    reports = [packet for packet in kit.heard if isinstance(packet, ReturnStatuses)]
    assert [report.presence for report in reports] == [{}]
    assert reports[0].outbox["answers"] == 1


def test_an_empty_outbox_is_not_reported() -> None:
    kit = Kit()
    kit.reply_to_heartbeat()
    (report,) = [packet for packet in kit.heard if isinstance(packet, ReturnStatuses)]
    assert report.outbox == {}


def test_of_many_delivered_answers_the_oldest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    assert STATES_MAX > 1
    monkeypatch.setattr("crowdd.router.outbox.STATES_MAX", 1)
    kit = away()
    for number in (1, 2):
        kit.post(submit(agent_id(number), f"s{number}"))
    kit.settle()
    kit.up()
    kit.settle()
    for packet in kit.delivered():
        kit.reply(done(packet.request))
    kit.settle()
    kit.cut()
    assert kit.post(submit(agent_id(2), "again")) == SUBMITTED
    assert kit.post(submit(agent_id(1), "older")) is None


def test_numbers_go_on_after_a_restart() -> None:
    kit = away()
    kit.post(submit(A))
    kit.settle()
    kit.kill()
    kit.post(submit(B, "s2"))
    kit.settle()
    assert [kept.agent for kept, _ in kit.disk.values()] == [A, B]
