"""The browsers of a scene: processes of workers who are killed and opened again, and what they wrote down."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import attrs
import orjson

from ..history import GAVE_UP, Entry, Invoke, Ok, Operation, Refused, Unknown, load_history
from .browsers import Crowd
from .parts import Part
from .zygote import Zygote

PROGRAM = "crowdd.testing.certify.browsers:main"
UNDER_WAY_S = 0.1  # an answer may have left the daemon before it died
_KEPT = (Operation.SUBMIT, Operation.METADATA)
_ANSWER = b'"kind":"ok"'


@attrs.define
class _Life:
    history: Path
    killed_at: float | None = None


class Browsers:
    """One process of browsers, life after life."""

    def __init__(
        self, folder: Path, zygote: Zygote, name: str, links: Mapping[str, Sequence[str]], seed: int
    ) -> None:
        self._folder = folder
        self._name = name
        self._links = {label: [*given] for label, given in links.items()}
        self._seed = seed
        self._lives: list[_Life] = []
        self._read = 0
        (folder / "memories").mkdir(exist_ok=True)
        self.part = Part(
            name, zygote, self.begin_life, folder / f"{name}.log", self._is_open, program=PROGRAM
        )

    def begin_life(self) -> list[str]:
        """A new life; the arguments that it is started with."""
        life = f"{self._name}{len(self._lives) + 1}"
        history, config = self._folder / f"{life}.jsonl", self._folder / f"{self._name}.json"
        crowd = Crowd(life, self._seed, str(history), str(self._folder / "memories"), self._links)
        config.write_bytes(orjson.dumps(attrs.asdict(crowd)))
        history.touch()
        self._lives.append(_Life(history))
        self._read = 0
        return [str(config)]

    async def _is_open(self) -> bool:
        return True

    async def kill(self) -> int:
        """kill -9: the exit status, which is another when it had ended before."""
        status = await self.part.kill()
        self._lives[-1].killed_at = time.monotonic()
        return status

    def new_answers(self) -> list[float]:
        """When there was an answer with yes, of those since this was asked last, in the present life."""
        if not self._lives:
            return []
        with self._lives[-1].history.open("rb") as file:
            file.seek(self._read)
            *whole, torn = file.read().split(b"\n")
            self._read = file.tell() - len(torn)
        return [float(orjson.loads(line)["at"]) for line in whole if _ANSWER in line]

    def entries(self) -> list[Entry]:
        """All that was written down; what a killed life had asked is never asked again by it."""
        return [entry for life in self._lives for entry in _of_life(life)]


def _of_life(life: _Life) -> list[Entry]:
    entries = load_history(life.history)
    if life.killed_at is None:
        return entries
    answered = {entry.call for entry in entries if isinstance(entry, Ok | Refused | Unknown)}
    given_up = [
        Unknown(life.killed_at, entry.call, GAVE_UP)
        for entry in entries
        if isinstance(entry, Invoke) and entry.call not in answered
    ]
    known = [attrs.evolve(entry, why=GAVE_UP) if isinstance(entry, Unknown) else entry for entry in entries]
    return [*known, *given_up]


def count_kept(entries: Sequence[Entry], away: Sequence[tuple[float, float]]) -> int:
    """How many answers were called saved while there was no daemon to save them: a router kept them."""
    asked = {entry.call for entry in entries if isinstance(entry, Invoke) and entry.operation in _KEPT}
    saved = [entry.at for entry in entries if isinstance(entry, Ok) and entry.call in asked]
    return sum(any(since + UNDER_WAY_S < at < until for since, until in away) for at in saved)


def count_waited(entries: Sequence[Entry], halts: Sequence[tuple[float, float]]) -> int:
    """How many were asked of a router that stood still, and answered definitely once it went on."""
    began = {entry.call: entry.at for entry in entries if isinstance(entry, Invoke)}
    answered = [(began[entry.call], entry.at) for entry in entries if isinstance(entry, Ok | Refused)]
    return sum(any(since < asked < until < at for since, until in halts) for asked, at in answered)


def count_operations(entries: Sequence[Entry]) -> dict[str, int]:
    """How many of each kind were answered definitely; live updates: stored, and seen."""
    asked = {entry.call: entry.operation.value for entry in entries if isinstance(entry, Invoke)}
    counts: dict[str, int] = {}
    for entry in entries:
        match entry:
            case Ok() | Refused() if entry.call in asked:
                kind = asked[entry.call]
            case Ok() | Refused() | Unknown() | Invoke():
                continue
            case _:
                kind = f"live {type(entry).__name__.lower()}"
        counts[kind] = counts.get(kind, 0) + 1
    return counts
