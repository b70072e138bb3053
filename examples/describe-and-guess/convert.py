"""Makes data.jsonl and prototypes.json from the data of the digits example, beside this one; both are kept.

python convert.py
"""

import json
import random
from pathlib import Path

HERE = Path(__file__).parent
DIGITS = HERE.parent / "digits"
GAMES = 8
ROUNDS = 6  # each player describes three times
OF_EACH = 3  # a round has two kinds of digits, three of each: to name the digit is not enough


def main() -> None:
    """Eight games of six rounds, and what each digit looks like on average."""
    rng = random.Random(1866)  # noqa: S311  # chance that everybody can repeat
    rows = [json.loads(line) for line in (DIGITS / "data.jsonl").read_text().splitlines()]
    of_digit: dict[str, list[str]] = {str(digit): [] for digit in range(10)}
    for row in rows:
        of_digit[row["_truth"]].append(_written(row["pixels"]))
    games = [_game(number, of_digit, rng) for number in range(1, GAMES + 1)]
    lines = [json.dumps(game, separators=(",", ":")) for game in games]
    (HERE / "data.jsonl").write_text("".join(f"{line}\n" for line in lines))
    known = json.loads((DIGITS / "examples.json").read_text())
    means = {str(digit): _mean([pixels for of, pixels in known if of == digit]) for digit in range(10)}
    (HERE / "prototypes.json").write_text(json.dumps(means, indent=1) + "\n")


def _game(number: int, of_digit: dict[str, list[str]], rng: random.Random) -> dict[str, object]:
    rounds: list[list[str]] = []
    digits: list[str] = []
    for _ in range(ROUNDS):
        kinds = rng.sample(sorted(of_digit), 2)
        drawn = [(kind, picture) for kind in kinds for picture in rng.sample(of_digit[kind], OF_EACH)]
        rng.shuffle(drawn)
        rounds.append([picture for _, picture in drawn])
        digits.append("".join(kind for kind, _ in drawn))
    targets = [rng.randrange(2 * OF_EACH) for _ in range(ROUNDS)]
    # What begins with an underscore stays on the server: no page can look up which picture is meant.
    return {"id": f"game-{number}", "rounds": rounds, "_targets": targets, "_digits": digits}


def _written(pixels: list[int]) -> str:
    """One character a pixel, row by row: 0 is paper, g (sixteen) is full ink."""
    return "".join("0123456789abcdefg"[ink] for ink in pixels)


def _mean(pictures: list[list[int]]) -> str:
    return _written([round(sum(column) / len(pictures)) for column in zip(*pictures, strict=True)])


if __name__ == "__main__":
    main()
