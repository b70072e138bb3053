"""A rush on a router and a daemon, each a process, over HTTP."""

from functools import partial
from pathlib import Path

import httpx

from crowdd.testing.http_doors import HttpDoors, PageAddress

from ..rush import UNITS, WORKERS, Answer, check, rush
from .pages import Page
from .processes import Daemon, a_task


async def rush_once(daemon: Daemon, folder: Path) -> None:
    """One rush, on a run of its own with a router of its own, which is stopped afterwards."""
    folder.mkdir()
    label = await daemon.launch(a_task(folder, UNITS))
    await daemon.until(label, lambda shown: shown.units.get("launched") == UNITS)
    links = await daemon.links(label, WORKERS)
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(trust_env=False, limits=limits) as client:
        pages = [Page(HttpDoors(client, PageAddress(link))) for link in links]
        check(await rush([partial(_ask, page) for page in pages]))
    shown = await daemon.ask("show", label)
    assert shown.units == {"assigned": UNITS}
    assert shown.agents == {"in task": UNITS}
    await daemon.ask("stop", label, True)


async def _ask(page: Page) -> Answer:
    answered = await page.register()
    return Answer(answered.agent_id or None, answered.reason, str(answered.told.get("failure_reason")))
