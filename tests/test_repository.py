"""The repository keeps its own rules: one name per module, one version, nothing tied to a machine."""

import ast
import json
import re
import statistics
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import crowdd

ROOT = Path(__file__).parent.parent
PACKAGES = ("daemon", "protocol", "storage", "router", "logs", "files", "client", "testing")
LOCK_NAMES = re.compile(r"(.*\.lock|package-lock\.json|npm-shrinkwrap\.json|pnpm-lock\.yaml)")
# Bracketed letters keep these patterns from finding themselves.
DOWNLOADS = re.compile(
    r"https?://\S+\.(whl|tgz|tar\.gz|deb|zip)\b|--(extra-)?index-ur[l]|--find-link[s]|--hash=sh[a]256"
)
MACHINE_PATHS = re.compile(r"/wor[k]/\w|/roo[t]/\w|/tmp/v[/]|\.\./share[d]\b|\bplan\.m[d]\b")
MEDIAN_LINES_MAX = 200
DOCSTRING_WORDS_MIN = 4

IMPORT_ALL = """
import importlib, json, pkgutil, sys
import crowdd
modules = pkgutil.walk_packages(crowdd.__path__, "crowdd.")
names = [module.name for module in modules if not module.name.endswith(".__main__")]
for name in names:
    importlib.import_module(name)
print(json.dumps({"imported": names, "loaded": sorted(sys.modules)}))
"""


def tracked_files() -> list[Path]:
    """What git keeps or would take in; links between our folders count once."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    paths = [ROOT / name for name in listing.split("\0") if name]
    return [path for path in paths if path.is_file() and not path.is_symlink()]


def own_modules() -> list[Path]:
    folders = {ROOT / package for package in PACKAGES} | {ROOT / "src"}
    return [path for path in tracked_files() if path.suffix == ".py" and folders & set(path.parents)]


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def lines_matching(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}"
        for path in tracked_files()
        for number, line in enumerate(text_of(path).splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_module_is_loaded_a_second_time_under_its_bare_folder_name() -> None:
    # Run from the root, where `import protocol` would find the folder: the one slip this layout allows.
    ran = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    report = json.loads(ran.stdout)
    assert {f"crowdd.{package}" for package in PACKAGES} <= set(report["imported"])
    assert not {name for name in report["loaded"] if name.split(".")[0] in PACKAGES}


def test_the_command_says_the_version_that_the_package_and_its_metadata_have() -> None:
    command = Path(sys.executable).with_name("crowdd")
    said = subprocess.run([command, "--version"], capture_output=True, text=True, check=True).stdout
    assert said.split()[-1] == crowdd.__version__ == metadata.version("crowdd")


def test_the_changelog_tells_of_this_version() -> None:
    assert re.search(
        rf"^## \[?{re.escape(crowdd.__version__)}\b", text_of(ROOT / "CHANGELOG.md"), re.MULTILINE
    )


def test_every_needed_package_is_pinned() -> None:
    pinned = {line.split("==")[0] for line in text_of(ROOT / "constraints.txt").splitlines() if "==" in line}
    needed = {
        re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", requirement)[0]).lower()
        for requirement in metadata.requires("crowdd") or []
    }
    assert needed <= pinned


def test_constraints_hold_names_and_versions_and_nothing_else() -> None:
    lines = [line for line in text_of(ROOT / "constraints.txt").splitlines() if not line.startswith("#")]
    assert [line for line in lines if not re.fullmatch(r"[a-z0-9-]+==[\w.]+", line)] == []


def test_no_lock_file_is_kept() -> None:
    assert [path for path in tracked_files() if LOCK_NAMES.fullmatch(path.name)] == []


def test_no_file_names_a_download_address() -> None:
    assert lines_matching(DOWNLOADS) == []


def test_no_file_names_a_place_on_a_developer_machine() -> None:
    assert lines_matching(MACHINE_PATHS) == []


def test_every_folder_of_ours_is_linked_into_the_package() -> None:
    for package in (*PACKAGES, "examples"):
        link = ROOT / "src" / "crowdd" / package
        assert link.is_symlink(), f"{link} is no link: this checkout has lost its links"
        assert link.resolve() == ROOT / package


def test_every_module_says_what_it_holds() -> None:
    said = {path: ast.get_docstring(ast.parse(text_of(path))) or "" for path in own_modules()}
    mute = [path for path, words in said.items() if len(words.split()) < DOCSTRING_WORDS_MIN]
    assert [str(path.relative_to(ROOT)) for path in mute] == []


def test_modules_stay_small() -> None:
    lengths = [len(text_of(path).splitlines()) for path in own_modules()]
    print(f"{len(lengths)} modules, median {statistics.median(lengths)} lines, longest {max(lengths)}")
    assert statistics.median(lengths) < MEDIAN_LINES_MAX


def test_every_package_can_be_imported_before_all_others() -> None:
    """A circle of imports is a daemon that starts or does not, depending on who was asked first."""
    program = ROOT / "tests" / "import_each.py"
    found = subprocess.run([sys.executable, program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
