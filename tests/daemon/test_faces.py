"""Whose face is familiar at the door of a run."""

from crowdd.daemon.faces import FACES_MAX, Faces


def test_who_came_lately_is_familiar() -> None:
    faces = Faces()
    assert [faces.familiar(name) for name in ("ann", "bob", "ann")] == [False, False, True]


def test_of_many_those_are_forgotten_who_came_first() -> None:
    faces = Faces()
    for number in range(FACES_MAX + 1):
        faces.familiar(str(number))
    assert faces.familiar("1")
    assert not faces.familiar("0")


def test_who_comes_again_is_not_forgotten_for_having_come_first() -> None:
    faces = Faces()
    faces.familiar("ann")
    for number in range(FACES_MAX):
        faces.familiar("ann")
        faces.familiar(str(number))
    assert faces.familiar("ann")
