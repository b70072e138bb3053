"""The streams of the memory body: what a failed transaction did to them is undone."""

import gc

import pytest

from crowdd.storage.memory.streams import Streams


@pytest.fixture
def streams() -> Streams[str, int]:
    """One stream of two texts, and another."""
    streams: Streams[str, int] = Streams()
    for key, place in (("ann", 1), ("ann", 2), ("bob", 1)):
        assert streams.put(key, place, f"{key} {place}")
    streams.apply()
    return streams


def _content(streams: Streams[str, int]) -> list[object]:
    return [(key, key in streams, [*streams.having(key).items()]) for key in ("ann", "bob", "cid")]


def test_a_place_is_taken_once(streams: Streams[str, int]) -> None:
    assert not streams.put("ann", 2, "other")
    assert streams.having("ann")[2] == "ann 2"


def test_what_failed_leaves_streams_as_they_were(streams: Streams[str, int]) -> None:
    before = _content(streams)
    streams.put("ann", 3, "more")
    streams.put("cid", 1, "new")
    streams.drop("ann")
    streams.put("ann", 7, "again")
    streams.drop("cid")
    streams.forget()
    assert _content(streams) == before


def test_what_was_applied_is_not_undone_by_what_fails_later(streams: Streams[str, int]) -> None:
    streams.drop("ann")
    streams.put("cid", 1, "new")
    streams.apply()
    before = _content(streams)
    streams.put("cid", 2, "more")
    streams.forget()
    assert _content(streams) == before


def test_nothing_in_a_stream_is_looked_through_for_garbage(streams: Streams[str, int]) -> None:
    for place in range(3, 100):
        streams.put("ann", place, f"ann {place}")
    assert not gc.is_tracked(streams.having("ann"))
