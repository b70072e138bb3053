"""Blueprints whose code runs while workers work: what they take from task.py, and refuse before a launch."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crowdd.daemon.blueprints.contract import Blueprint
from crowdd.daemon.blueprints.live_contract import (
    Fallback,
    GroupRules,
    LiveRules,
    Policy,
    Resume,
    Waiting,
)
from crowdd.daemon.checking import CheckedTask, LaunchRefused, check_task
from crowdd.daemon.parts import task_code
from crowdd.daemon.registry import installed_plug_ins
from crowdd.daemon.task_toml import load_config
from crowdd.protocol.names import AgentStatus, PieceKind, QueueOrder
from crowdd.storage.records import GOLD_UNIT_INDEX

PAGE = '<!doctype html><head><script src="crowdd.js"></script></head><p>${text}</p>'
UNIT = "async def run_unit(unit, agent): ...\n"
ASSIGNMENT = "async def run_assignment(assignment, group): ...\n"
PARTNER = "async def simulated_partner(partner): return {}\n"
FUNCTIONS = 'functions = {"guess": lambda caller, args: args}\n'
CODE = {"live": UNIT, "group": ASSIGNMENT, "remote_procedure": FUNCTIONS}
ONE = "[limits]\nallowed_concurrent = 1\n"
GOLD = ONE + '[gold]\nqualification_base = "g"\nmax_units = 3\ndata = "gold.jsonl"\n'
JUDGES = "def on_unit_submitted(agent): return True\n"
WAITING = "[blueprint.waiting]\n"
DROP_OUT = "[blueprint.drop_out]\n"
ONBOARDING = '[onboarding]\nqualification = "o"\n'
PASSES = "def validate_onboarding(worker, data): return True\n"


@pytest.fixture
def task(tmp_path: Path) -> Callable[..., Path]:
    """A folder with a task of this type, code, options below [blueprint] and other sections."""

    def made(kind: str, code: str, options: str = "", more: str = "", data: str = '{"text": "a"}\n') -> Path:
        (tmp_path / "page").mkdir()
        (tmp_path / "page" / "index.html").write_text(PAGE)
        (tmp_path / "data.jsonl").write_text(data)
        (tmp_path / "gold.jsonl").write_text('{"text": "g"}\n')
        mocks = '[provider]\ntype = "mock"\n[architect]\ntype = "mock"\n'
        (tmp_path / "task.toml").write_text(
            f'name = "x"\n{more}{mocks}[blueprint]\ntype = "{kind}"\n{options}'
        )
        (tmp_path / "task.py").write_text(code)
        return tmp_path

    return made


def checked(folder: Path) -> CheckedTask:
    return check_task(installed_plug_ins(), folder, {})


def faults(folder: Path) -> list[str]:
    try:
        return [*checked(folder).problems]
    except LaunchRefused as refused:
        return refused.problems


def blueprint(folder: Path) -> Blueprint:
    own = task_code(installed_plug_ins(), folder)
    return own.blueprint(load_config(folder, registry=own.registry), folder)


Task = Callable[..., Path]


@pytest.mark.parametrize("kind", CODE)
def test_a_whole_task_has_no_faults_and_nothing_odd(task: Task, kind: str) -> None:
    found = checked(task(kind, CODE[kind]))
    assert found.problems == ()
    assert found.plan("x").warnings == []


def test_code_is_what_task_py_calls_by_our_names(task: Task) -> None:
    made = blueprint(task("live", UNIT + FUNCTIONS, more=ONBOARDING))
    unit = made.play(PieceKind.UNIT)
    assert unit is not None
    assert unit.__name__ == "run_unit"
    assert made.play(PieceKind.ASSIGNMENT) is None
    assert made.play(PieceKind.ONBOARDING) is None
    assert [*made.named_functions()] == ["guess"]
    assert made.play_partner() is None


def test_methods_of_the_authors_class_are_code_as_well(task: Task) -> None:
    code = """
from crowdd import GroupBlueprint
class Guessing(GroupBlueprint):
    async def run_assignment(self, assignment, group): return self
    async def simulated_partner(self, partner): return {}
    def guess(self, caller, args): return self
    functions = {"guess": guess, "pick": lambda caller, args: args}
"""
    folder = task("group", code)
    assert faults(folder) == []
    made = blueprint(folder)
    functions = made.named_functions()
    assert type(made).__name__ == "Guessing"
    assert functions["guess"]("ann", {}) is made
    assert functions["pick"]("ann", 5) == 5
    assert made.play(PieceKind.ASSIGNMENT) is not None
    assert made.play_partner() is not None


async def test_a_unit_of_remote_procedures_lasts_until_it_is_submitted(task: Task) -> None:
    waited: list[str] = []

    class Agent:
        async def submitted(self) -> None:
            waited.append("submitted")

    play = blueprint(task("remote_procedure", FUNCTIONS)).play(PieceKind.UNIT)
    assert play is not None
    await play(None, Agent())
    assert waited == ["submitted"]


async def test_remote_procedures_are_served_in_an_onboarding_as_well(task: Task) -> None:
    waited: list[str] = []

    class Agent:
        async def submitted(self) -> None:
            waited.append("submitted")

    play = blueprint(task("remote_procedure", FUNCTIONS, more=ONBOARDING)).play(PieceKind.ONBOARDING)
    assert play is not None
    await play(Agent())
    assert waited == ["submitted"]


def test_remote_procedures_without_an_onboarding_play_none(task: Task) -> None:
    assert blueprint(task("remote_procedure", FUNCTIONS)).play(PieceKind.ONBOARDING) is None


@pytest.mark.parametrize(
    ("kind", "code", "told"),
    [
        ("live", "", "task.py: run_unit is missing: write `async def run_unit(unit, agent)`"),
        ("live", "async def run_units(unit, agent): ...", "is it run_units?"),
        ("live", "run_unit = 5", "task.py: run_unit is no function"),
        ("live", "def run_unit(unit, agent): ...", "task.py: run_unit is not async"),
        ("live", "async def run_unit(unit, agent): yield", "task.py: run_unit has a yield"),
        (
            "live",
            "async def run_unit(agent): ...",
            "run_unit is called as run_unit(unit, agent); write it so",
        ),
        ("live", UNIT + ASSIGNMENT, "run_assignment would never be called: its units are worked on alone"),
        ("live", UNIT + PARTNER, 'write type = "group" under [blueprint]'),
        (
            "live",
            UNIT + "async def run_onboarding(agent): ...",
            "run_onboarding would never be called: task.toml has no [onboarding]",
        ),
        ("live", UNIT + "functions = [len]", "task.py: functions must be a table of functions by name"),
        ("live", UNIT + 'functions = {"a": 5}', "task.py: functions: 'a' is no function, but 5"),
        ("live", UNIT + 'functions = {"": len}', "'' is no name: it must be text of 1 to 100 characters"),
        ("live", UNIT + "functions = {5: len}", "5 is no name"),
        ("live", UNIT + "functions = {'a': lambda x: x}", "'a' is called with (caller, args); write it so"),
        ("live", UNIT + "def f(c, a): yield\nfunctions = {'a': f}", "'a' has a yield: it must return"),
        ("group", "", "task.py: run_assignment is missing"),
        ("group", ASSIGNMENT + UNIT, "run_unit would never be called: only units of [screening] and [gold]"),
        ("remote_procedure", "", 'task.py: functions is missing: write functions = {"name": function}'),
        ("remote_procedure", "functions = {}", "functions is empty: pages have nothing to call"),
        ("remote_procedure", FUNCTIONS + UNIT, 'write type = "live" under [blueprint], which has them, too'),
        ("static", UNIT, "run_unit would never be called: a static task runs no code while workers work"),
        ("static", ASSIGNMENT, 'write type = "group" under [blueprint]'),
    ],
)
def test_code_that_cannot_work_is_refused_with_the_remedy(
    task: Task, kind: str, code: str, told: str
) -> None:
    (said,) = faults(task(kind, code))
    assert told in said


def test_code_that_is_there_twice_is_refused(task: Task) -> None:
    code = UNIT + (
        "from crowdd import LiveBlueprint\n"
        "class Mine(LiveBlueprint):\n"
        "    async def run_unit(self, unit, agent): ...\n"
    )
    (said,) = faults(task("live", code))
    assert said == "task.py: run_unit is there twice: by itself and in task.py: Mine.run_unit; keep one"


def test_what_is_nearly_one_of_our_names_is_warned_of(task: Task) -> None:
    code = UNIT + "async def run_onboardings(agent): ...\nfunction = {}\n"
    found = checked(task("live", code, more=ONBOARDING + ""))
    warnings = found.plan("x").warnings
    assert [said for said in warnings if "validate_onboarding" not in said] == [
        "task.py: function is never called; did you mean functions?",
        "task.py: run_onboardings is never called; did you mean run_onboarding?",
    ]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("size_min = 3", "blueprint.size_min: 3 is more than 2 (size_max)"),
        ("size_max = 0", "blueprint.size_max: must be >= 1, not 0"),
        ("size_max = 101", "blueprint.size_max: must be <= 100, not 101"),
        (
            WAITING + "fallbacks = []",
            'waiting.fallbacks: must end with "simulated" or "send_away"',
        ),
        (WAITING + 'fallbacks = ["smaller"]', "is not always possible"),
        (WAITING + 'fallbacks = ["send_away", "simulated"]', "would never be done; write it last"),
        (WAITING + 'fallbacks = ["smaller", "smaller"]', "names one of them twice"),
        (WAITING + 'fallbacks = ["smller"]', "did you mean 'smaller'?"),
        (WAITING + "limit_s = 0", "blueprint.waiting.limit_s: must be >= 1.0, not 0.0"),
        (WAITING + 'fallbacks = ["simulated"]', 'fallbacks: "simulated" needs `async def simul'),
        (DROP_OUT + 'policy = "simulated"', 'blueprint.drop_out.policy: "simulated" needs `async'),
        (
            DROP_OUT + "replace_s = 5",
            'replace_s: means nothing to policy = "end"; write "replace"',
        ),
        (DROP_OUT + 'otherwise = "go_on"', 'otherwise: means nothing to policy = "end"'),
        (
            DROP_OUT + 'policy = "replace"\notherwise = "replace"',
            "must be one of 'end', 'go_on', not 'replace'",
        ),
        (
            WAITING + 'fallbacks = ["smaller", "send_away"]',
            '"smaller" is never possible: a group has 2',
        ),
        (DROP_OUT + 'policy = "go_on"', 'blueprint.drop_out.policy: "go_on" is never possible'),
        (
            DROP_OUT + 'policy = "replace"\notherwise = "go_on"',
            'drop_out.otherwise: "go_on" is never',
        ),
        ("units_per_assignment = 2", "blueprint.units_per_assignment: unknown"),
        ('[choice]\norder = "random"', 'choice.order: "random" means nothing to groups'),
        ("[limits]\nmax_num_concurrent_units = 1", "1 units at once let no group of 2 form"),
        ("[limits]\nassignment_duration_s = 600", "600 s may be over while a worker still waits"),
        ("calls_at_once_max = 0", "blueprint.calls_at_once_max: must be >= 1"),
        ("call_limit_s = 0", "blueprint.call_limit_s: must be >= 0.1"),
        ('resume = "reply"', "did you mean 'replay'?"),
    ],
)
def test_options_that_cannot_go_together_are_refused(task: Task, options: str, told: str) -> None:
    (said,) = faults(task("group", ASSIGNMENT, options))
    assert told in said


def test_a_simulated_partner_that_nobody_asks_for_is_refused(task: Task) -> None:
    (said,) = faults(task("group", ASSIGNMENT + PARTNER, '[blueprint.waiting]\nfallbacks = ["send_away"]'))
    assert "simulated_partner would never be called" in said


def test_ranking_the_units_of_groups_is_refused(task: Task) -> None:
    code = ASSIGNMENT + "def rank_units(units, worker): return units\n"
    (said,) = faults(task("group", code))
    assert said.startswith("task.py: rank_units would never be asked; in groups, who waits longest")


def test_gold_units_of_a_group_task_are_done_alone(task: Task) -> None:
    (said,) = faults(task("group", ASSIGNMENT + JUDGES, more=GOLD))
    assert "run_unit is missing" in said
    assert "for units of [gold], which are done alone" in said


def test_a_group_task_whose_gold_units_have_code_is_whole(task: Task) -> None:
    folder = task("group", ASSIGNMENT + UNIT + JUDGES, more=GOLD)
    assert faults(folder) == []
    made = blueprint(folder)
    assert made.first_status(1) is AgentStatus.WAITING
    assert made.first_status(GOLD_UNIT_INDEX) is AgentStatus.IN_TASK


def test_units_of_a_group_are_as_many_as_it_is_full_with(task: Task) -> None:
    data = '{"text": "a"}\n{"shared": {"text": "b"}, "unit_data": [{"n": 1}, {"n": 2}]}\n'
    made = blueprint(task("group", ASSIGNMENT, "size_min = 2\nsize_max = 3", data=data))
    assert [len(row.unit_data) for row in made.rows()] == [3, 2]


@pytest.mark.parametrize("units", ["[{}]", "[{}, {}, {}, {}]"])
def test_a_row_for_more_or_fewer_than_a_group_is_refused(task: Task, units: str) -> None:
    data = '{"shared": {"text": "b"}, "unit_data": ' + units + "}\n"
    (said,) = faults(task("group", ASSIGNMENT, "size_min = 2\nsize_max = 3", data=data))
    assert said.startswith("data.jsonl:1: 'unit_data' is for ")
    assert said.endswith("workers; a group has 2 to 3 (size_min, size_max)")


def test_a_live_row_is_for_as_many_as_asked_each_alone(task: Task) -> None:
    made = blueprint(task("live", UNIT, "units_per_assignment = 2"))
    assert [len(row.unit_data) for row in made.rows()] == [2]
    assert made.first_status(0) is AgentStatus.IN_TASK


def test_the_rules_are_what_task_toml_says(task: Task) -> None:
    options = """resume = "end"
size_max = 3
call_limit_s = 5
[blueprint.waiting]
limit_s = 60
fallbacks = ["smaller", "send_away"]
[blueprint.drop_out]
grace_s = 10
policy = "replace"
otherwise = "go_on"
"""
    waiting = Waiting(60.0, (Fallback.SMALLER, Fallback.SEND_AWAY))
    group = GroupRules(2, 3, waiting, Policy.REPLACE, 300.0, Policy.GO_ON)
    made = blueprint(task("group", ASSIGNMENT, options))
    assert made.live == LiveRules(10.0, Resume.END, 5.0, 8, group)


@pytest.mark.parametrize("kind", ["live", "remote_procedure"])
def test_the_usual_rules_of_work_done_alone(task: Task, kind: str) -> None:
    assert blueprint(task(kind, CODE[kind])).live == LiveRules(60, Resume.REPLAY, 30, 8, None)


def test_a_static_task_has_no_live_rules_and_its_onboarding_is_a_form(task: Task) -> None:
    made: Any = blueprint(task("static", ""))
    assert (made.live, made.play(PieceKind.ONBOARDING), made.named_functions()) == (None, None, {})


def test_units_of_groups_are_kept_by_who_is_there(task: Task) -> None:
    assert checked(task("group", ASSIGNMENT)).queue() is QueueOrder.GROUPED


def test_units_of_others_are_kept_as_they_choose(task: Task) -> None:
    assert checked(task("live", UNIT)).queue() is QueueOrder.FIFO
