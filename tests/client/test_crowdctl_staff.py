"""crowdctl about people and their work: qualifications, grants, blocks, reviews, as people see them."""

import json
import re

import trio
from click.testing import CliRunner, Result

from crowdd.client.crowdctl import main
from crowdd.client.exit_codes import ExitCode
from crowdd.client.terminal import local_time

from ..control.fakes import NOW, Desk

TIME = local_time(NOW)


async def piped(desk: Desk, text: str, *arguments: str) -> Result:
    """Run crowdctl with something on its standard input."""

    def run() -> Result:
        return CliRunner().invoke(main, ["--socket", str(desk.socket), *arguments], input=text)

    return await trio.to_thread.run_sync(run)


async def done(desk: Desk, *arguments: str) -> str:
    result = await desk.crowdctl(*arguments)
    assert result.exit_code == 0, result.output
    return result.output


async def people(desk: Desk, *names: str) -> None:
    for name in names:
        await desk.operator.storage.register_worker("inhouse", name, {}, NOW)


async def test_a_qualification_from_making_it_to_deleting_it(desk: Desk) -> None:
    await people(desk, "ann")
    you = (await trio.to_thread.run_sync(desk.client().status)).you
    assert await done(desk, "qualifications") == (
        "There are no qualifications yet. Make one: crowdctl qualifications create NAME --description TEXT\n"
    )
    assert await done(desk, "qualifications", "create", "well trained", "--description", "passed") == (
        "There is a qualification well trained now; nobody has it yet.\n"
        "Next: crowdctl grant WORKER 'well trained'\n"
    )
    assert (await done(desk, "qualifications", "describe", "well trained")).endswith(
        "\nNobody has it yet. Give it: crowdctl grant WORKER 'well trained'\n"
    )
    assert await done(desk, "grant", "ann", "well trained") == "ann (worker 1) has well trained=1 now.\n"
    assert await done(desk, "grant", "1", "well trained", "-3", "--why", "slips") == (
        "ann (worker 1) has well trained=-3 now; it was 1.\n"
    )
    assert await done(desk, "qualifications") == (
        f"NAME          WORKERS  MADE                 DESCRIPTION\nwell trained  1        {TIME}  passed\n"
    )
    assert await done(desk, "qualifications", "describe", "well trained") == (
        "well trained\n"
        "  Description  passed\n"
        f"  Made         {TIME}\n"
        "  Workers      1\n"
        "\n"
        "WORKER  PROVIDER  NAME  VALUE  SINCE\n"
        f"1       inhouse   ann   -3     {TIME}\n"
    )
    history = (await done(desk, "qualifications", "history", "well trained")).splitlines()
    assert history[0].split() == ["WHEN", "WHO", "WORKER", "WHAT", "WHY"]
    assert [re.split("  +", line) for line in history[1:]] == [
        [TIME, you, "well trained", "created"],
        [TIME, you, "ann", "well trained=1", "granted by staff"],
        [TIME, you, "ann", "well trained=1 -> well trained=-3", "slips"],
    ]
    assert await done(desk, "revoke", "inhouse:ann", "well trained") == (
        "ann (worker 1) has no well trained any more; it was -3.\n"
    )
    assert await done(desk, "revoke", "ann", "well trained") == "ann (worker 1) had no well trained.\n"
    assert await done(desk, "qualifications", "delete", "well trained", "--yes") == (
        "well trained is deleted; 0 workers had it.\n"
    )


async def test_deleting_asks_first_and_takes_no_for_an_answer(desk: Desk) -> None:
    await people(desk, "ann")
    await done(desk, "qualifications", "create", "good")
    await done(desk, "grant", "ann", "good")
    refused = await piped(desk, "n\n", "qualifications", "delete", "good")
    assert "Delete good, which 1 worker has? [y/N]" in refused.stderr
    assert refused.exit_code == 1
    assert len(json.loads(await done(desk, "qualifications", "--json"))) == 1
    agreed = await piped(desk, "y\n", "qualifications", "delete", "good")
    assert agreed.stdout == "good is deleted; 1 worker had it.\n"


async def test_many_workers_come_from_standard_input(desk: Desk) -> None:
    await people(desk, "ann", "bob", "cem")
    await done(desk, "qualifications", "create", "good")
    given = await piped(desk, "ann\n\n inhouse:bob \n3\n", "grant", "-", "good", "2")
    assert given.output == "3 workers have good=2 now.\n"
    taken = await piped(desk, "1\n2\n", "revoke", "-", "good")
    assert taken.output == "2 workers lost good.\n"
    again = await piped(desk, "1\n3\n", "revoke", "-", "good")
    assert again.output == "1 worker lost good; 1 had none.\n"
    blocked = await piped(desk, "1\n2\n", "block", "-", "--reason", "spam")
    assert blocked.output == "ann (worker 1) is blocked.\nbob (worker 2) is blocked.\n"
    nobody = await piped(desk, "\n", "grant", "-", "good")
    assert nobody.exit_code == ExitCode.USAGE
    wrong = await piped(desk, "ann\nxyz\nuvw\n", "grant", "-", "good")
    assert wrong.stderr == (
        "crowdctl: 2 of 3 workers are not known: 'xyz', 'uvw'. Nothing was done.\n"
        "  `crowdctl workers` lists them.\n"
    )


async def test_a_block_says_what_the_worker_keeps(desk: Desk) -> None:
    run = await desk.operator.a_run("digits")
    await desk.operator.at_work(run, "ann")
    assert await done(desk, "block", "ann", "--reason", "spam") == (
        "ann (worker 1) is blocked.\n"
        "  At work on unit 1 of digits: may still submit that, and gets nothing else.\n"
    )
    assert (await done(desk, "block", "ann", "--reason", "spam")).startswith(
        "ann (worker 1) was blocked before.\n"
    )
    assert await done(desk, "unblock", "ann") == "ann (worker 1) is unblocked.\n"
    assert await done(desk, "unblock", "ann") == "ann (worker 1) was not blocked.\n"
    assert (await desk.crowdctl("block", "ann")).exit_code == ExitCode.USAGE


async def test_a_provider_that_was_not_told_is_spoken_of_with_what_is_safe(desk: Desk) -> None:
    run = await desk.operator.a_run("digits")
    agent = await desk.operator.submitted(run, "ann", {})
    provider = await desk.operator.provider_of(run.id)
    provider.fail_next["block"] = provider.fail_next["approve"] = 1
    assert await done(desk, "block", "ann", "--reason", "spam") == (
        "ann (worker 1) is blocked.\n"
        "The provider was not told of 1 worker: block is told to fail. "
        "It is told again until it answers; crowdd itself enforces this already.\n"
    )
    assert await done(desk, "approve", str(agent.id)) == (
        "Agent 1 is approved.\n"
        "The provider was not told of 1 review: approve is told to fail. It is told again until it answers; "
        "`crowdctl show RUN` lists what is owed.\n"
    )
    shown = await done(desk, "show", "digits")
    assert "Owed         the provider is to block worker 1, 1 time in vain: block is told to fail\n" in shown
    assert (
        "Owed         the provider is to approve agent 1, 1 time in vain: approve is told to fail\n" in shown
    )


async def test_work_is_approved_by_number_by_unit_and_by_filter(desk: Desk) -> None:
    run = await desk.operator.a_run("digits", units=5)
    for name in ("ann", "bob", "bob", "bob"):
        await desk.operator.submitted(run, name, {})
    assert await done(desk, "approve", "1") == "Agent 1 is approved.\n"
    assert await done(desk, "approve", "1") == "Agent 1 was approved before; nothing was changed.\n"
    assert await done(desk, "soft-reject", "--unit", "2", "--note", "so so") == "Agent 2 is soft-rejected.\n"
    asked = await piped(desk, "y\n", "approve", "--run", "digits", "--worker", "bob")
    assert "Approve the work of 2 agents? [y/N]" in asked.stderr
    assert asked.stdout == "2 agents are approved.\n"
    assert await done(desk, "approve", "--run", "digits") == "There is nothing to review.\n"
    agents = await done(desk, "agents", "digits", "--worker", "bob", "--status", "soft_rejected")
    assert "soft_rejected  so so" in agents


async def test_a_rejection_needs_a_reason_and_is_refused_in_words(desk: Desk) -> None:
    run = await desk.operator.a_run("digits")
    agent = await desk.operator.submitted(run, "ann", {})
    at_work = (await desk.operator.at_work(run, "bob")).agent
    assert (await desk.crowdctl("reject", "1")).exit_code == ExitCode.USAGE
    result = await desk.crowdctl("reject", str(agent.id), str(at_work.id), "--note", "empty")
    assert result.output == (
        "Agent 1 is rejected.\nAgent 2 is not rejected: There is no answer to judge: the agent is in task.\n"
    )
    assert result.exit_code == ExitCode.REFUSED


async def test_a_review_of_nothing_or_of_two_things_is_wrong_usage(desk: Desk) -> None:
    for arguments in ((), ("1", "--run", "digits"), ("--worker", "ann"), ("0",), ("one",)):
        assert (await desk.crowdctl("approve", *arguments)).exit_code == ExitCode.USAGE, arguments
