"""A task folder is judged as a whole, at once; what would run is told, and nothing stored."""

from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from trio.testing import MockClock

from crowdd.cli import crowdd
from crowdd.daemon.checking import ROUTERS_OPEN, LaunchRefused, Plan, check_task, numbered_label
from crowdd.daemon.clock import simulated_wall
from crowdd.daemon.registry import installed_plug_ins
from crowdd.daemon.routers import Routers
from crowdd.storage.contract import NewRun
from crowdd.storage.memory import MemoryStorage
from crowdd.storage.records import TaskRun

from .virtual import a_task, open_virtual

PAGE = '<!doctype html><script src="crowdd.js"></script><form><p>${text}</p><button>Send</button></form>'


def a_folder(
    folder: Path, toml: str, data: str = '{"text": "a"}\n', page: str = PAGE, code: str = ""
) -> Path:
    (folder / "page").mkdir()
    (folder / "task.toml").write_text(toml)
    (folder / "data.jsonl").write_text(data)
    (folder / "page" / "index.html").write_text(page)
    if code:
        (folder / "task.py").write_text(code)
    return folder


def problems(folder: Path, **overrides: str) -> list[str]:
    try:
        return [*check_task(installed_plug_ins(), folder, overrides, Routers()).problems]
    except LaunchRefused as refused:
        return refused.problems


def plan(folder: Path) -> Plan:
    task = check_task(installed_plug_ins(), folder, {}, Routers())
    assert task.problems == ()
    return task.plan("here")


def test_config_data_and_page_are_judged_at_once(tmp_path: Path) -> None:
    toml = 'name = "x"\n[limits]\ngrace = 5\n[blueprint]\nunits_per_assingment = 2\n'
    said = problems(a_folder(tmp_path, toml, data='{"text": "a"}\nnonsense\n', page="<p>"))
    assert said[:2] == [
        "blueprint.units_per_assingment: unknown; did you mean 'units_per_assignment'?",
        "limits.grace: unknown; did you mean 'grace_s'?",
    ]
    assert [problem.split(":")[0] for problem in said[2:]] == ["page/index.html", "data.jsonl"]


def test_a_table_that_is_none_hides_no_fault_of_the_data(tmp_path: Path) -> None:
    said = problems(a_folder(tmp_path, 'name = "x"\nlimits = 5\n', data="nonsense\n"))
    assert [problem.split(":")[0] for problem in said] == ["limits", "data.jsonl"]


def test_data_is_not_judged_by_options_that_are_not_what_the_author_meant(tmp_path: Path) -> None:
    said = problems(a_folder(tmp_path, 'name = "x"\n[blueprint]\npage = 5\n', page="<p>"))
    assert said == ["blueprint.page: must be text, not 5: put it in quotes"]


def test_an_unknown_router_is_said_along_with_a_typo_elsewhere(tmp_path: Path) -> None:
    toml = 'name = "x"\ntitel = "y"\n[architect]\ntype = "remote"\nrouters = ["crowd"]\n'
    unknown, router = problems(a_folder(tmp_path, toml))
    assert unknown == "titel: unknown; did you mean 'title'?"
    assert router.startswith("architect.routers: 'crowd' is not in routers.toml")


def test_a_typo_in_an_override_is_said_like_one_in_the_file(tmp_path: Path) -> None:
    folder = a_folder(tmp_path, 'name = "x"\n')
    assert problems(folder, **{"limits.grace": "5"}) == ["limits.grace: unknown; did you mean 'grace_s'?"]


def test_a_broken_task_py_hides_no_typo_in_task_toml(tmp_path: Path) -> None:
    toml = 'name = "x"\ntitel = "y"\n[blueprint]\ntype = "of task.py"\n'
    code, unknown = problems(a_folder(tmp_path, toml, code="import nothing_of_this_name\n"))
    assert "No module named 'nothing_of_this_name'" in code
    assert unknown == "titel: unknown; did you mean 'title'?"


def test_the_plan_counts_units_and_money(tmp_path: Path) -> None:
    toml = 'name = "x"\npay.reward = "0.25"\n[blueprint]\nunits_per_assignment = 3\n'
    told = plan(a_folder(tmp_path, toml, data='{"text": "a"}\n{"text": "b"}\n'))
    assert (told.units, told.units_more, told.reward, told.pay_total) == (6, False, "0.25", "1.50")
    assert (told.label, told.blueprint, told.sandbox) == ("here", "static", False)


def test_rows_of_task_py_are_not_run_to_be_counted(tmp_path: Path) -> None:
    told = plan(a_folder(tmp_path, 'name = "x"\n', code="def rows():\n    raise SystemExit\n    yield\n"))
    assert (told.units, told.units_more, told.pay_total) == (None, True, None)


@pytest.mark.parametrize(
    ("architect", "address"),
    [
        ("", "http://127.0.0.1:<port>/"),
        ('host = "::1"\nport = 8080\n', "http://[::1]:8080/"),
        ('public_url = "https://study.example.org"\n', "https://study.example.org/"),
    ],
)
def test_the_plan_says_where_workers_will_find_it(tmp_path: Path, architect: str, address: str) -> None:
    assert plan(a_folder(tmp_path, f'name = "x"\n[architect]\n{architect}')).address == address


def test_the_plan_of_a_shared_router_has_the_label_in_its_address(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA==\n")
    (tmp_path / "secret").chmod(0o600)
    (tmp_path / "routers.toml").write_text(
        '[crowd]\nurl = "https://crowd.example.org"\nsecret_file = "secret"\n'
    )
    folder = a_folder(tmp_path, 'name = "x"\n[architect]\ntype = "remote"\nrouters = ["crowd"]\n')
    task = check_task(installed_plug_ins(), folder, {}, Routers(tmp_path / "routers.toml"))
    assert task.problems == ()
    assert task.plan("here").address == "https://here.crowd.example.org/"


# --- without a daemon


REMOTE = 'name = "x"\n[architect]\ntype = "remote"\nrouters = ["crowd"]\n'


def checked_alone(folder: Path) -> str:
    result = CliRunner().invoke(crowdd, ["check", str(folder)])
    assert result.exit_code == 0
    return result.output


def test_a_task_whose_routers_only_the_daemon_knows_is_not_called_ready(tmp_path: Path) -> None:
    said = checked_alone(a_folder(tmp_path, REMOTE))
    assert "ready" not in said
    assert f"ask the daemon: crowdctl launch {tmp_path} --dry-run" in said
    assert ROUTERS_OPEN[:40] in said


def test_a_task_that_takes_no_known_routers_is_ready(tmp_path: Path) -> None:
    assert "ready to launch" in checked_alone(a_folder(tmp_path, 'name = "x"\n'))


def test_a_secret_that_cannot_be_used_is_told_where_the_routers_are_known(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("short\n")
    (tmp_path / "secret").chmod(0o600)
    (tmp_path / "routers.toml").write_text(
        '[crowd]\nurl = "https://crowd.example.org"\nsecret_file = "secret"\n'
    )
    folder = a_folder(tmp_path, REMOTE)
    task = check_task(installed_plug_ins(), folder, {}, Routers(tmp_path / "routers.toml"))
    (problem,) = task.problems
    assert problem.startswith("architect.routers: 'crowd': ")
    assert "is shorter than 16 bytes" in problem


# --- asked of a daemon


async def test_a_dry_run_names_the_next_free_label_and_stores_nothing(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        folder = a_task(tmp_path)
        (folder / "task.toml").write_text(
            (folder / "task.toml").read_text().replace('label = "digits"\n', "")
        )
        first = await virtual.operator.plan(folder, {})
        await virtual.operator.launch(folder, {}, "launch", "staff:ann")
        second = await virtual.operator.plan(folder, {})
        assert second.label == f"{first.label}-2"
        assert len(await virtual.storage.runs()) == 1


async def test_a_launch_tries_one_label_however_many_runs_of_its_task_there_are(
    tmp_path: Path, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = list[str]()
    create_run = MemoryStorage.create_run

    async def tries(storage: MemoryStorage, new: NewRun, now: datetime, who: str) -> TaskRun:
        tried.append(new.label)
        return await create_run(storage, new, now, who)

    monkeypatch.setattr(MemoryStorage, "create_run", tries)
    async with open_virtual(tmp_path) as virtual:
        for number in range(1, 41):
            await virtual.storage.create_run(an_earlier_run(number), simulated_wall(), "staff:ann")
        tried.clear()
        folder = a_task(tmp_path)
        (folder / "task.toml").write_text(
            (folder / "task.toml").read_text().replace('label = "digits"\n', "")
        )
        await virtual.operator.launch(folder, {}, "launch", "staff:ann")
    assert tried == ["digits-41"]


def an_earlier_run(number: int) -> NewRun:
    label = numbered_label("digits", number)
    return NewRun("digits", "me", label, label, "mock", "inhouse", "mock", False, {}, b"k" * 32)


async def test_a_dry_run_says_that_a_label_is_taken_along_with_all_else(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch()
        with pytest.raises(LaunchRefused) as refused:
            await virtual.operator.plan(tmp_path / "task-digits", {"titel": "x", "label": run.label})
        assert refused.value.problems == [
            "titel: unknown; did you mean 'title'?",
            "label: 'digits' is taken by another run; choose another",
        ]
