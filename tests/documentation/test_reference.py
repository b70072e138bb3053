"""The generated pages of the reference are what the code says now."""

import subprocess
import sys
from pathlib import Path

import pytest

from .terminal import ROOT

GENERATED = ("crowdd.md", "options.md")


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reference")
    subprocess.run([sys.executable, ROOT / "scripts" / "reference.py", folder], check=True)
    return folder


@pytest.mark.parametrize("name", GENERATED)
def test_a_committed_page_is_what_the_code_says(fresh: Path, name: str) -> None:
    committed = (ROOT / "docs" / "reference" / name).read_text()
    assert committed == (fresh / name).read_text(), f"docs/reference/{name} is not up to date: make reference"


def test_every_generated_page_is_known_here(fresh: Path) -> None:
    assert {path.name for path in fresh.iterdir()} == set(GENERATED)


def test_a_reader_finds_types_defaults_and_meanings(fresh: Path) -> None:
    said = (fresh / "options.md").read_text()
    assert "| `limits.grace_s` | `20` | How long work in progress goes on" in said
    assert "### provider inhouse" in said
    assert "## crowdd storage accept" in (fresh / "crowdd.md").read_text()
