"""A late answer is paid once, whenever the daemon is killed meanwhile: real processes."""

from contextlib import suppress
from pathlib import Path

import httpx
import pytest
import trio

from crowdd.client import shapes
from crowdd.client.errors import ClientError

from ..process_table import LOOK_S
from .late import too_late
from .processes import READY_S, Daemon, a_task

pytestmark = pytest.mark.system


async def _pay(daemon: Daemon) -> list[shapes.LatePaid]:
    return await trio.to_thread.run_sync(lambda: list(daemon.client.pay_late("digits", [1], "0.30")))


async def _pay_in_vain(daemon: Daemon) -> None:
    with suppress(ClientError):
        await _pay(daemon)


async def _payment(daemon: Daemon) -> shapes.LatePayment | None:
    (late,) = await trio.to_thread.run_sync(lambda: list(daemon.client.late("digits")))
    return late.payment


async def test_p11_a_daemon_killed_while_it_pays_pays_once(daemon: Daemon, tmp_path: Path) -> None:
    await daemon.start()
    await daemon.launch(a_task(tmp_path, 2), "label=digits")
    (link,) = await daemon.links("digits", 1)
    async with httpx.AsyncClient(base_url=link.partition("?")[0]) as http:
        await too_late(http, link, daemon.data / "crowdd.db")
    with trio.fail_after(READY_S):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_pay_in_vain, daemon)
            while await _payment(daemon) is None:
                await trio.sleep(0)
            daemon.kill()
        await daemon.start()
        while (payment := await _payment(daemon)) is None or payment.paid_at is None:
            await trio.sleep(LOOK_S)
    (again,) = await _pay(daemon)
    assert (again.cents, again.changed) == (30, False)
    assert await daemon.terminate() == 0, daemon.log
    async with daemon.store() as storage:
        (paid,) = (await storage.facts("inhouse:payments")).values()
    assert (paid["worker"], paid["cents"]) == ("worker-0", 30)
