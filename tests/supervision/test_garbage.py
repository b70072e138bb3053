"""What Python looks through in its search for garbage, and when: told by counts, never by a clock."""

import gc
import mmap
import weakref
from collections.abc import Iterator

import attrs
import pytest

from crowdd.supervision.garbage import (
    GROWN_BYTES_MAX,
    LOOK_TURNS,
    NEWEST,
    GarbageSearch,
    resident_bytes,
)

MANY = 4 * NEWEST * LOOK_TURNS  # so many objects make a look worth its while


class Cycle:
    """Something that only the search can find once nobody holds it."""

    def __init__(self) -> None:
        self.me = self


@attrs.frozen
class Aside:
    """A cycle that outlived a look, and is lost since: gone once a search has found it."""

    lost: "weakref.ref[Cycle]"
    kept: list[list[int]]
    """What made that look worth its while; much else would go with it."""

    @classmethod
    def set(cls, search: GarbageSearch) -> "Aside":
        held, kept = Cycle(), many()
        search.look()
        return cls(weakref.ref(held), kept)

    @property
    def found(self) -> bool:
        return self.lost() is None


@pytest.fixture
def searches() -> Iterator[list[int]]:
    """The generation of each search from now on; the process's own settings come back afterwards."""
    seen: list[int] = []

    def note(phase: str, about: dict[str, int]) -> None:
        if phase == "start":
            seen.append(about["generation"])

    before = gc.get_threshold()
    gc.collect()
    gc.callbacks.append(note)
    yield seen
    gc.callbacks.remove(note)
    gc.set_threshold(*before)
    gc.unfreeze()


def many() -> list[list[int]]:
    return [[number] for number in range(MANY)]


def dropped_cycle() -> "weakref.ref[Cycle]":
    return weakref.ref(Cycle())


def test_python_alone_looks_through_the_newest_only(searches: list[int]) -> None:
    GarbageSearch().begin()
    kept = [many() for _ in range(5)]
    assert len(kept) == 5
    assert {0} == set(searches)


def test_a_look_with_little_to_look_through_does_nothing(searches: list[int]) -> None:
    search = GarbageSearch()
    search.begin()
    gc.collect()
    searches.clear()
    search.look()
    assert searches == []


def test_a_look_finds_what_became_garbage_since_the_last(searches: list[int]) -> None:
    search = GarbageSearch()
    search.begin()
    lost, kept = dropped_cycle(), many()
    search.look()
    assert lost() is None
    assert searches.count(2) == 1
    assert len(kept) == MANY


def test_what_outlived_a_look_is_not_looked_through_again(searches: list[int]) -> None:
    search = GarbageSearch()
    search.begin()
    kept = many()
    search.look()
    assert len(gc.get_objects()) < MANY
    assert len(kept) == MANY


def test_what_was_set_aside_is_found_once_that_is_very_much(searches: list[int]) -> None:
    search = GarbageSearch(unseen_max=MANY // 2 * 3)
    search.begin()
    aside = Aside.set(search)
    search.look()
    assert not aside.found
    more = many()
    search.look()
    assert not aside.found
    search.look()
    assert aside.found
    assert len(more) == MANY


def test_after_everything_was_looked_through_much_may_be_set_aside_again(searches: list[int]) -> None:
    search = GarbageSearch(unseen_max=MANY // 2)
    search.begin()
    kept = many()
    search.look()
    search.look()
    searches.clear()
    search.look()
    assert searches == []
    assert len(kept) == MANY


def test_what_was_set_aside_is_found_once_the_process_has_grown_much(searches: list[int]) -> None:
    size = GROWN_BYTES_MAX
    search = GarbageSearch(size=lambda: size)
    search.begin()
    aside = Aside.set(search)
    search.look()
    assert not aside.found
    size += GROWN_BYTES_MAX
    search.look()
    assert aside.found
    searches.clear()
    search.look()
    assert searches == []  # it has grown no more since


def test_a_process_knows_how_large_it_is() -> None:
    before = resident_bytes()
    with mmap.mmap(-1, 50_000_000) as room:  # never in use before, as room for bytes may be
        room.write(b"x" * len(room))
        assert resident_bytes() - before >= len(room) // 2


def test_few_survivors_are_looked_through_with_the_next(searches: list[int]) -> None:
    search = GarbageSearch(aside_min=3 * MANY)
    search.begin()
    aside = Aside.set(search)
    more = many()
    search.look()
    assert aside.found
    assert len(more) == MANY
