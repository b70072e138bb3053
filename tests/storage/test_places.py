"""Statements by places: what SQLite is given in place of named parameters."""

from crowdd.storage.sql.places import placed


def test_each_name_has_the_place_in_which_it_stands() -> None:
    by_place = placed("SELECT a FROM b WHERE c = :beta AND d > :alpha_1")
    assert by_place.text == "SELECT a FROM b WHERE c = ? AND d > ?"
    assert by_place.names == ("beta", "alpha_1")


def test_a_name_that_stands_twice_has_two_places() -> None:
    by_place = placed("VALUES (:run, :before, -:number), (:run, :after, :number)")
    assert by_place.text == "VALUES (?, ?, -?), (?, ?, ?)"
    assert by_place.names == ("run", "before", "number", "run", "after", "number")


def test_a_name_that_begins_as_another_is_not_taken_for_it() -> None:
    assert placed("VALUES (:run, :run_id)").names == ("run", "run_id")
