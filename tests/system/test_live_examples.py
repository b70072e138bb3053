"""The live examples as their READMEs say to try them: simulated workers do everything, in real processes."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import crowdd.examples

pytestmark = pytest.mark.system

EXAMPLES = Path(crowdd.examples.__file__).parent
WITHIN_S = 120.0


def played(example: str, rows: int, bots: int, folder: Path) -> list[dict[str, Any]]:
    """The records of `crowdd run` with the first rows of an example."""
    task = Path(shutil.copytree(EXAMPLES / example, folder / example))
    lines = (task / "data.jsonl").read_text().splitlines(keepends=True)
    (task / "data.jsonl").write_text("".join(lines[:rows]))
    settings = (task / "task.toml").read_text()
    # Some bots give a unit back, and the last may then wait alone.
    (task / "task.toml").write_text(settings.replace("limit_s = 300", "limit_s = 10"))
    command = [sys.executable, "-m", "crowdd.cli", "run", str(task), "--workers", "0", "--bots", str(bots)]
    ran = subprocess.run(
        [*command, "--data", str(folder / "data")],
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return [json.loads(line) for line in (folder / "data" / f"{example}.jsonl").read_text().splitlines()]


def test_simulated_workers_describe_and_guess(tmp_path: Path) -> None:
    records = played("describe-and-guess", 3, 4, tmp_path)
    assert len(records) == 6
    for number in {record["assignment_id"] for record in records}:
        one, other = (record["data"]["outputs"] for record in records if record["assignment_id"] == number)
        assert one["score"] == other["score"]
        assert [turn["picked"] for turn in one["rounds"]] == [turn["picked"] for turn in other["rounds"]]
    assert sum(record["data"]["outputs"]["score"] for record in records) > 6 * 6 / 2
    said = [update["data"] for record in records for update in record["updates"]]
    assert {update["kind"] for update in said if "kind" in update} == {"round", "said", "picked", "over"}


def test_simulated_workers_talk_with_both_models(tmp_path: Path) -> None:
    records = played("model-chat", 2, 3, tmp_path)
    assert {record["data"]["inputs"]["_model"] for record in records} == {"echo", "babble"}
    assert len(records) == 2 * 3
    for record in records:
        turns = record["data"]["outputs"]["turns"]
        calls = [update for update in record["updates"] if update["data"].get("target") == "reply"]
        assert len(turns) == len(calls) == 6
