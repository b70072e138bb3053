"""crowdctl disk, as people and programs see it."""

import json

import pytest

from crowdd.client.commands.disk import size

from ..control.fakes import Desk


async def test_disk_says_what_takes_how_much_largest_run_first(desk: Desk) -> None:
    await desk.operator.a_run("small")
    await desk.operator.a_run("large")
    assert (await desk.crowdctl("disk")).output == (
        "/var/lib/crowdd\n"
        "  Database  1.2 kB, the records of all runs\n"
        "  Runs      7.5 MB\n"
        "  Other     7 B\n"
        "  Free      1.0 TB\n"
        "\n"
        "RUN  LABEL  STATE    TASK  UPLOADS  ROUTER  TOTAL\n"
        "2    large  running  10 B  5.0 MB   300 B   5.0 MB\n"
        "1    small  running  10 B  2.5 MB   300 B   2.5 MB\n"
    )


async def test_disk_without_runs_says_what_next(desk: Desk) -> None:
    assert (await desk.crowdctl("disk")).output.endswith("\nNo runs yet. Launch one: crowdctl launch DIR\n")


async def test_disk_for_programs_is_in_bytes(desk: Desk) -> None:
    await desk.operator.a_run("digits")
    told = json.loads((await desk.crowdctl("disk", "--json")).output)
    assert told["runs"] == [
        {"id": 1, "label": "digits", "state": "running", "task": 10, "files": 2_500_000, "router": 300}
    ]
    assert (told["database"], told["other"], told["free"]) == (1234, 7, 10**12)


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (10**19, "10000.0 PB"),
    ],
)
def test_sizes_are_said_as_people_say_them(count: int, said: str) -> None:
    assert size(count) == said
