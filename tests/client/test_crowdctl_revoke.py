"""crowdctl revoke: whose link it was, and what becomes of who works by it."""

import json

import pytest

from crowdd.client.exit_codes import ExitCode

from ..control.fakes import ADDRESS, Desk


async def test_a_link_is_revoked_and_told_whose_it_was(desk: Desk) -> None:
    run = await desk.operator.a_run("digits")
    link = f"{ADDRESS}?link={run.id}.7"
    assert (await desk.crowdctl("revoke", link)).output == (
        "The link of worker 7 to run digits is revoked: it is refused from now on.\n"
        "Next, if worker 7 is to go on: crowdctl links digits --workers 'worker 7'\n"
    )
    again = await desk.crowdctl("revoke", link)
    assert again.output.startswith("The link of worker 7 to run digits was revoked before.\n")
    assert again.exit_code == ExitCode.OK


async def test_who_works_by_it_keeps_the_unit_unless_now(desk: Desk) -> None:
    run = await desk.operator.a_run("digits")
    await desk.operator.at_work(run, "ann")
    kept = await desk.crowdctl("revoke", "--run", "digits", "--worker", "ann")
    assert "A unit is being worked on by it, and may still be sent; --now takes it back.\n" in kept.output
    taken = await desk.crowdctl("revoke", "--run", "digits", "--worker", "ann", "--now")
    assert "The unit that was being worked on by it was taken back.\n" in taken.output
    assert desk.operator.revoked == [("ann", False), ("ann", True)]


async def test_what_is_no_link_is_refused_in_words_without_showing_it(desk: Desk) -> None:
    await desk.operator.a_run("digits")
    told = await desk.crowdctl("revoke", "secret-token")
    assert (told.exit_code, told.output) == (
        ExitCode.REFUSED,
        "crowdctl: No link was revoked: the link is not signed.\n"
        "  Give the whole address, as `crowdctl links` told it; or --run RUN --worker NAME.\n",
    )
    nobody = await desk.crowdctl("revoke", "--run", "digits", "--worker", "nobody")
    assert nobody.output == "crowdctl: No link was revoked: nobody was given one.\n"
    assert (await desk.crowdctl("revoke", "--run", "no", "--worker", "x")).exit_code == ExitCode.NO_SUCH_RUN


@pytest.mark.parametrize(
    "arguments", [[], ["--run", "digits"], ["--worker", "ann"], ["x", "--run", "digits", "--worker", "ann"]]
)
async def test_half_a_name_is_wrong_usage(desk: Desk, arguments: list[str]) -> None:
    told = await desk.crowdctl("revoke", *arguments)
    assert told.exit_code == ExitCode.USAGE
    assert "Give either LINK, or --run RUN and --worker NAME." in told.output


async def test_revocations_for_programs(desk: Desk) -> None:
    await desk.operator.a_run("digits")
    told = json.loads((await desk.crowdctl("revoke", "--run", "digits", "--worker", "ann", "--json")).output)
    assert told == {"run": "digits", "worker_name": "ann", "already": False, "at_work": 0, "ended": 0}
