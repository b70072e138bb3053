"""What an error says where nobody caught it: at the end of a notebook's traceback."""

from crowdd.client.errors import ClientError, LaunchRefused


def test_an_error_that_nobody_caught_tells_every_problem_and_what_to_do() -> None:
    refused = LaunchRefused("Not launched.", "Correct them.", ["name: is missing", "pay: too much"])
    assert str(refused) == ("Not launched.\n  - name: is missing\n  - pay: too much\n  Correct them.")


def test_an_error_without_a_hint_is_its_message() -> None:
    assert str(ClientError("It is late.")) == "It is late."
