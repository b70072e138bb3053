"""Makes data.jsonl and examples.json from the UCI digits that scikit-learn ships; both are kept.

pip install scikit-learn && python convert.py
"""

import importlib
import json
import random
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROWS_PER_DIGIT = 12
EXAMPLES_PER_DIGIT = 15


def main() -> None:
    """Twelve of each digit for workers to read, and others that the simulated workers have learned from."""
    rng = random.Random(1998)  # noqa: S311  # chance that everybody can repeat
    rows: list[tuple[int, int]] = []
    examples: list[Any] = []
    digits = importlib.import_module("sklearn.datasets").load_digits()
    for digit in range(10):
        of_digit = [index for index, truth in enumerate(digits.target) if truth == digit]
        chosen = rng.sample(of_digit, ROWS_PER_DIGIT + EXAMPLES_PER_DIGIT)
        rows += [(index, digit) for index in chosen[:ROWS_PER_DIGIT]]
        examples += [[digit, _pixels(digits, index)] for index in chosen[ROWS_PER_DIGIT:]]
    rng.shuffle(rows)
    lines = [_row(index, _pixels(digits, index), digit) for index, digit in rows]
    (HERE / "data.jsonl").write_text("".join(f"{line}\n" for line in lines))
    body = ",\n".join(json.dumps(example, separators=(",", ":")) for example in examples)
    (HERE / "examples.json").write_text(f"[\n{body}\n]\n")


def _pixels(digits: Any, index: int) -> list[int]:
    return [int(ink) for ink in digits.data[index]]


def _row(index: int, pixels: list[int], digit: int) -> str:
    # "_truth" begins with an underscore: it stays on the server and comes out in the export.
    return json.dumps(
        {"id": f"digit-{index:04}", "pixels": pixels, "_truth": str(digit)}, separators=(",", ":")
    )


if __name__ == "__main__":
    main()
