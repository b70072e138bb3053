"""Looks for bytes that one of our readers cannot bear, led by what of its code they reach.

Usage: python -m benchmarks.fuzz TARGET [--seconds 60]. Needs atheris (`pip install atheris`), which none of
our groups has. It begins with `tests/attacks/corpus/TARGET`; what breaks a reader is written there, and the
suite reads it from then on.
"""

import argparse
import importlib
import sys
import tempfile
from pathlib import Path
from typing import Any

CORPUS = Path(__file__).parents[1] / "tests" / "attacks" / "corpus"


def main() -> None:
    """Fuzz until the time is over, or something breaks."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("target")
    parser.add_argument("--seconds", type=int, default=60)
    asked = parser.parse_args()
    try:
        atheris: Any = importlib.import_module("atheris")
    except ImportError:
        sys.exit("atheris is not installed: pip install atheris")
    with atheris.instrument_imports(include=["crowdd", "msgpack", "python_multipart"]):
        from tests.attacks.targets import TARGETS
    if asked.target not in TARGETS:
        parser.error(f"the targets are {', '.join(TARGETS)}")
    seeds = CORPUS / asked.target
    options = [f"-max_total_time={asked.seconds}", f"-artifact_prefix={seeds}/", "-max_len=4096"]
    with tempfile.TemporaryDirectory(prefix="crowdd-fuzz-") as found_on_the_way:
        atheris.Setup([sys.argv[0], *options, found_on_the_way, str(seeds)], TARGETS[asked.target])
        atheris.Fuzz()


if __name__ == "__main__":
    main()
