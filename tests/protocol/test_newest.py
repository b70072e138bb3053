"""What is kept of the newest, and which go for them."""

from crowdd.protocol.newest import Newest


def noted(newest: Newest[int, str], *keys: int) -> list[int]:
    """Note these; whose were dropped for it."""
    return [dropped for key in keys for dropped in newest.note(key, f"of {key}")]


def test_of_too_many_the_oldest_goes() -> None:
    newest: Newest[int, str] = Newest(2)
    assert noted(newest, 1, 2, 3) == [1]
    assert newest == {2: "of 2", 3: "of 3"}


def test_what_is_noted_again_is_the_newest() -> None:
    newest: Newest[int, str] = Newest(2)
    assert noted(newest, 1, 2, 1, 3) == [2]


def test_of_very_many_the_oldest_go_together() -> None:
    newest: Newest[int, str] = Newest(1_000)
    assert noted(newest, *range(1_001)) == [*range(16)]
    assert noted(newest, *range(1_001, 1_016)) == []
    assert len(newest) == 1_000
