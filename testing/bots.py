"""A crowd of simulated workers who use a running router's doors as browsers do."""

import random
import ssl
import time
from collections.abc import Sequence
from itertools import cycle, islice

import httpx
import trio

from .bot import Bot, BotPlan
from .history import History
from .http_doors import HttpDoors, PageAddress
from .players import Player, form_player

__all__ = ["BotPlan", "run_bots"]


async def run_bots(
    plan: BotPlan,
    links: Sequence[str],
    player: Player | None = None,
    history: History | None = None,
) -> History:
    """Let `plan.workers` work, each with a link of its own (shared in turn when there are fewer links).

    Without a player the form of the page is filled in at random. Returns when all have gone home; cancelled,
    the history holds what was done until then. ValueError: no links, or one that is no address of a page.
    """
    if not links:
        raise ValueError("bots need at least one link to work at")
    history = history or History(clock=time.monotonic)
    addresses = [PageAddress(link) for link in links]
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    tls = ssl.create_default_context()  # as their sockets: SSL_CERT_FILE may name an authority of one's own
    async with (
        httpx.AsyncClient(limits=limits, trust_env=False, verify=tls) as client,
        trio.open_nursery() as nursery,
    ):
        for number, address in enumerate(islice(cycle(addresses), plan.workers)):
            nursery.start_soon(_run_bot, plan, number, HttpDoors(client, address), player, history)
    return history


async def _run_bot(
    plan: BotPlan, number: int, doors: HttpDoors, player: Player | None, history: History
) -> None:
    rng = random.Random(f"{plan.seed}-{number}")  # noqa: S311  # repeatable on purpose
    await trio.sleep(rng.uniform(0, plan.arrive_s))
    if player is None:
        player = form_player(await doors.page())
    await Bot(f"bot-{number}", doors, player, plan, history, rng).run()
