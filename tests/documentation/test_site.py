"""The documentation builds as a site without a warning, and a broken link is one."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .terminal import ROOT

pytestmark = pytest.mark.system
BUILD = (sys.executable, "-m", "sphinx", "--fail-on-warning", "--keep-going", "-c", "docs")


def build(folder: Path, out: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*BUILD, "-d", str(out / "pages"), ".", str(out / "site")],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_site_is_built_and_begins_with_its_contents(tmp_path: Path) -> None:
    built = build(ROOT, tmp_path)
    assert built.returncode == 0, built.stderr
    first = (tmp_path / "site" / "docs" / "README.html").read_text()
    for page in ("getting-started.html", "reference/crowdctl.html", "../ARCHITECTURE.html"):
        assert f'href="{page}"' in first
    assert not (ROOT / "build" / "site").exists()


@pytest.mark.parametrize(
    ("link", "why"),
    [
        ("[gone](nothing.md)", "nothing.md"),
        ("[gone](../ARCHITECTURE.md#no-such-heading)", "no-such-heading"),
        ("[gone](../systemd/nothing.service)", "nothing.service"),
    ],
)
def test_a_broken_link_ends_the_build(tmp_path: Path, link: str, why: str) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in ("docs", "examples", "systemd"):
        shutil.copytree(ROOT / name, copy / name)
    for page in ROOT.glob("*.md"):
        shutil.copy(page, copy)
    (copy / "src" / "crowdd").mkdir(parents=True)
    shutil.copy(ROOT / "src" / "crowdd" / "__init__.py", copy / "src" / "crowdd")
    with (copy / "docs" / "how-it-works.md").open("a") as text:
        text.write(f"\n{link}\n")
    built = build(copy, tmp_path)
    assert built.returncode == 1
    assert "how-it-works" in built.stderr
    assert why in built.stderr
