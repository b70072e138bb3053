"""`crowdctl options` and `crowdctl launch --dry-run` as people see them."""

import json
from pathlib import Path

import pytest

from crowdd.client.exit_codes import ExitCode

from ..control.fakes import Desk
from ..control.test_options import OWN, TASK


def a_folder(scratch: Path, files: dict[str, bytes]) -> Path:
    folder = scratch / "my-task"
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


async def test_options_lists_plug_ins_with_a_line_each_and_says_what_next(desk: Desk) -> None:
    output = (await desk.crowdctl("options")).output
    assert output.startswith("KIND       NAME              FROM    WHAT\n")
    assert "provider   inhouse           crowdd  Workers you know" in output
    assert output.endswith("Next: crowdctl options task\n      crowdctl options KIND NAME\n")


async def test_options_of_a_plug_in_are_a_table(desk: Desk) -> None:
    assert (await desk.crowdctl("options", "provider", "inhouse")).output == (
        "provider inhouse (from crowdd): Workers you know: each comes by a personal link that carries their "
        "name, signed by the daemon.\n"
        "OPTION              TYPE                         DEFAULT  MEANING\n"
        "provider.link_days  whole number from 1 to 3660  30       How long a personal link may be used.\n"
    )


async def test_a_plug_in_without_options_says_so(desk: Desk) -> None:
    assert "It has no options." in (await desk.crowdctl("options", "architect", "mock")).output


async def test_options_of_task_toml_show_what_is_needed(desk: Desk) -> None:
    first = (await desk.crowdctl("options", "task")).output.splitlines()[1]
    assert (
        " ".join(first.split()) == "name line of text (needed) What the task is called, by those who run it."
    )


async def test_options_of_a_folder_have_the_author_s_own(desk: Desk, tmp_path: Path) -> None:
    output = (await desk.crowdctl("options", str(a_folder(tmp_path, OWN)))).output
    assert "blueprint.mood" in output
    assert "\nblueprint greeting (from task.py): Greets.\n" in output


async def test_options_as_json_are_what_the_daemon_says(desk: Desk) -> None:
    [plug_in] = json.loads((await desk.crowdctl("options", "blueprint", "static", "--json")).output)[
        "plug_ins"
    ]
    assert plug_in["options"][0]["path"] == "blueprint.page"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["bluprint"], "Did you mean 'blueprint'?"),
        (["tsak"], "Did you mean 'task'?"),
        (["zzz"], "Known: blueprint, provider, architect, task, or a task's folder."),
        (["task", "static"], "Only blueprint, provider, architect have names"),
    ],
)
async def test_a_typo_in_what_is_asked_is_wrong_usage_with_the_nearest(
    desk: Desk, words: list[str], said: str
) -> None:
    result = await desk.crowdctl("options", *words)
    assert said in result.stderr
    assert result.exit_code == ExitCode.USAGE


async def test_a_typo_in_a_plug_in_s_name_is_refused_with_the_nearest(desk: Desk) -> None:
    result = await desk.crowdctl("options", "blueprint", "sttic")
    assert result.stderr == "crowdctl: There is no blueprint 'sttic'; did you mean 'static'?\n"
    assert result.exit_code == ExitCode.REFUSED


async def test_a_dry_run_says_what_would_run(desk: Desk, tmp_path: Path) -> None:
    result = await desk.crowdctl("launch", "--dry-run", str(a_folder(tmp_path, TASK)), "pay.reward=0.50")
    assert result.output == (
        "x can be launched. Nothing was.\n"
        "  Label      digits-2\n"
        "  Units      1\n"
        "  Pay        0.50 each, 0.50 in all\n"
        "  Address    http://127.0.0.1:<port>/\n"
        "  Blueprint  static\n"
        "  Provider   inhouse\n"
        "  Architect  local\n"
        "  Warning    page/index.html:1: no field of the <form> has a name: every answer would be empty\n"
    )
    assert desk.operator.launches == []


async def test_a_dry_run_says_everything_that_is_wrong(desk: Desk, tmp_path: Path) -> None:
    result = await desk.crowdctl(
        "launch", "--dry-run", str(a_folder(tmp_path, TASK)), "titel=x", "limits.grace=5"
    )
    assert (
        result.stderr
        == (
            "crowdctl: The task was not launched: 2 problems.\n"
            "  - titel: unknown; did you mean 'title'?\n"
            "  - limits.grace: unknown; did you mean 'grace_s'?\n"
            "  Correct them and launch again.\n"
        )
        or "limits.grace" in result.stderr.splitlines()[1]
    )
    assert result.exit_code == ExitCode.REFUSED


async def test_a_dry_run_as_json_is_for_programs(desk: Desk, tmp_path: Path) -> None:
    result = await desk.crowdctl("launch", "--dry-run", str(a_folder(tmp_path, TASK)), "--json")
    assert json.loads(result.output)["units"] == 1
