"""Which functions of a task.py are hooks, and what is said about the others before a launch."""

from pathlib import Path

import pytest

from crowdd.daemon.hooks import HookName, hook_faults, hook_warnings, hooks_of
from crowdd.daemon.parts import TaskCode, task_code
from crowdd.daemon.registry import installed_plug_ins
from crowdd.daemon.task_config import ConfigRefused, RunConfig
from crowdd.daemon.task_toml import load_config

MOCKS = '[blueprint]\ntype = "mock"\n[provider]\ntype = "mock"\n[architect]\ntype = "mock"\n'
ONE = "[limits]\nallowed_concurrent = 1\n"
GOLD = f'{ONE}[gold]\nqualification_base = "g"\nmax_units = 3\n'
SCREENING = f'block_qualification = "b"\n{ONE}[screening]\nqualification = "s"\nmax_units = 3\n'
JUDGES = "def on_unit_submitted(agent): return True\n"


def a_task(folder: Path, toml: str, code: str) -> tuple[RunConfig, TaskCode]:
    (folder / "task.toml").write_text(f'name = "x"\n{toml}' + ("" if "[blueprint]" in toml else MOCKS))
    (folder / "task.py").write_text(code)
    own = task_code(installed_plug_ins(), folder)
    return load_config(folder, registry=own.registry), own


def faults(folder: Path, toml: str, code: str) -> list[str]:
    config, own = a_task(folder, toml, code)
    return hook_faults(config, own.module, own.blueprint(config, folder), folder)


def warnings(folder: Path, toml: str, code: str) -> list[str]:
    config, own = a_task(folder, toml, code)
    return hook_warnings(config, own.module, own.blueprint(config, folder))


def test_functions_of_task_py_are_hooks_by_their_names(tmp_path: Path) -> None:
    config, own = a_task(tmp_path, "", JUDGES + "def helper(): pass\nrank_units = 3\n")
    assert set(hooks_of(config, own.module, None).functions) == {HookName.ON_UNIT_SUBMITTED}


def test_methods_of_the_runs_own_blueprint_are_hooks(tmp_path: Path) -> None:
    code = """
from crowdd.daemon.blueprints.mock import MockBlueprint
class Mine(MockBlueprint):
    name = "mine"
    def worker_can_do_unit(self, worker, unit): return True
    def init_data(self, assignment, unit): return {}
"""
    config, own = a_task(
        tmp_path, MOCKS.replace('[blueprint]\ntype = "mock"', '[blueprint]\ntype = "mine"'), code
    )
    found = hooks_of(config, own.module, own.blueprint(config, tmp_path))
    assert set(found.functions) == {HookName.WORKER_CAN_DO_UNIT}
    assert not found.faults


def test_a_misspelt_hook_is_warned_of(tmp_path: Path) -> None:
    assert warnings(tmp_path, "", "def worker_can_do_units(worker, unit): return True\n") == [
        "task.py: worker_can_do_units is no hook and never asked; did you mean worker_can_do_unit?"
    ]


def test_an_onboarding_that_everybody_passes_is_warned_of(tmp_path: Path) -> None:
    (said,) = warnings(tmp_path, '[onboarding]\nqualification = "o"\n', "")
    assert said.startswith("onboarding: everybody who sends it passes")


@pytest.mark.parametrize(
    ("toml", "code", "told"),
    [
        (
            "",
            "def validate_onboarding(worker, data): ...\n",
            "task.toml has no [onboarding]",
        ),
        ("", "def on_unit_submitted(): ...\n", "is called as on_unit_submitted(agent); write it so"),
        ("", "def rank_units(units, worker): ...\n", 'write order = "ranked" under [choice]'),
        ('[choice]\norder = "ranked"\n', "", "needs rank_units(units, worker)"),
        (GOLD, JUDGES, 'gold.data: is missing; name a file of rows ("gold.jsonl")'),
        (f'{GOLD}data = "g.jsonl"\n', JUDGES, "gold.data: g.jsonl: cannot be read"),
        (f'{GOLD}data = "../g.jsonl"\n', JUDGES, "must be a path inside the task's folder"),
        (
            f"{GOLD}",
            f"{JUDGES}\ndef gold_for_worker(worker, n): ...\n",
            "is called as gold_for_worker(worker)",
        ),
        (GOLD, "def gold_for_worker(worker): ...\n", "gold: task.py has no on_unit_submitted(agent)"),
        (SCREENING, JUDGES, "screening.data: is missing"),
        (
            f'{SCREENING}data = "s.jsonl"\n',
            f"{JUDGES}\ndef screening_units(): ...\n",
            "screening.data: there is screening_units() in task.py, too; keep one",
        ),
    ],
)
def test_what_cannot_work_is_refused_with_the_remedy(tmp_path: Path, toml: str, code: str, told: str) -> None:
    try:
        said = faults(tmp_path, toml, code)
    except ConfigRefused as refused:
        said = refused.problems
    assert [each for each in said if told in each], said


@pytest.mark.parametrize(("rows", "told"), [("", "holds no row"), ("{\n", "gold.data: g.jsonl:1")])
def test_a_file_of_gold_rows_is_read_before_the_launch(tmp_path: Path, rows: str, told: str) -> None:
    (tmp_path / "g.jsonl").write_text(rows)
    (said,) = faults(tmp_path, f'{GOLD}data = "g.jsonl"\n', JUDGES)
    assert told in said


def test_a_whole_task_has_no_faults(tmp_path: Path) -> None:
    (tmp_path / "g.jsonl").write_text('{"n": 1}\n')
    assert faults(tmp_path, f'{GOLD}data = "g.jsonl"\n', JUDGES) == []
