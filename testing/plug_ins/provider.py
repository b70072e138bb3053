"""What every crowd provider promises, as functions that take a fresh bench with it."""

import re
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import trio

from ...daemon.providers import CrowdProvider, IdentityUnverified, ProviderFailed, ProviderSays
from ...protocol.names import AgentStatus, Reason
from ..patient_clock import patient_clock
from .bench import URL, ProviderBench, open_bench
from .promise import PromiseBroken, must, must_raise, told

NONSENSE: Sequence[dict[str, Any]] = (
    {},
    {"worker_name": 5},
    {"worker_name": ""},
    {"worker_name": "x" * 1000},
    {"link": "x" * 100_000},
    {"worker_name": None, "link": None, "code": None, "agent_registration_id": None},
)
AFTERS: Sequence[tuple[dict[str, Any], str | None]] = (
    ({}, None),
    ({"after": ""}, ""),
    ({"after": None}, ""),
    ({"after": "w1"}, "w1"),
)
PAGE_FUNCTIONS = (
    "getWorkerName",
    "getAssignmentId",
    "getAgentRegistration",
    "handleSubmitToProvider",
    "getProviderURLParams",
)
QUIET_S = 3600.0
Promise = Callable[[ProviderBench], Awaitable[None]]


def certify_provider(
    provider: type[CrowdProvider],
    *,
    folder: Path = Path(),
    names: tuple[str, str] = ("ann", "bob"),
    **options: Any,
) -> None:
    """Hold a provider to every promise, each on a bench of its own. PromiseBroken tells all not kept.

    `names` are two workers whom it can make links for, `folder` is the task's, `options` are its own.
    Under a virtual clock: it must not use threads or a network.
    """
    broken: list[tuple[Callable[..., object], BaseException]] = []
    for promise in PROVIDER_PROMISES:
        try:
            trio.run(
                _hold_to, promise, provider, provider.Options(**options), folder, names, clock=patient_clock()
            )
        except Exception as exc:
            # The boundary to the author's code: whatever it raises is a promise that was not kept.
            broken.append((promise, exc))
    if broken:
        raise PromiseBroken("\n".join([f"{provider.__name__}:", *told(broken)]))


async def _hold_to(
    promise: Promise, provider: type[CrowdProvider], options: Any, folder: Path, names: tuple[str, str]
) -> None:
    async with open_bench(provider, options, folder=folder, names=names) as bench:
        await promise(bench)


async def a_good_task_has_no_faults(bench: ProviderBench) -> None:
    faults = bench.provider_class.check(bench.options, bench.place.folder)
    must(not faults, f"check() found {faults}")


async def setting_up_twice_is_setting_up(bench: ProviderBench) -> None:
    await bench.provider.set_up()
    await bench.provider.set_up()
    await bench.reopened().set_up()


async def who_comes_by_their_link_is_known_by_name(bench: ProviderBench) -> None:
    for name in bench.names:
        known = (await bench.provider.verify(await bench.said(name))).worker_name
        must(known.removesuffix("_sandbox") == name, f"the link of {name!r} led to {known!r}")


async def workers_that_cannot_be_paid_are_kept_apart(bench: ProviderBench) -> None:
    known = (await bench.provider.verify(await bench.said())).worker_name
    must(
        known.endswith("_sandbox") == bench.provider.sandbox,
        f"{known!r} with sandbox = {bench.provider.sandbox}: names end in _sandbox there, and only there",
    )


async def a_link_leads_to_the_same_place_after_a_restart(bench: ProviderBench) -> None:
    first = await bench.provider.verify(await bench.said())
    again = await bench.reopened().verify(await bench.said())
    must(first.link == again.link, f"the link {first.link!r} became {again.link!r}")


async def two_workers_come_by_two_links(bench: ProviderBench) -> None:
    links = {(await bench.provider.verify(await bench.said(name))).link for name in bench.names}
    must(len(links) == len(bench.names), f"both came by {links}")


async def after_is_what_the_page_has_finished_or_not_said(bench: ProviderBench) -> None:
    for more, after in AFTERS:
        read = (await bench.provider.verify(await bench.said(**more))).after
        must(read == after, f"a page that says {more} has after {read!r}, not {after!r}")


async def a_page_that_says_nothing_usable_is_not_believed(bench: ProviderBench) -> None:
    for said in NONSENSE:
        await must_raise(
            IdentityUnverified,
            lambda said=said: bench.provider.verify(said),  # type: ignore[misc]  # mypy cannot infer defaults
            f"{said!r:.80} was believed",
        )


async def nothing_that_is_kept_is_secret(bench: ProviderBench) -> None:
    said = await bench.said()
    identity = await bench.provider.verify(said)
    for key in ("link", "code", "token", "secret"):
        must(key not in said or said[key] not in repr(identity), f"{key} of the page is kept: {identity}")


async def a_worker_nobody_blocked_is_welcome(bench: ProviderBench) -> None:
    reason = await bench.provider.admits(await bench.worker())
    must(reason is None, f"refused: {reason}")


async def a_blocked_worker_is_not_welcome_until_unblocked(bench: ProviderBench) -> None:
    ann, bob = [await bench.worker(name) for name in bench.names]
    await bench.provider.block(ann, "answers at random")
    await bench.provider.block(ann, "answers at random")
    must(await bench.reopened().admits(ann) is Reason.BLOCKED, f"{ann.name} is blocked and was admitted")
    must(await bench.reopened().admits(bob) is None, f"{bob.name} was refused for {ann.name}'s block")
    await bench.provider.unblock(ann)
    must(await bench.reopened().admits(ann) is None, f"{ann.name} is unblocked and was refused")


async def what_bars_a_worker_is_there_while_they_are_blocked(bench: ProviderBench) -> None:
    """Of a provider that says what does; any other is asked."""
    ann = await bench.worker()
    bar = bench.reopened().bar(ann.name)
    if bar is None:
        return
    seen = [await bench.storage.fact(*bar)]
    await bench.provider.block(ann, "answers at random")
    seen.append(await bench.storage.fact(*bar))
    await bench.provider.unblock(ann)
    seen.append(await bench.storage.fact(*bar))
    there = [fact is not None for fact in seen]
    must(there == [False, True, False], f"before, in and after a block, {bar} is there: {there}")


async def unblocking_somebody_who_is_not_blocked_does_nothing(bench: ProviderBench) -> None:
    ann = await bench.worker()
    await bench.provider.unblock(ann)
    must(await bench.provider.admits(ann) is None, f"{ann.name} was refused")


async def the_same_payment_may_be_made_again(bench: ProviderBench) -> None:
    ann = await bench.worker()
    await bench.provider.bonus(ann, 30, "good", "p1")
    await bench.reopened().bonus(ann, 30, "good", "p1")


async def a_payment_id_stands_for_one_payment_only(bench: ProviderBench) -> None:
    ann = await bench.worker()
    await bench.provider.bonus(ann, 30, "good", "p1")
    await must_raise(
        ProviderFailed, lambda: bench.provider.bonus(ann, 31, "good", "p1"), "p1 paid 30, and then 31"
    )


async def the_life_of_a_unit_at_the_provider(bench: ProviderBench) -> None:
    provider = bench.provider
    agent, unit = await bench.at_work()
    await provider.publish([unit], URL)
    await provider.mark_done(agent)
    for decide in (provider.approve, provider.soft_reject, provider.reject):
        await decide(agent, None)
        await decide(agent, "thank you")
    await provider.expire([unit])
    status = (await bench.storage.agent(agent.id)).status
    must(status is AgentStatus.IN_TASK, f"the provider made the agent {status.value!r}: that is the daemon's")


async def news_wait_until_cancelled(bench: ProviderBench) -> None:
    heard: list[ProviderSays] = []
    with trio.move_on_after(QUIET_S) as scope:
        async for said in bench.provider.news():
            heard.append(said)
    must(scope.cancelled_caught, f"news() ended by itself after {heard}")


async def the_page_script_has_what_pages_look_for(bench: ProviderBench) -> None:
    script = bench.provider.page_script()
    missing = [name for name in PAGE_FUNCTIONS if not re.search(rf"^function {name}\(", script, re.MULTILINE)]
    must(not missing, f"page_script() has no {', '.join(missing)}")
    must("_MEPHISTO_CONFIG_" in script, "page_script() lacks what all share: return wrapped_script(own)")


PROVIDER_PROMISES: Sequence[Promise] = (
    a_good_task_has_no_faults,
    setting_up_twice_is_setting_up,
    who_comes_by_their_link_is_known_by_name,
    workers_that_cannot_be_paid_are_kept_apart,
    a_link_leads_to_the_same_place_after_a_restart,
    two_workers_come_by_two_links,
    after_is_what_the_page_has_finished_or_not_said,
    a_page_that_says_nothing_usable_is_not_believed,
    nothing_that_is_kept_is_secret,
    a_worker_nobody_blocked_is_welcome,
    a_blocked_worker_is_not_welcome_until_unblocked,
    what_bars_a_worker_is_there_while_they_are_blocked,
    unblocking_somebody_who_is_not_blocked_does_nothing,
    the_same_payment_may_be_made_again,
    a_payment_id_stands_for_one_payment_only,
    the_life_of_a_unit_at_the_provider,
    news_wait_until_cancelled,
    the_page_script_has_what_pages_look_for,
)
