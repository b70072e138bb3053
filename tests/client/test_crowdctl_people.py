"""crowdctl about what went wrong and who worked: errors, workers, worker, as people see them."""

import json

from crowdd.client.terminal import local_time
from crowdd.storage.records import TaskRun

from ..control.fakes import NOW, Desk

TIME = local_time(NOW.isoformat())


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
