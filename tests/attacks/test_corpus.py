"""FLT27, SEC8: bytes of any kind, at everything that reads bytes of strangers. What a fuzzer finds is kept in
`corpus/<target>/` and read here each time; `benchmarks/fuzz.py` looks for more.
"""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .targets import TARGETS

CORPUS = Path(__file__).parent / "corpus"
SEEDS = sorted(path for path in CORPUS.rglob("*") if path.is_file())


def test_every_target_has_seeds() -> None:
    assert {path.parent.name for path in SEEDS} == set(TARGETS)


@pytest.mark.parametrize("seed", SEEDS, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_flt27_what_was_found_once_is_read_or_refused(seed: Path) -> None:
    TARGETS[seed.parent.name](seed.read_bytes())


@pytest.mark.parametrize("seed", SEEDS, ids=lambda path: f"{path.parent.name}-{path.name}")
@given(data=st.data())
@settings(max_examples=40)
def test_flt27_what_is_nearly_right_is_read_or_refused(seed: Path, data: st.DataObject) -> None:
    content = bytearray(seed.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content)))
        content[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    TARGETS[seed.parent.name](bytes(content))


@pytest.mark.parametrize("name", TARGETS)
@given(content=st.binary(max_size=200))
@settings(max_examples=60)
def test_flt27_bytes_of_any_kind_are_read_or_refused(name: str, content: bytes) -> None:
    TARGETS[name](content)
