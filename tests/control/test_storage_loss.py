"""What staff are told when the store is lost: 503 at once, whatever they asked; P12."""

import trio
from trio.testing import wait_all_tasks_blocked

from crowdd.protocol.names import RunId
from crowdd.storage.errors import StorageFailed

from .fakes import Answer, Desk


async def test_a_request_under_way_when_the_store_is_lost_is_told_so_at_once(
    desk: Desk, nursery: trio.Nursery
) -> None:
    answers: list[Answer] = []

    async def held(run_id: RunId, now: bool, who: str) -> None:
        await desk.operator.loss.hold()

    async def ask() -> None:
        answers.append(await desk.ask("POST", "/v1/runs/digits/stop", b'{"now": false}'))

    await desk.operator.a_run("digits")
    desk.operator.stop = held  # type: ignore[method-assign]
    async with trio.open_nursery() as asking:
        nursery.start_soon(swallow, desk)
        asking.start_soon(ask)
        await wait_all_tasks_blocked(0.05)
        desk.operator.loss.begin(StorageFailed("the store failed: disk I/O error"))
    (answer,) = answers
    assert (answer.status, answer.error()["code"]) == (503, "storage_failed")
    assert answer.headers["retry-after"]


async def test_a_request_after_the_loss_is_told_so_too(desk: Desk) -> None:
    desk.operator.loss.begin(StorageFailed("the store failed: disk I/O error"))
    answer = await desk.ask("GET", "/v1/runs")
    assert (answer.status, answer.error()["code"]) == (503, "storage_failed")


async def test_a_request_that_finds_the_store_lost_says_so_to_the_daemon(desk: Desk) -> None:
    async def lost(run_id: RunId, now: bool, who: str) -> None:
        raise StorageFailed("the store failed: disk I/O error")

    await desk.operator.a_run("digits")
    desk.operator.stop = lost  # type: ignore[method-assign]
    answer = await desk.ask("POST", "/v1/runs/digits/stop", b'{"now": false}')
    assert answer.status == 503
    with trio.fail_after(10):
        await desk.operator.loss.begun()
    assert isinstance(desk.operator.loss.error, StorageFailed)


async def swallow(desk: Desk) -> None:
    """What ends the daemon ends here."""
    try:
        await desk.operator.loss.serve(trio.lowlevel.checkpoint)
    except StorageFailed:
        return
