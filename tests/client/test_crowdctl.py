"""crowdctl as people see it: texts, tables, empty states, refusals, exit codes."""

import json
from pathlib import Path

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from crowdd.client.exit_codes import ExitCode
from crowdd.protocol.names import RunState

from ..control.fakes import ADDRESS, Desk, FakeRouter


@pytest.fixture
def task(tmp_path: Path) -> Path:
    folder = tmp_path / "my-task"
    (folder / "page").mkdir(parents=True)
    (folder / "task.toml").write_text("name = 'digits'\n")
    (folder / "page" / "index.html").write_text("<p>hello")
    return folder


async def test_launch_says_where_and_what_next(desk: Desk, task: Path) -> None:
    result = await desk.crowdctl("launch", str(task))
    assert result.output == (
        "Run digits (number 1) is launched.\n"
        f"  Address  {ADDRESS}\n"
        "\n"
        "Next: crowdctl watch digits\n"
        "      crowdctl links digits --count 3\n"
    )
    assert result.exit_code == ExitCode.OK


async def test_launch_waits_until_workers_can_come(desk: Desk, task: Path) -> None:
    desk.operator.router = FakeRouter(up=False)
    outputs: list[str] = []

    async def launch() -> None:
        outputs.append((await desk.crowdctl("launch", str(task))).output)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(launch)
        while not any(live.watchers for live in desk.operator.lives.values()):
            await trio.lowlevel.checkpoint()
        (live,) = desk.operator.lives.values()
        await wait_all_tasks_blocked(0.05)
        assert outputs == []
        live.router = FakeRouter(up=True)
        live.change()
    assert f"  Address  {ADDRESS}\n" in outputs[0]


async def test_launch_warns_once_of_what_is_hardly_meant_and_launches(desk: Desk, task: Path) -> None:
    desk.operator.warnings = ["page/index.html:1: the <form> has no button"]
    result = await desk.crowdctl("launch", str(task))
    assert result.stderr == "Warning: page/index.html:1: the <form> has no button\n"
    assert result.stdout.startswith("Run digits (number 1) is launched.\n")


async def test_launch_sends_files_and_overrides(desk: Desk, task: Path) -> None:
    await desk.crowdctl("launch", str(task), "label=mine", "data.file=a=b.csv")
    assert desk.operator.folders == [{"task.toml": b"name = 'digits'\n", "page/index.html": b"<p>hello"}]
    assert desk.operator.launches[0][0] == {"label": "mine", "data.file": "a=b.csv"}


async def test_launch_refused_tells_every_problem(desk: Desk, task: Path) -> None:
    result = await desk.crowdctl("launch", str(task), "nonsense=1")
    assert result.stderr == (
        "crowdctl: The task was not launched: 2 problems.\n"
        "  - nonsense: is not known; did you mean 'name'?\n"
        "  - data.file: no such file\n"
        "  Correct them and launch again.\n"
    )
    assert result.exit_code == ExitCode.REFUSED


async def test_launch_of_no_task_says_what_a_task_is(desk: Desk, tmp_path: Path) -> None:
    result = await desk.crowdctl("launch", str(tmp_path))
    assert "holds no task.toml.\n  A task is a folder with a task.toml" in result.stderr
    assert result.exit_code == ExitCode.REFUSED


async def test_launch_with_a_word_that_is_no_override_is_wrong_usage(desk: Desk, task: Path) -> None:
    result = await desk.crowdctl("launch", str(task), "fast")
    assert "'fast' is no override: write KEY=VALUE, e.g. limits.grace_s=60" in result.stderr
    assert result.exit_code == ExitCode.USAGE
    assert desk.operator.launches == []


async def test_the_same_launch_id_never_launches_twice(desk: Desk, task: Path) -> None:
    runs = [
        json.loads((await desk.crowdctl("launch", str(task), "--launch-id", "l1", "--json")).output)
        for _ in range(2)
    ]
    assert runs[0]["id"] == runs[1]["id"]


async def test_without_runs_it_says_how_to_launch_one(desk: Desk) -> None:
    assert (await desk.crowdctl("runs")).output == "No runs yet. Launch one: crowdctl launch DIR\n"
    assert (await desk.crowdctl("runs", "--json")).output == "[]\n"
    assert (await desk.crowdctl("runs", "--state", "failed")).output == "No runs are failed.\n"


async def test_runs_are_a_plain_table_in_a_pipe_newest_first(desk: Desk) -> None:
    await desk.operator.submitted(await desk.operator.a_run("digits"), "ann", {})
    await desk.operator.move((await desk.operator.a_run("older-digits")).id, RunState.COMPLETED)
    lines = (await desk.crowdctl("runs")).output.splitlines()
    assert [line.split()[:6] for line in lines] == [
        ["RUN", "LABEL", "TASK", "STATE", "DONE", "AT"],
        ["2", "older-digits", "digits", "completed", "0/3", "0"],
        ["1", "digits", "digits", "running", "1/3", "0"],
    ]
    assert lines[1].index("completed") == lines[2].index("running") == lines[0].index("STATE")


async def test_show_tells_a_run_in_words(desk: Desk) -> None:
    run = await desk.operator.a_run("digits")
    await desk.operator.submitted(run, "ann", {})
    await desk.operator.at_work(run, "bob")
    output = (await desk.crowdctl("show", "digits")).output
    assert output.startswith("digits (run 1)\n")
    for words in (
        "State        running\n",
        f"Address      {ADDRESS}\n",
        "Units        1/3 done (1 launched, 1 assigned, 1 completed)\n",
        "Agents       1 at work (1 in task, 1 completed)\n",
        "Router       127.0.0.1:8100 up since ",
        "Last answer  2026-03-01 ",
    ):
        assert words in output
    assert "Trouble" not in output


async def test_show_tells_the_trouble(desk: Desk) -> None:
    run = await desk.operator.a_run("digits")
    await desk.operator.storage.set_trouble(run.id, "the plug-in `foo` is not installed")
    assert "Trouble    the plug-in `foo` is not installed\n" in (await desk.crowdctl("show", "digits")).output


@pytest.mark.parametrize(
    "command",
    ["show", "watch", "units", "agents", "errors", "stop", "expire", "export", "wait", "links --count 1"],
)
async def test_a_run_that_is_not_there_is_exit_4_with_a_hint(desk: Desk, command: str) -> None:
    name, *options = command.split()
    result = await desk.crowdctl(name, "nothing", *options)
    assert result.stderr == "crowdctl: There is no run 'nothing'.\n  `crowdctl runs` lists them.\n"
    assert result.exit_code == ExitCode.NO_SUCH_RUN
    assert result.stdout == ""


async def test_units_and_agents_are_tables(desk: Desk) -> None:
    run = await desk.operator.a_run("digits", units=1)
    await desk.operator.at_work(run, "ann")
    units = (await desk.crowdctl("units", "digits")).output
    assert units == (
        "UNIT  ASSIGNMENT  INDEX  STATUS    AGENT  WORKER\n1     1           0      assigned  1      ann\n"
    )
    agents = (await desk.crowdctl("agents", "digits")).output.splitlines()
    assert agents[0].split() == [
        "AGENT",
        "WORKER",
        "UNIT",
        "STATUS",
        "REASON",
        "CAME",
        "TIME",
        "ENDS",
        "ENDED",
    ]
    assert agents[1].split()[:5] == ["1", "ann", "1", "in", "task"]


async def test_empty_lists_say_so(desk: Desk) -> None:
    await desk.operator.a_run("digits", units=0)
    assert (await desk.crowdctl("units", "digits")).output == "This run has no units yet.\n"
    assert (await desk.crowdctl("agents", "digits")).output == (
        "Nobody has come yet. Invite somebody: crowdctl links digits --count 3\n"
    )
    assert (await desk.crowdctl("units", "digits", "--status", "expired")).output == "No such units.\n"


async def test_a_status_that_is_not_known_is_refused_with_the_known_ones(desk: Desk) -> None:
    await desk.operator.a_run("digits")
    result = await desk.crowdctl("units", "digits", "--status", "asleep")
    assert "created, launched, assigned" in result.stderr
    assert result.exit_code == ExitCode.REFUSED


async def test_links_are_a_table_of_names_and_addresses(desk: Desk) -> None:
    await desk.operator.a_run("digits")
    assert (await desk.crowdctl("links", "digits", "--workers", "ann, bob")).output == (
        f"WORKER  LINK\nann     {ADDRESS}?link=1.0\nbob     {ADDRESS}?link=1.1\n"
    )
    assert len(json.loads((await desk.crowdctl("links", "digits", "--count", "4", "--json")).output)) == 4


@pytest.mark.parametrize(
    "options",
    [[], ["--count", "0"], ["--count", "many"], ["--workers", ","], ["--workers", "a", "--count", "1"]],
)
async def test_links_for_nobody_in_particular_are_wrong_usage(desk: Desk, options: list[str]) -> None:
    await desk.operator.a_run("digits")
    assert (await desk.crowdctl("links", "digits", *options)).exit_code == ExitCode.USAGE


async def test_stop_says_who_may_finish(desk: Desk) -> None:
    await desk.operator.at_work(await desk.operator.a_run("digits"), "ann")
    assert (await desk.crowdctl("stop", "digits")).output == (
        "Run digits takes nobody new; 1 at work may finish.\n"
        "Next: crowdctl wait digits, or crowdctl stop digits --now\n"
    )


async def test_stop_now_says_that_it_has_ended(desk: Desk) -> None:
    await desk.operator.a_run("digits")
    assert (await desk.crowdctl("stop", "digits", "--now")).output == (
        "Run digits has ended: stopped, 0 units done.\nNext: crowdctl export digits -o digits.jsonl\n"
    )


async def test_stopping_what_has_ended_is_refused(desk: Desk) -> None:
    await desk.operator.move((await desk.operator.a_run("digits")).id, RunState.COMPLETED)
    result = await desk.crowdctl("stop", "digits")
    assert result.stderr == "crowdctl: Run 'digits' has ended: it is completed.\n"
    assert result.exit_code == ExitCode.REFUSED


async def test_expire_counts(desk: Desk) -> None:
    await desk.operator.a_run("digits", units=2)
    assert (await desk.crowdctl("expire", "digits")).output == "2 units expired.\n"
    assert (await desk.crowdctl("expire", "digits")).output == (
        "Nothing to expire: no unit is waiting for a worker.\n"
    )


async def test_export_goes_to_standard_output(desk: Desk) -> None:
    await desk.operator.submitted(await desk.operator.a_run("digits"), "ann", {"digit": 3})
    result = await desk.crowdctl("export", "digits")
    assert json.loads(result.stdout)["data"]["outputs"] == {"digit": 3}


async def test_export_to_a_file_says_how_much(desk: Desk, tmp_path: Path) -> None:
    await desk.operator.submitted(await desk.operator.a_run("digits"), "ann", {"digit": 3})
    path = tmp_path / "digits.jsonl"
    result = await desk.crowdctl("export", "digits", "-o", str(path))
    assert result.output == f"1 record in {path}\n"
    assert json.loads(path.read_text())["worker_name"] == "ann"


async def test_a_csv_file_gets_csv(desk: Desk, tmp_path: Path) -> None:
    await desk.operator.submitted(await desk.operator.a_run("digits"), "ann", {"digit": 3})
    path = tmp_path / "digits.csv"
    await desk.crowdctl("export", "digits", "-o", str(path))
    assert path.read_text().startswith("run,assignment_id,")


async def test_a_spreadsheet_is_not_written_under_a_name_that_would_not_open(
    desk: Desk, tmp_path: Path
) -> None:
    await desk.operator.a_run("digits")
    result = await desk.crowdctl("export", "digits", "-o", str(tmp_path / "digits.xlsx"))
    assert result.exit_code == ExitCode.USAGE
    assert "opens digits.csv" in result.stderr
    assert list(tmp_path.glob("digits.*")) == []


async def test_an_empty_export_is_told(desk: Desk, tmp_path: Path) -> None:
    await desk.operator.a_run("digits")
    path = tmp_path / "digits.jsonl"
    result = await desk.crowdctl("export", "digits", "-o", str(path))
    assert result.output == f"Nobody has submitted anything yet: {path} is empty.\n"


async def test_an_export_that_was_refused_leaves_the_file_as_it_was(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "precious.jsonl"
    path.write_text("precious")
    assert (await desk.crowdctl("export", "nothing", "-o", str(path))).exit_code == ExitCode.NO_SUCH_RUN
    assert [file.read_text() for file in tmp_path.iterdir() if file.is_file()] == ["precious"]


async def test_export_into_a_folder_that_is_not_there_is_told(desk: Desk, tmp_path: Path) -> None:
    await desk.operator.a_run("digits")
    path = tmp_path / "no" / "file.jsonl"
    result = await desk.crowdctl("export", "digits", "-o", str(path))
    assert result.stderr == (
        f"crowdctl: {path} cannot be written: No such file or directory.\n"
        "  It is as it was before, and nothing is lost: name another file, or ask again.\n"
    )
    assert result.exit_code == ExitCode.REFUSED


async def test_status_tells_what_is_held(desk: Desk) -> None:
    await desk.operator.a_run("digits")
    lines = (await desk.crowdctl("status")).output.splitlines()
    assert lines[0].startswith("The daemon is up: crowdd ")
    assert lines[1] == "1 unfinished run."
    assert lines[2].startswith("  digits: running, 0/3 done; router 127.0.0.1:8100 up since ")


async def test_status_of_an_idle_daemon_says_what_next(desk: Desk) -> None:
    assert "0 unfinished runs. Launch one: crowdctl launch DIR\n" in (await desk.crowdctl("status")).output


async def test_watch_of_a_run_that_has_ended_is_one_line(desk: Desk) -> None:
    run = await desk.operator.a_run("digits", units=1)
    await desk.operator.submitted(run, "ann", {})
    await desk.operator.move(run.id, RunState.COMPLETED)
    output = (await desk.crowdctl("watch", "digits")).output
    assert output.count("\n") == 1
    assert output.split(maxsplit=1)[1] == "completed  1/1 done  0 at work  routers 1/1 up\n"
    assert json.loads((await desk.crowdctl("watch", "digits", "--json")).output)["state"] == "completed"


@pytest.mark.parametrize(
    ("states", "code"),
    [
        ([RunState.COMPLETED, RunState.COMPLETED], ExitCode.OK),
        ([RunState.COMPLETED, RunState.STOPPED], ExitCode.RUN_NOT_COMPLETED),
        ([RunState.FAILED, RunState.COMPLETED], ExitCode.RUN_NOT_COMPLETED),
    ],
)
async def test_wait_tells_by_its_exit_code_how_runs_ended(
    desk: Desk, states: list[RunState], code: int
) -> None:
    for label, state in zip(("one", "two"), states, strict=True):
        await desk.operator.move((await desk.operator.a_run(label)).id, state)
    result = await desk.crowdctl("wait", "one", "two")
    assert result.output == f"one: {states[0].value}, 0/3 done\ntwo: {states[1].value}, 0/3 done\n"
    assert result.exit_code == code


async def test_wait_gives_up_when_the_time_is_over(desk: Desk) -> None:
    await desk.operator.a_run("digits")
    result = await desk.crowdctl("wait", "digits", "--timeout", "0")
    assert result.exit_code == ExitCode.TIMEOUT


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["show"], ["wait"], ["export", "digits", "--format", "xml"]]
)
async def test_wrong_usage_is_exit_2(desk: Desk, arguments: list[str]) -> None:
    assert (await desk.crowdctl(*arguments)).exit_code == ExitCode.USAGE


async def test_help_teaches_by_examples_and_names_the_exit_codes(desk: Desk) -> None:
    output = (await desk.crowdctl("--help")).output
    for words in ("crowdctl launch my-task", "Exit codes:", "3 no daemon answers", "CROWDD_SOCKET"):
        assert words in output
