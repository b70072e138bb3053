"""crowdctl about what went wrong and who worked: errors, workers, worker, as people see them."""

import json

import pytest

from crowdd.client.exit_codes import ExitCode
from crowdd.client.terminal import local_time
from crowdd.storage.records import TaskRun

from ..control.fakes import NOW, Desk

TIME = local_time(NOW)


async def with_errors(desk: Desk) -> TaskRun:
    run = await desk.operator.a_run("digits")
    agent = (await desk.operator.at_work(run, "ann")).agent
    told = {"message": "x is\nnull\x1b[2J", "stack": "at draw (digits.js:3)\nat \x1b]0;title"}
    await desk.operator.storage.add_error(run.id, agent.id, "page", told, NOW)
    await desk.operator.storage.add_error(run.id, None, "hook", {"message": "launching rows: boom"}, NOW)
    return run


async def test_errors_are_a_table_with_agents_and_one_line_each(desk: Desk) -> None:
    await with_errors(desk)
    assert (await desk.crowdctl("errors", "digits")).output == (
        "ERROR  TIME                 SOURCE  AGENT  TEXT\n"
        f"1      {TIME}  page    1      x is null\\x1b[2J\n"
        f"2      {TIME}  hook           launching rows: boom\n"
        "\n"
        "Where they happened: crowdctl errors digits --traceback\n"
    )


async def test_errors_are_told_whole_with_their_tracebacks_and_nothing_a_terminal_obeys(desk: Desk) -> None:
    await with_errors(desk)
    assert (await desk.crowdctl("errors", "digits", "--traceback")).output == (
        f"error 1  {TIME}  page, agent 1\n"
        "  x is\n"
        "  null\\x1b[2J\n"
        "  at draw (digits.js:3)\n"
        "  at \\x1b]0;title\n"
        "\n"
        f"error 2  {TIME}  hook\n"
        "  launching rows: boom\n"
        "\n"
    )


async def test_errors_for_programs_hold_all_that_was_told(desk: Desk) -> None:
    await with_errors(desk)
    first, second = json.loads((await desk.crowdctl("errors", "digits", "--json")).output)
    assert (first["agent_id"], first["data"]["stack"]) == (1, first["traceback"])
    assert (second["source"], second["agent_id"]) == ("hook", None)


async def test_a_run_without_errors_says_so(desk: Desk) -> None:
    await desk.operator.a_run("digits")
    assert (await desk.crowdctl("errors", "digits")).output == (
        "No page, hook or plug-in of this run has reported an error.\n"
    )
    assert (await desk.crowdctl("errors", "digits", "--json")).output == "[]\n"


async def test_a_long_error_is_cut_in_the_table_only(desk: Desk) -> None:
    run = await desk.operator.a_run("digits")
    await desk.operator.storage.add_error(run.id, None, "page", "long " * 100, NOW)
    assert len((await desk.crowdctl("errors", "digits")).output.splitlines()[1]) < 170
    assert (await desk.crowdctl("errors", "digits", "--traceback")).output.count("long") == 100


async def test_workers_are_a_table_over_all_runs(desk: Desk) -> None:
    await desk.operator.at_work(await desk.operator.a_run("one"), "ann")
    bob = (await desk.operator.at_work(await desk.operator.a_run("two"), "bob\x1b[2J")).agent.worker_id
    await desk.operator.storage.set_blocked(bob, True, NOW, "staff:eve", "spam")
    assert (await desk.crowdctl("workers")).output == (
        "WORKER  PROVIDER  NAME        BLOCKED  FIRST CAME\n"
        f"1       inhouse   ann                  {TIME}\n"
        f"2       inhouse   bob\\x1b[2J  blocked  {TIME}\n"
    )
    told = json.loads((await desk.crowdctl("workers", "--json")).output)
    assert [each["blocked"] for each in told] == [False, True]


async def test_without_workers_it_says_how_to_invite_some(desk: Desk) -> None:
    assert (await desk.crowdctl("workers")).output == (
        "Nobody has come yet. Invite somebody: crowdctl links RUN --count 3\n"
    )
    assert (await desk.crowdctl("workers", "--provider", "mock")).output == "Nobody has come through mock.\n"


async def test_a_worker_is_shown_with_work_grants_and_history(desk: Desk) -> None:
    storage = desk.operator.storage
    agent = await desk.operator.submitted(await desk.operator.a_run("digits"), "ann", {"digit": 5})
    await storage.create_qualification("good", None, NOW)
    await storage.grant("good", agent.worker_id, 3, NOW, "staff:eve", "did well")
    await storage.set_blocked(agent.worker_id, True, NOW, "staff:eve", "spam")
    expected = (
        "ann (worker 1)\n"
        "  Provider    inhouse\n"
        "  Blocked     yes\n"
        "  Grants      good=3\n"
        f"  First came  {TIME}\n"
        "  Submitted   1\n"
        "  Right       0 of 1 known\n"
        "  Time spent  0 s\n"
        "\n"
        "AGENT  RUN     UNIT  STATUS     REASON  CAME                 ENDED\n"
        f"1      digits  1     completed          {TIME}  {TIME}\n"
        "\n"
        "WHEN                 WHO        WHAT                  WHY\n"
        f"{TIME}  staff:eve  good=3                did well\n"
        f"{TIME}  staff:eve  unblocked -> blocked  spam\n"
    )
    assert (await desk.crowdctl("worker", "1")).output == expected
    assert (await desk.crowdctl("worker", "inhouse:ann")).output == expected
    told = json.loads((await desk.crowdctl("worker", "1", "--json")).output)
    assert (told["agents"][0]["run"], told["history"][1]["after"]) == ("digits", "blocked")


async def test_a_worker_who_did_nothing_is_shown_as_such(desk: Desk) -> None:
    await desk.operator.storage.register_worker("inhouse", "a/b:c", {}, NOW)
    output = (await desk.crowdctl("worker", "inhouse:a/b:c")).output
    assert output.startswith("a/b:c (worker 1)\n")
    assert output.endswith("\n\nHas not worked on anything yet.\n")


@pytest.mark.parametrize("word", ["7", "inhouse:nobody", "9" * 30 + ":", "ann"])
async def test_a_worker_who_is_not_there_is_refused_with_a_hint(desk: Desk, word: str) -> None:
    result = await desk.crowdctl("worker", word)
    assert result.stderr == f"crowdctl: There is no worker {word!r}.\n  `crowdctl workers` lists them.\n"
    assert result.exit_code == ExitCode.REFUSED


@pytest.mark.parametrize("word", ["", " "])
async def test_a_word_that_names_no_worker_is_refused_with_the_form(desk: Desk, word: str) -> None:
    result = await desk.crowdctl("worker", "--", word)
    assert "Write a number, PROVIDER:NAME as in inhouse:ann, or a name." in result.stderr
    assert result.exit_code == ExitCode.REFUSED


@pytest.mark.parametrize(
    ("line", "next_step"),
    [
        ("approve digits 1", "'digits' is no agent's number: `crowdctl agents RUN` lists them"),
        ("approve --unit 0", "'0' is no unit's number: `crowdctl units RUN` lists them"),
        ("why agent ann", "'ann' is no agent's number: `crowdctl agents RUN` lists them"),
        ("why ann", "Say which: crowdctl why worker WORKER"),
    ],
)
async def test_who_gives_the_wrong_word_is_told_what_to_write(desk: Desk, line: str, next_step: str) -> None:
    result = await desk.crowdctl(*line.split())
    assert result.exit_code == ExitCode.USAGE
    assert next_step in result.stderr
