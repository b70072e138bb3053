"""The blueprint `pairs`: which of two items is better? From a list of items; brings its own page."""

import html
import random
from collections.abc import Iterator, Mapping
from itertools import combinations
from pathlib import Path

import attrs

from crowdd.daemon.blueprints import Blueprint, Row, page_script

ITEMS_MAX = 500  # 124,750 pairs; beyond that, compare a sample
_PAGE = Path(__file__).with_name("pairs.html")


@attrs.frozen
class PairsOptions:
    """`[blueprint]` of task.toml. The path is inside the task's folder."""

    items: Path = Path("items.txt")
    """One item a line."""
    question: str = "Which is better?"
    units_per_assignment: int = attrs.field(default=1, validator=attrs.validators.ge(1))
    """How many workers compare each pair."""
    seed: int = 1
    """In which order pairs come, and what stands left, is drawn by lot from this number."""


class PairsBlueprint(Blueprint):
    """Every two items are a row, {"first": ..., "second": ...}; the answer says which is `better`."""

    name = "pairs"
    Options = PairsOptions

    def check(self) -> list[str]:
        path = self.options.items
        try:
            items = self._items()
        except (OSError, UnicodeDecodeError) as exc:
            return [f"{path}: cannot be read ({exc}); write one item a line"]
        twice = sorted({item for item in items if items.count(item) > 1})
        faults = [f"{path}: {item!r} is there twice; remove one" for item in twice]
        if not 2 <= len(items) <= ITEMS_MAX:
            faults.append(f"{path}: holds {len(items)} items; from 2 to {ITEMS_MAX} can be compared")
        return faults

    def rows(self) -> Iterator[Row]:
        """The same after every restart: chance starts from the seed."""
        rng = random.Random(self.options.seed)  # noqa: S311  # an order, no secret
        pairs = [rng.sample(pair, 2) for pair in combinations(self._items(), 2)]
        rng.shuffle(pairs)
        for first, second in pairs:
            yield Row({"first": first, "second": second}, [{}] * self.options.units_per_assignment)

    def page_files(self) -> Mapping[str, bytes]:
        page = _PAGE.read_text("utf-8").replace("QUESTION", html.escape(self.options.question))
        return {"index.html": page.encode(), "crowdd.js": page_script()}

    def _items(self) -> list[str]:
        text = (self.material.folder / self.options.items).read_text("utf-8")
        return [line.strip() for line in text.splitlines() if line.strip()]
