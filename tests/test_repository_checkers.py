"""The checkers really look: mistakes planted in a copy of the repository are found in every folder."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
# Tests are half of all there is to check, and nothing but tests imports them.
LEFT_OUT = shutil.ignore_patterns(
    ".git", ".*_cache", ".venv", "__pycache__", "node_modules", "crowdd-data", "dist", "test_*.py"
)

ACROSS_PACKAGES = '''"""Planted: takes what another package gives for what it is not."""

from {protocol}.names import AgentStatus


def planted() -> list[int]:
    return AgentStatus.COMPLETED
'''
ALONE = '''"""Planted: the client imports no other package of ours."""


def planted() -> list[int]:
    return "no list"
'''
PLANTED = {
    "daemon/planted.py": ACROSS_PACKAGES.format(protocol="..protocol"),
    "storage/planted.py": ACROSS_PACKAGES.format(protocol="..protocol"),
    "router/planted.py": ACROSS_PACKAGES.format(protocol="..protocol"),
    "testing/planted.py": ACROSS_PACKAGES.format(protocol="..protocol"),
    "protocol/planted.py": ACROSS_PACKAGES.format(protocol=""),
    "logs/planted.py": ALONE.replace("the client imports", "logs import"),
    "files/planted.py": ALONE.replace("the client imports", "files import"),
    "client/planted.py": ALONE,
    "src/crowdd/planted.py": ACROSS_PACKAGES.format(protocol=".protocol"),
    "benchmarks/planted.py": ACROSS_PACKAGES.format(protocol="crowdd.protocol"),
    "tests/planted.py": ACROSS_PACKAGES.format(protocol="crowdd.protocol"),
}

FORBIDDEN_IMPORTS = {
    "daemon/planted_import.py": ("from .. import router", "Imports go one way"),
    "router/planted_import.py": ("from .. import storage", "The router knows no database"),
    "client/planted_import.py": ("from .. import protocol", "The client asks over its socket"),
    "testing/planted_import.py": ("from .. import client", "Nothing but the command line"),
    "protocol/planted_import.py": ("import trio", "The protocol is pure"),
    "logs/planted_import.py": ("import trio", "Logs, files and supervision take the standard library"),
    "storage/planted_import.py": ("import starlette", "Storage knows no framework"),
    "daemon/planted_loop.py": ("import asyncio", "The daemon runs on trio alone"),
    "daemon/lifecycle/planted_import.py": ("import socket", "Life cycles are pure"),
    "daemon/admission/planted_import.py": ("import random", "Admission is pure"),
    "daemon/groups/planted_import.py": ("import trio", "What becomes of groups is decided by pure code"),
    "router/seats.py": ("import time", "The router's core is pure"),
    "storage/rules.py": ("import sqlite3", "What every body of storage shares"),
}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository again, links and all, to plant mistakes in."""
    target = tmp_path_factory.mktemp("planted") / "copy"
    shutil.copytree(ROOT, target, symlinks=True, ignore=LEFT_OUT)
    for name, text in PLANTED.items():
        (target / name).write_text(text)
    return target


def output_of(copy: Path, *command: str | Path) -> str:
    environment = {**os.environ, "PYTHONPATH": str(copy / "src"), "COLUMNS": "250", "NO_COLOR": "1"}
    ran = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 1, f"{command[0]} found nothing, or fell over:\n{ran.stdout}\n{ran.stderr}"
    return ran.stdout


def test_mypy_finds_a_planted_error_in_every_folder(copy: Path) -> None:
    output = output_of(copy, BIN / "mypy", "--cache-dir", copy / ".mypy_cache", "--no-pretty")
    found = re.findall(r"^(\S+/planted\.py):\d+: error: .*\[return-value\]$", output, re.MULTILINE)
    assert {str((copy / name).resolve().relative_to(copy.resolve())) for name in found} == set(PLANTED)


def test_pyright_finds_a_planted_error_in_every_folder(copy: Path) -> None:
    report = json.loads(output_of(copy, BIN / "pyright", "--outputjson", "--pythonpath", sys.executable))
    found = {
        str(Path(item["file"]).relative_to(copy.resolve()))
        for item in report["generalDiagnostics"]
        if item.get("rule") == "reportReturnType"
    }
    assert set(PLANTED) <= found


def test_every_import_contract_is_broken_by_its_planted_import(copy: Path) -> None:
    for name, (line, _contract) in FORBIDDEN_IMPORTS.items():
        with (copy / name).open("a") as module:
            module.write(f"\n{line}\n")
    output = output_of(copy, BIN / "lint-imports", "--no-cache")
    verdicts = dict(re.findall(r"^(.+) (KEPT|BROKEN)(?: \(.*\))?$", output, re.MULTILINE))
    assert set(verdicts.values()) == {"BROKEN"}, verdicts
    for _line, contract in FORBIDDEN_IMPORTS.values():
        assert [name for name in verdicts if name.startswith(contract)], (
            f"no contract begins with {contract!r}"
        )
    assert len(verdicts) == len(FORBIDDEN_IMPORTS)
