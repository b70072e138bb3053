"""How a worker did: which answers say the truth, and which cannot be told."""

from typing import Any

import pytest

from crowdd.daemon.track_record import agrees


@pytest.mark.parametrize(
    ("truth", "answer", "expected"),
    [
        ("7", {"label": "7", "sure": True}, True),
        (7, {"label": "7"}, True),
        (7, {"label": "1"}, False),
        ("a", {"better": "a"}, True),
        ("a", {"better": "a", "why": "shorter"}, None),
        ({"better": "a", "sure": 1}, {"better": "a", "sure": "1", "why": "shorter"}, True),
        ({"better": "a", "sure": 1}, {"better": "a"}, False),
        ({"better": "a"}, ["a"], None),
        (None, {"label": "7"}, None),
        ("yes", "yes", True),
        ("yes", {}, None),
    ],
)
def test_an_answer_is_compared_with_the_truth_where_that_can_be_done(
    truth: Any, answer: Any, expected: bool | None
) -> None:
    assert agrees(truth, answer) is expected
