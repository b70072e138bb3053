"""Players: from a file, or from the form of a page."""

import json
import random
from importlib.resources import files
from pathlib import Path

import pytest

from crowdd.testing.players import Field, PlayerUnusable, form_fields, form_player, load_player

DIGITS = Path(str(files("crowdd.examples") / "digits"))

FORM = """
<form data-crowdd=task>
  <label><input type="radio" name="digit" value="1">1</label><input type="radio" name="digit" value="2">
  <input name="note"><input type="number" name="age"><input type="checkbox" name="sure">
  <select name="ink"><option value="">choose</option><option value="blue">Blue</option></select>
  <input type="hidden" name="secret" value="x"><input type="file" name="photo"><input type="submit" name="go">
</form>
<form><input name="second"></form>
"""


def test_the_fields_of_the_first_form_are_found_with_their_choices() -> None:
    assert form_fields(FORM) == [
        Field("digit", "radio", ("1", "2")),
        Field("note", "text"),
        Field("age", "number"),
        Field("sure", "checkbox", ("on",)),
        Field("ink", "select", ("blue",)),
    ]


def test_a_form_is_filled_in_at_random_and_only_as_it_allows() -> None:
    answer, rng = form_player(FORM), random.Random(1)
    answers = [answer(None, rng) for _ in range(50)]
    assert {one["digit"] for one in answers} == {"1", "2"}
    assert {one["ink"] for one in answers} == {"blue"}
    assert all(0 <= int(one["age"]) <= 100 for one in answers)


def test_a_page_without_a_form_is_answered_with_nothing() -> None:
    assert form_player("<p>Nothing to fill in</p>")(None, random.Random(1)) == {}


def test_the_same_chance_gives_the_same_answers() -> None:
    answer = form_player(FORM)
    assert answer(None, random.Random(3)) == answer(None, random.Random(3))


def test_the_players_of_the_digits_look_at_the_pixels_and_read_most_of_them() -> None:
    player = load_player(DIGITS / "player.py")
    rows = [json.loads(line) for line in (DIGITS / "data.jsonl").read_text().splitlines()]
    seen = [{key: value for key, value in row.items() if not key.startswith("_")} for row in rows]
    rng = random.Random(1)
    right = sum(player(data, rng)["label"] == row["_truth"] for data, row in zip(seen, rows, strict=True))
    assert 0.85 < right / len(rows) < 1.0


@pytest.mark.parametrize("code", ["", "answer = 4", "def answer(:"])
def test_a_file_without_a_player_is_refused_with_what_is_missing(code: str, tmp_path: Path) -> None:
    (path := tmp_path / "player.py").write_text(code)
    with pytest.raises(PlayerUnusable, match=r"player\.py: (no function|invalid syntax)"):
        load_player(path)


def test_a_player_may_keep_part_of_itself_in_files_beside_it(tmp_path: Path) -> None:
    for number in (1, 2):
        (folder := tmp_path / f"task {number}").mkdir()
        (folder / "mind.py").write_text(f"THOUGHT = {number}\n")
        (folder / "player.py").write_text("from .mind import THOUGHT\nanswer = lambda data, rng: THOUGHT\n")
    players = [load_player(tmp_path / f"task {number}" / "player.py") for number in (1, 2)]
    assert [player(None, random.Random(1)) for player in players] == [1, 2]


def test_a_player_of_live_work_needs_no_answer_function(tmp_path: Path) -> None:
    (path := tmp_path / "player.py").write_text("async def play(page, data, rng): return 1")
    player = load_player(path)
    assert player.play is not None
    assert player.play_onboarding is None


def test_a_player_of_live_work_that_is_no_coroutine_is_refused(tmp_path: Path) -> None:
    (path := tmp_path / "player.py").write_text("def play(page, data, rng): return 1")
    with pytest.raises(PlayerUnusable, match="must begin with `async def`"):
        load_player(path)


def test_a_player_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PlayerUnusable, match="No such file"):
        load_player(tmp_path / "player.py")
