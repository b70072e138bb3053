"""Who knows the answers: a task's own player from a file, or one that fills in a form at random."""

import inspect
import itertools
import random
import sys
import traceback
from collections.abc import Awaitable, Callable, Mapping, Sequence
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from typing import Any

import attrs

from .player_page import PlayerPage

_numbers = itertools.count(1)

Player = Callable[[Any, random.Random], Any]
"""Gives the answer to a unit, from what the page is given for it and seeded chance."""
Play = Callable[[PlayerPage, Any, random.Random], Awaitable[Any]]
"""Talks live through a page, and gives the answer in the end."""


def no_answer(data: Any, rng: random.Random) -> dict[str, Any]:
    """The answer where nothing is asked."""
    return {}


@attrs.frozen
class TaskPlayer:
    """A task's own player, from a file."""

    answer: Player = no_answer
    onboarding: Player | None = None
    """What is submitted as onboarding, from what its page is given."""
    play: Play | None = None
    """Where the work is live: used instead of `answer`."""
    play_onboarding: Play | None = None
    """Where the onboarding is live: used instead of `onboarding`."""

    def __call__(self, data: Any, rng: random.Random) -> Any:
        """The answer to a unit."""
        return self.answer(data, rng)


class PlayerUnusable(Exception):
    """The file has no player; says what is missing."""


def load_player(path: Path) -> TaskPlayer:
    """Load `def answer(data, rng)` or `async def play(page, data, rng)` from a Python file.

    And `onboarding(data, rng)`, or live `play_onboarding(page, data, rng)`, if there is one. Runs the file,
    as a package like task.py: `from . import helpers` finds helpers.py beside it.
    PlayerUnusable when it has no player.
    """
    module = ModuleType(f"crowdd_player_{next(_numbers)}")
    module.__file__, module.__package__, module.__path__ = str(path), module.__name__, [str(path.parent)]
    sys.modules[module.__name__] = module
    try:
        code = compile(path.read_bytes(), str(path), "exec")
    except (OSError, SyntaxError) as exc:
        raise PlayerUnusable(f"{path}: {exc}") from exc
    try:
        exec(code, module.__dict__)  # noqa: S102  # a player is code of the person who starts the bots
    except Exception as exc:
        lines = [at.lineno for at in traceback.extract_tb(exc.__traceback__) if at.filename == str(path)]
        raise PlayerUnusable(f"{path}:{lines[-1]}: {type(exc).__name__}: {exc}") from exc
    known: dict[str, Any] = {
        field.name: getattr(module, field.name, None) for field in attrs.fields(TaskPlayer)
    }
    found: dict[str, Any] = {name: each for name, each in known.items() if callable(each)}
    if not found.keys() & {"answer", "play"}:
        raise PlayerUnusable(f"{path}: no function `answer(data, rng)` or `async def play(page, data, rng)`")
    for name in found.keys() & {"play", "play_onboarding"}:
        if not inspect.iscoroutinefunction(found[name]):
            raise PlayerUnusable(f"{path}: `{name}` must begin with `async def`")
    # What they return is checked by whoever stores it.
    return TaskPlayer(**found)


@attrs.frozen
class Field:
    """One field of a form: its name, and what may be chosen; no choices: any text or number."""

    name: str
    kind: str
    choices: Sequence[str] = ()


def form_player(html: str) -> Player:
    """Fills in the first form of a page at random; a page without one is answered `{}`."""
    fields = form_fields(html)

    def answer(data: Any, rng: random.Random) -> dict[str, Any]:
        return {field.name: _random_value(field, rng) for field in fields}

    return answer


def form_fields(html: str) -> list[Field]:
    """The named fields of the page's first form, in order; radio buttons of one name are one field."""
    reader = _FormReader()
    reader.feed(html)
    return [Field(name, kind, tuple(reader.choices[name])) for name, kind in reader.kinds.items()]


class _FormReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.kinds: dict[str, str] = {}
        self.choices: dict[str, list[str]] = {}
        self._inside = False
        self._over = False
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {key: value or "" for key, value in attrs}
        if tag == "form":
            self._inside = not self._over
        elif self._inside and tag in ("input", "textarea", "select", "button"):
            self._field(tag, given)
        elif self._inside and tag == "option" and self._select and given.get("value"):
            self.choices[self._select].append(given["value"])

    def handle_endtag(self, tag: str) -> None:
        if tag == "form" and self._inside:
            self._inside, self._over = False, True
        elif tag == "select":
            self._select = ""

    def _field(self, tag: str, given: Mapping[str, str]) -> None:
        name, kind = given.get("name", ""), given.get("type", "text") if tag == "input" else tag
        if not name or kind in ("hidden", "submit", "file", "reset", "image"):
            return
        self.kinds.setdefault(name, kind)
        choices = self.choices.setdefault(name, [])
        if kind in ("radio", "checkbox", "button"):
            choices.append(given.get("value", "on"))
        self._select = name if tag == "select" else self._select


def _random_value(field: Field, rng: random.Random) -> Any:
    if field.kind in ("number", "range"):
        return str(rng.randint(0, 100))
    if field.choices:
        return rng.choice(field.choices)
    return f"answer {rng.randint(1, 1000)}"
