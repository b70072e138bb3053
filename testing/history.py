"""What clients did and what they were told, in order: the one side of the checker. Judges nothing.

A client notes `Invoke` before it sends and exactly one of `Ok`, `Refused`, `Unknown` after. A request that
is repeated is a new call with the same intent. Agents are named by `agent_key`, never by their wire ids,
so that a history may be kept and passed on.
"""

import enum
import hashlib
import itertools
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

import attrs
import cattrs
import orjson

from ..protocol.documents import canonical_json
from ..protocol.names import AgentStatus


class Operation(enum.Enum):
    """What a client may ask for."""

    REGISTER = "register"
    SUBMIT = "submit"
    METADATA = "metadata"
    RETURN = "return"
    ONBOARD = "onboard"


GIVES_UNITS = {Operation.REGISTER, Operation.ONBOARD}
TRY_LATER = "try later"
"""`Unknown.why`: answered, but with nothing definite."""
LOST = "connection lost"
TIMED_OUT = "timed out"
GAVE_UP = "gave up"
"""`Unknown.why`: the client went away and will never ask again."""


@attrs.frozen
class Invoke:
    """A request is about to be sent."""

    at: float
    call: str
    client: str
    operation: Operation
    link: str = ""
    """Of a registration: which personal link or registration id, in the client's words."""
    after: str = ""
    """Of a registration: the key of the agent the page has finished, "" for none."""
    agent: str = ""
    """Of everything else: the key of the agent it is about."""
    digest: str = ""
    """Of a submission or metadata: `answer_digest` of what is sent."""


@attrs.frozen
class Ok:
    """It was done, says the answer. `agent` and `finished` are those of a registration."""

    at: float
    call: str
    agent: str = ""
    finished: bool = False


@attrs.frozen
class Refused:
    """Nothing was done and repeating will not change that, says the answer."""

    at: float
    call: str
    reason: str
    status: str = ""


@attrs.frozen
class Unknown:
    """It may have been done or not: no answer, or "try again"."""

    at: float
    call: str
    why: str


@attrs.frozen
class Told:
    """A page was told its agent's status, unasked."""

    at: float
    client: str
    agent: str
    status: AgentStatus


@attrs.frozen
class Spoke:
    """A page's script said something live. Of an unchanged page (`page` is "") noted as it is sent."""

    at: float
    client: str
    agent: str
    page: str
    number: int
    update_id: str
    digest: str


@attrs.frozen
class Assured:
    """A page was told that what it said on this stream, up to this number, is stored."""

    at: float
    client: str
    agent: str
    page: str
    number: int


@attrs.frozen
class Saw:
    """A page load's script was given an update of user code; repeats that the page drops are not noted."""

    at: float
    client: str
    agent: str
    load: str
    number: int
    digest: str


LiveEntry = Spoke | Assured | Saw
Entry = Invoke | Ok | Refused | Unknown | Told | LiveEntry
_KINDS: dict[str, type[Entry]] = {
    kind.__name__.lower(): kind for kind in (Invoke, Ok, Refused, Unknown, Told, Spoke, Assured, Saw)
}


def agent_key(wire_id: str | None) -> str:
    """What an agent is called in a history: stands for the wire id, and does not give it away."""
    return hashlib.sha256(wire_id.encode()).hexdigest()[:16] if wire_id else ""


def answer_digest(data: bytes, files: Iterable[str] = ()) -> str:
    """What an answer is called in a history: canonical JSON and the SHA-256 of each file, in order."""
    return hashlib.sha256(b"\0".join([data, *(sha256.encode() for sha256 in files)])).hexdigest()


def update_digest(update: Mapping[str, Any]) -> str:
    """What a live update is called in a history: its content, without the id under which it travels."""
    return answer_digest(canonical_json({key: each for key, each in update.items() if key != "update_id"}))


class History:
    """A growing history, one per process; with a `file`, every entry is in it before the method returns."""

    def __init__(
        self, name: str = "", clock: Callable[[], float] = time.monotonic, file: TextIO | None = None
    ) -> None:
        self.entries: list[Entry] = []
        self.clock = clock
        self._calls = (f"{name}{number}" for number in itertools.count(1))
        self._file = file

    def invoke(
        self,
        client: str,
        operation: Operation,
        *,
        link: str = "",
        after: str = "",
        agent: str = "",
        digest: str = "",
    ) -> str:
        """Note a request; the call it returns names it in what follows."""
        call = next(self._calls)
        self._append(Invoke(self.clock(), call, client, operation, link, after, agent, digest))
        return call

    def ok(self, call: str, agent: str = "", finished: bool = False) -> None:
        """Note that a call was answered with yes."""
        self._append(Ok(self.clock(), call, agent, finished))

    def refused(self, call: str, reason: str, status: str = "") -> None:
        """Note that a call was answered with no."""
        self._append(Refused(self.clock(), call, reason, status))

    def unknown(self, call: str, why: str) -> None:
        """Note that what became of a call is not known."""
        self._append(Unknown(self.clock(), call, why))

    def told(self, client: str, agent: str, status: AgentStatus) -> None:
        """Note a status that a page was told."""
        self._append(Told(self.clock(), client, agent, status))

    def spoke(self, client: str, agent: str, page: str, number: int, update: Mapping[str, Any]) -> None:
        """Note what a page's script said."""
        update_id, digest = str(update["update_id"]), update_digest(update)
        self._append(Spoke(self.clock(), client, agent, page, number, update_id, digest))

    def assured(self, client: str, agent: str, page: str, number: int) -> None:
        """Note what a page was told to be stored."""
        self._append(Assured(self.clock(), client, agent, page, number))

    def saw(self, client: str, agent: str, load: str, number: int, update: Mapping[str, Any]) -> None:
        """Note what a page's script was given."""
        self._append(Saw(self.clock(), client, agent, load, number, update_digest(update)))

    def _append(self, entry: Entry) -> None:
        self.entries.append(entry)
        if self._file is not None:
            self._file.write(_line(entry))
            self._file.flush()  # a kill -9 a moment later must not lose what was said


def answers_saved(entries: Iterable[Entry]) -> set[str]:
    """The keys of the agents whose answer was called saved."""
    asked: dict[str, str] = {}
    saved: set[str] = set()
    for entry in entries:
        match entry:
            case Invoke(operation=Operation.SUBMIT):
                asked[entry.call] = entry.agent
            case Ok() if entry.call in asked:
                saved.add(asked[entry.call])
            case _:
                pass
    return saved


def answers_replaced(entries: Iterable[Entry]) -> set[str]:
    """The keys of the agents of whom two different answers were called saved: only one of them can be."""
    asked: dict[str, Invoke] = {}
    saved: dict[str, set[str]] = {}
    for entry in entries:
        match entry:
            case Invoke(operation=Operation.SUBMIT):
                asked[entry.call] = entry
            case Ok() if entry.call in asked:
                invoke = asked[entry.call]
                saved.setdefault(invoke.agent, set()).add(invoke.digest)
            case _:
                pass
    return {agent for agent, digests in saved.items() if len(digests) > 1}


def at_work(entries: Iterable[Entry]) -> set[str]:
    """The clients who were given a unit, and were not told since that it is handed in or back, or is over."""
    asked: dict[str, Invoke] = {}
    working: set[str] = set()
    for entry in entries:
        match entry:
            case Invoke():
                asked[entry.call] = entry
            case Ok() if asked[entry.call].operation in GIVES_UNITS and not entry.finished:
                working.add(asked[entry.call].client)
            case Ok() | Refused() if asked[entry.call].operation is not Operation.METADATA:
                working.discard(asked[entry.call].client)
            case _:
                pass
    return working


def answered(entries: Sequence[Entry]) -> Counter[str]:
    """How many requests of each kind were answered definitely, with yes or no."""
    asked = {entry.call: entry.operation.value for entry in entries if isinstance(entry, Invoke)}
    return Counter(asked[entry.call] for entry in entries if isinstance(entry, Ok | Refused))


def save_history(entries: Sequence[Entry], path: Path) -> None:
    """Write entries as JSON lines."""
    path.write_text("".join(_line(entry) for entry in entries))


def load_history(*paths: Path) -> list[Entry]:
    """Read the histories of one or more processes of one machine and merge them by time.

    A last line that a killed process left half-written is dropped; any other bad line is a ValueError.
    """
    entries = [entry for path in paths for entry in _load(path)]
    return sorted(entries, key=lambda entry: entry.at)


def _line(entry: Entry) -> str:
    kind = type(entry).__name__.lower()
    return orjson.dumps({"kind": kind, **attrs.asdict(entry)}).decode() + "\n"


def _load(path: Path) -> list[Entry]:
    *whole, _torn = path.read_text().split("\n")
    return [_entry(line) for line in whole]


def _entry(line: str) -> Entry:
    fields: dict[str, Any] = orjson.loads(line)
    return cattrs.structure(fields, _KINDS[fields.pop("kind")])
