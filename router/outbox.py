"""Keeps what was handed in until the daemon has it: first on the router's disk, then on its way. Pure.

Once something is kept its page may be told "Submitted!": from then on only the daemon's word removes it, and
what the daemon cannot take is set aside where staff find it. Who waits to be told is `keeping`'s to know.
"""

import enum
from collections import deque
from collections.abc import Iterable

import attrs

from ..protocol.codec import encode_packet
from ..protocol.documents import content_digest
from ..protocol.errors import LinkFull, Unsendable
from ..protocol.limits import STATES_MAX
from ..protocol.names import Outcome, WireId
from ..protocol.newest import Newest
from ..protocol.packets import Reply, SubmitMetadata, SubmitUnit
from .commands import Command, DropFiles, Kept, Load, Note, SetAside, Spool, Unspool, WakeLink
from .deadlines import Deadlines
from .limits import DELIVER_AGAIN_S, DELIVERIES_AT_ONCE_MAX
from .memory import Memory
from .quota import Quota
from .stock import Entry, Stage, Stock
from .tickets import Tickets

HandedIn = SubmitUnit | SubmitMetadata
"""What may be kept. Whoever asks for something that only the daemon can decide must wait for it."""


class Standing(enum.Enum):
    """How something that is handed in stands to what is kept of its agent."""

    NEW = "nothing says what becomes of it"
    SAFE = "the same is kept, or was delivered from here"
    OTHER = "another answer of the agent is"
    UNCLEAR = "another answer of the agent is being written"


class Outbox:
    """Of one run. `epoch` is this start of the router; what was on disk then is given to `take_up`."""

    def __init__(self, memory: Memory, tickets: Tickets, quota: Quota, epoch: int) -> None:
        self._memory = memory
        self._tickets = tickets
        self._prefix = f"outbox-{epoch:x}"
        self._stock = Stock(quota)
        self._next = 1
        self._ready: deque[int] = deque()
        self._later: Deadlines[int] = Deadlines()
        self._out = 0
        """How many are being read back or under way."""
        self._delivered: Newest[WireId, str] = Newest(STATES_MAX)
        """The digests of the answers that the daemon took from here; of too many the oldest go."""
        self._is_failing = False
        self.set_aside = 0
        """How many things that pages were told is submitted lie where staff find them; the shell counts."""

    def take_up(self, kept: Iterable[Kept]) -> None:
        """These were on disk when the router started."""
        for one in sorted(kept, key=lambda one: one.number):
            self._add(one, Stage.KEPT)
            self._ready.append(one.number)
            self._next = one.number + 1

    # what is kept

    def __len__(self) -> int:
        return len(self._stock)

    @property
    def agents(self) -> list[str]:
        """Whose answers the daemon does not have yet, for the hello."""
        owed = (entry.kept.agent for entry in self._stock if entry.kept.is_answer and entry.is_owed)
        return list(dict.fromkeys(owed))

    def has_answer_of(self, agent: WireId) -> bool:
        """Whether an answer of this agent is on its way to the daemon."""
        return any(entry.kept.is_answer for entry in self._stock.of(agent))

    def standing(self, request: HandedIn) -> Standing:
        """What is certain of it already. Looks into it only if something of its agent was kept."""
        is_answer = isinstance(request, SubmitUnit)
        entries = [one for one in self._stock.of(request.subject) if one.kept.is_answer is is_answer]
        delivered = self._delivered.get(request.subject) if is_answer else None
        if not entries and delivered is None:
            return Standing.NEW
        same = self._entry_of(request)
        if same is not None and same.is_owed:
            return Standing.SAFE
        if delivered is not None and delivered == digest_of(request):
            return Standing.SAFE
        if not is_answer or same is not None:
            return Standing.NEW
        is_told = delivered is not None or any(one.is_owed for one in entries)
        return Standing.OTHER if is_told else Standing.UNCLEAR

    def measure(self) -> dict[str, int]:
        """How full it is, for the daemon; nothing when it is empty and all is well."""
        aside = {"set_aside": self.set_aside} if self.set_aside else {}
        if not len(self._stock) and not self._stock.quota.is_full and not self._is_failing:
            return aside
        answers = sum(entry.kept.is_answer for entry in self._stock)
        return {
            "answers": answers,
            "metadata": len(self._stock) - answers,
            "bytes": self._stock.held,
            "full": int(self._stock.quota.is_full),
            "failing": int(self._is_failing),
            **aside,
        }

    # keeping

    def keep(self, request: HandedIn) -> tuple[int | None, list[Command]]:
        """Write it to disk, under this number; None: there is no room. Who hands in the same waits for it."""
        known = self._entry_of(request)
        if known is not None:
            return known.number, []
        packet = encode_packet(attrs.evolve(request, answered=True))
        size = len(packet) + sum(note.size for note in request.files)
        if not self._stock.has_room_for(request.subject, size):
            return None, self._turn_away(size)
        files = tuple(sorted({note.sha256 for note in request.files}))
        is_answer = isinstance(request, SubmitUnit)
        kept = Kept(self._next, request.subject, is_answer, digest_of(request), files, size)
        self._next += 1
        self._add(kept, Stage.SPOOLING)
        return kept.number, [Spool(kept, packet)]

    def number_for(self, request: HandedIn) -> int | None:
        """Under which number the same is being written, or kept."""
        entry = self._entry_of(request)
        return None if entry is None else entry.number

    def is_being_written(self, number: int) -> bool:
        """Whether nobody was told yet that this is kept, and nothing else has become of it."""
        entry = self._stock.get(number)
        return entry is not None and entry.stage is Stage.SPOOLING and not entry.unneeded

    def not_needed(self, number: int) -> None:
        """The daemon answered while this was being written: it is removed as soon as it can be."""
        entry = self._stock.get(number)
        if entry is not None and entry.stage is Stage.SPOOLING:
            entry.unneeded = True

    def spooled(self, number: int, trouble: str | None, now: float) -> list[Command]:
        """It is on disk; or it is not, for this reason."""
        entry = self._the(number)
        if trouble is not None:
            return [*self._drop(entry), *self._failed(f"answers cannot be kept: {trouble}")]
        mended = self._mended()
        if entry.unneeded:
            entry.go(Stage.SETTLED)
            return [*mended, Unspool(entry.kept)]
        self._memory.counters["outbox_kept"] += 1
        entry.go(Stage.KEPT)
        self._ready.append(number)
        return [*mended, *self.deliver(now)]

    def unspooled(self, number: int) -> list[Command]:
        """It is off the disk, or set aside."""
        return self._drop(self._the(number))

    # delivering

    def deliver(self, now: float) -> list[Command]:
        """Read back what can go out now."""
        self._ready.extend(self._later.take_passed(now))
        commands: list[Command] = []
        while self._memory.link.connected and self._ready and self._out < DELIVERIES_AT_ONCE_MAX:
            entry = self._the(self._ready.popleft())
            entry.go(Stage.READING)
            self._out += 1
            commands.append(Load(entry.kept))
        return commands

    def loaded(self, number: int, packet: HandedIn, now: float) -> list[Command]:
        """It was read back: send it."""
        entry = self._the(number)
        try:
            # Named anew in every life: the answer to another life's request must not pass for this one's.
            named = attrs.evolve(packet, request=f"{self._prefix}:{number}", answered=True)
            self._memory.link.send_request(named, now)
        except LinkFull:
            self._wait(entry, now + DELIVER_AGAIN_S)
            return []
        except Unsendable as exc:  # of a router with other limits: it would be tried for ever
            return self._refuse(entry, f"it cannot be sent: {exc}", now)
        entry.go(Stage.UNDER_WAY)
        return [WakeLink()]

    def unread(self, number: int, trouble: str, now: float) -> list[Command]:
        """It could not be read back at present."""
        self._wait(self._the(number), now + DELIVER_AGAIN_S)
        return self._failed(f"a kept answer cannot be read: {trouble}")

    def damaged(self, number: int, now: float) -> list[Command]:
        """It is not what was written, and was set aside."""
        self._memory.counters["outbox_damaged"] += 1
        self.set_aside += 1
        self._out -= 1
        return [*self._drop(self._the(number)), *self.deliver(now)]

    def number_of(self, request: str) -> int | None:
        """Which kept thing a reply is about, if it is about one."""
        prefix, _, number = request.rpartition(":")
        return int(number) if prefix == self._prefix else None

    def answered(self, number: int, reply: Reply, now: float) -> list[Command]:
        """The daemon's word on something that was sent."""
        entry = self._the(number)
        if reply.outcome is Outcome.TRY_LATER:
            self._wait(entry, now + max(1.0, reply.retry_after_s or DELIVER_AGAIN_S))
            return []
        if reply.outcome is not Outcome.OK:
            why = "no reason given" if reply.reason is None else reply.reason.value
            return self._refuse(entry, f"the daemon refused it: {why}", now)
        entry.go(Stage.SETTLED)
        self._out -= 1
        self._memory.counters["outbox_delivered"] += 1
        self._remember(entry.kept)
        return [Unspool(entry.kept), *self.deliver(now)]

    # inside

    def _refuse(self, entry: Entry, why: str, now: float) -> list[Command]:
        entry.go(Stage.SETTLED)
        self._out -= 1
        self._memory.counters["outbox_refused"] += 1
        self.set_aside += 1
        return [SetAside(entry.kept, why), *self.deliver(now)]

    def agent_of(self, number: int) -> WireId:
        """Whose it is."""
        return self._the(number).kept.agent

    def _entry_of(self, request: HandedIn) -> Entry | None:
        entries = self._stock.of(request.subject)
        is_answer, digest = isinstance(request, SubmitUnit), digest_of(request) if entries else ""
        same = (one for one in entries if one.kept.is_answer is is_answer and one.kept.digest == digest)
        return next(same, None)

    def _the(self, number: int) -> Entry:
        entry = self._stock.get(number)
        assert entry is not None, f"nothing is kept under {number}"
        return entry

    def _add(self, kept: Kept, stage: Stage) -> None:
        self._stock.add(kept, stage)
        self._tickets.hold_files(kept.files)

    def _drop(self, entry: Entry) -> list[Command]:
        was_full = self._stock.quota.is_full
        self._stock.drop(entry)
        unwanted = self._tickets.release_files(entry.kept.files)
        commands: list[Command] = [DropFiles(unwanted)] if unwanted else []
        if was_full and not self._stock.quota.is_full:
            commands.append(Note("the outbox has room again", is_alarm=False))
        return commands

    def _wait(self, entry: Entry, until: float) -> None:
        self._out -= 1
        entry.go(Stage.KEPT)
        self._later.set(entry.number, until)

    def _turn_away(self, size: int) -> list[Command]:
        self._memory.counters["outbox_full"] += 1
        quota = self._stock.quota
        if quota.has_room(size) or quota.is_full:
            return []
        quota.is_full = True
        return [Note(f"the outbox is full ({quota.bytes_max} bytes): pages are told to try later")]

    def _failed(self, words: str) -> list[Command]:
        self._memory.counters["outbox_failed"] += 1
        if self._is_failing:
            return []
        self._is_failing = True
        return [Note(f"{words}; pages are told to try later until this is mended")]

    def _mended(self) -> list[Command]:
        if not self._is_failing:
            return []
        self._is_failing = False
        return [Note("answers can be kept again", is_alarm=False)]

    def _remember(self, kept: Kept) -> None:
        if kept.is_answer:
            self._delivered.note(kept.agent, kept.digest)


def digest_of(request: HandedIn) -> str:
    """What it says, whoever sends it and whenever: the same again is the same."""
    said = request.final_data if isinstance(request, SubmitUnit) else request.metadata
    return content_digest(said, request.files)
