"""Times that move all the time, of which only those that are due are looked at."""

from hypothesis import given
from hypothesis import strategies as st

from crowdd.router.deadlines import Deadlines


def test_what_is_due_is_named_once_and_earliest_first() -> None:
    deadlines: Deadlines[str] = Deadlines()
    for key, due in (("b", 2.0), ("a", 3.0), ("c", 1.0), ("later", 9.0)):
        deadlines.set(key, due)
    assert deadlines.take_passed(3.0) == ["c", "b", "a"]
    assert deadlines.take_passed(3.0) == []
    assert len(deadlines) == 1


def test_a_deadline_moves_later_and_earlier() -> None:
    deadlines: Deadlines[str] = Deadlines()
    deadlines.set("a", 1.0)
    deadlines.set("a", 5.0)
    assert deadlines.take_passed(4.0) == []
    deadlines.set("a", 4.5)
    assert deadlines.take_passed(4.5) == ["a"]


def test_what_was_dropped_is_not_due_and_may_be_set_again() -> None:
    deadlines: Deadlines[str] = Deadlines()
    deadlines.set("a", 1.0)
    deadlines.drop("a")
    assert deadlines.take_passed(2.0) == []
    deadlines.set("a", 3.0)
    assert "a" in deadlines
    assert deadlines.take_passed(3.0) == ["a"]


STEPS = st.lists(st.tuples(st.sampled_from("abc"), st.none() | st.integers(0, 20)), max_size=40)


@given(STEPS)
def test_it_does_what_a_plain_table_would_do(steps: list[tuple[str, int | None]]) -> None:
    deadlines: Deadlines[str] = Deadlines()
    table: dict[str, float] = {}
    for now, (key, due) in enumerate(steps):
        if due is None:
            deadlines.drop(key)
            table.pop(key, None)
        else:
            deadlines.set(key, due)
            table[key] = due
        passed = {each for each, at in table.items() if at <= now}
        assert set(deadlines.take_passed(now)) == passed
        table = {each: at for each, at in table.items() if each not in passed}


def test_moving_a_deadline_a_thousand_times_leaves_one_entry() -> None:
    deadlines: Deadlines[str] = Deadlines()
    for due in range(1_000):
        deadlines.set("a", float(due))
    assert deadlines.take_passed(998.0) == []
    assert deadlines.take_passed(999.0) == ["a"]
