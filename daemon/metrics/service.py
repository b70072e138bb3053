"""Where metrics are read: GET /metrics, in Prometheus' text format, for whoever may connect."""

import logging
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from typing import Protocol

import attrs
import trio
from prometheus_client import Metric, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..answer_loss import AnswerLoss
from ..degraded import Degradation
from ..http_connections import HttpConnections
from ..socket_file import ControlSocketTaken, open_socket_file
from ..store_loss import StoreLoss
from .address import MetricsAddress
from .families import Metrics
from .readings import RunReading, families_of

log = logging.getLogger(__name__)

CONNECTIONS_MAX = 16  # a few scrapers and a curious person
SCRAPE_S = 10.0  # the usual limit of a scraper; a peer that reads more slowly is cut
WATCH_EVERY_S = 0.1  # a loop that is blocked for longer is always seen


class MetricsAddressTaken(Exception):
    """The address cannot be had; says why."""


class Held(Protocol):
    """A run that is being carried out at present."""

    async def reading(self) -> RunReading:
        """How it is now."""
        ...


class Operator(Protocol):
    """Who holds the runs."""

    @property
    def metrics(self) -> Metrics:
        """What was counted so far."""
        ...

    def live_runs(self) -> Sequence[Held]:
        """The runs that are held now."""
        ...

    @property
    def loss(self) -> StoreLoss:
        """Whom to tell that the store is lost."""
        ...

    def degraded(self) -> Sequence[Degradation]:
        """What is missing at present."""
        ...


async def serve_metrics(
    operator: Operator,
    address: MetricsAddress,
    *,
    task_status: trio.TaskStatus[str] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Answer scrapes and watch the loop until cancelled; gives the URL once people can connect.

    MetricsAddressTaken. Cancelled: answers under way are cut, a socket's file is removed.
    """
    http = HttpConnections(AnswerLoss(metrics_app(operator), operator.loss, _lost), log, CONNECTIONS_MAX)

    async def serve_one(stream: trio.SocketStream) -> None:
        with trio.move_on_after(SCRAPE_S):
            await http.serve(stream, {}, "a scraper")

    async with open_listeners(address) as (listeners, url), trio.open_nursery() as nursery:
        nursery.start_soon(watch_loop, operator.metrics)
        log.info("metrics: %s", url)
        task_status.started(url)
        await trio.serve_listeners(serve_one, listeners)


@asynccontextmanager
async def open_listeners(address: MetricsAddress) -> AsyncGenerator[tuple[list[trio.SocketListener], str]]:
    """Listen at the address; gives its URL, too. MetricsAddressTaken."""
    with ExitStack() as stack:
        try:
            if address.path is None:
                listeners = await trio.open_tcp_listeners(address.port, host=address.host)
                port = listeners[0].socket.getsockname()[1]
            else:
                listeners, port = [stack.enter_context(open_socket_file(address.path))], 0
        except (OSError, ControlSocketTaken) as exc:
            raise MetricsAddressTaken(
                f"metrics cannot be served at {address.url(address.port)}: {exc}"
            ) from exc
        yield listeners, address.url(port)


def _lost() -> Response:
    return Response("The daemon lost its storage and ends.", 503, media_type="text/plain")


def metrics_app(operator: Operator) -> Starlette:
    """The application: one page."""

    async def scrape(request: Request) -> Response:
        return Response(await metrics_page(operator), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    return Starlette(routes=[Route("/metrics", scrape, methods=["GET"])])


async def metrics_page(operator: Operator) -> bytes:
    """Every series of the daemon and of the runs that it holds, in Prometheus' text format."""
    readings = [await run.reading() for run in operator.live_runs()]
    return generate_latest(_Page(operator.metrics, readings, operator.degraded()))


@attrs.frozen
class _Page:
    """What one scrape shows: what was kept, and what was read just now."""

    metrics: Metrics
    readings: Sequence[RunReading]
    missing: Sequence[Degradation]

    def collect(self) -> Iterator[Metric]:
        yield from self.metrics.collect()
        yield from families_of(self.readings, self.missing)


async def watch_loop(metrics: Metrics) -> None:
    """Note how late sleep ends, again and again, until cancelled."""
    while True:
        due = trio.current_time() + WATCH_EVERY_S
        await trio.sleep_until(due)
        metrics.loop_late.observe(max(0.0, trio.current_time() - due))
