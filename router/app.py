"""The router as an ASGI application: the daemon's doors, the pages' door, and what goes on beside them."""

import logging
import secrets
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.types import Receive, Scope, Send

from ..supervision.tasks import NoThread
from .bodies import PageGone
from .config import KnownSecrets, RouterConfig
from .deploy_door import DeployDoor
from .desk import Answered
from .house import House
from .limits import SWEEP_S, TICK_S
from .link_door import LinkDoor
from .openapi import PATH, openapi_document
from .pages_door import PagesDoor, sorry
from .replies import error, ok
from .runs import Runs, Served
from .threads import in_thread

_OURS = "/_crowdd/"
log = logging.getLogger(__name__)


class RouterApp(Starlette):
    """Starlette for our own few requests. What pages ask, nearly all there is, goes to their door at once:
    routes and layers that none of it needs cost more than what the door does."""

    def __init__(self, pages: PagesDoor, **settings: Any) -> None:
        super().__init__(**settings)
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or socket, or the whole life of the application."""
        if scope["type"] == "lifespan" or scope["path"].startswith(_OURS):
            await super().__call__(scope, receive, send)
        else:
            await self._pages(scope, receive, send)

    def take(self, scope: Scope, body: bytes, answered: Answered) -> bool:
        """The same of a request of which all is here, without a task; False: not of this one."""
        return not scope["path"].startswith(_OURS) and self._pages.take(scope, body, answered)


def build_app(
    config: RouterConfig,
    known: KnownSecrets,
    on_orphaned: Callable[[], None],
    on_failed: Callable[[], None],
) -> tuple[RouterApp, Runs]:
    """The application and its runs. Its lifespan opens the folder, and ends what waits when it is over.

    `known` gives the secrets that prove a daemon at present. `on_orphaned` is called when no daemon was
    linked for `config.orphan_after_s`, `on_failed` when what goes on beside the requests has failed: those
    would be taken and held for ever, so the process should end.
    """
    runs = Runs(House(config.folder), 1 + secrets.randbelow(2**40 - 1), config.outbox_bytes_max)
    links, deploys = LinkDoor(runs, known), DeployDoor(runs, known)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None]:
        try:
            async with _open(runs), anyio.create_task_group() as tasks:
                tasks.start_soon(_keep_time, runs, config.orphan_after_s, on_orphaned)
                tasks.start_soon(_keep_sweeping, runs)
                tasks.start_soon(runs.spooling.serve)
                yield
                runs.end()
                tasks.cancel_scope.cancel()
        except Exception:
            on_failed()
            raise  # the server writes it into the log

    pages = PagesDoor(runs, config)
    app = RouterApp(
        pages,
        routes=[
            Route(PATH, show_document, methods=["GET"]),
            WebSocketRoute("/_crowdd/link/{label}", links.serve),
            Route("/_crowdd/runs/{label}/bundle/{sha256}", deploys.put_bundle, methods=["PUT"]),
            Route("/_crowdd/runs/{label}/files/{sha256}", deploys.get_file, methods=["GET"]),
            Route("/_crowdd/runs/{label}", deploys.delete_run, methods=["DELETE"]),
            Mount("/", pages),
        ],
        lifespan=lifespan,
        exception_handlers={
            HTTPException: _http_error,
            PageGone: _sorry,
            NoThread: _sorry,
            Exception: _sorry,
        },
    )
    return app, runs


@asynccontextmanager
async def _open(runs: Runs) -> AsyncGenerator[None]:
    await in_thread(runs.house.open)
    try:
        await runs.load()
        yield
    finally:
        runs.house.close()


async def _keep_time(runs: Runs, orphan_after_s: float | None, on_orphaned: Callable[[], None]) -> None:
    linked_at = anyio.current_time()
    while True:
        await anyio.sleep(TICK_S)
        now = anyio.current_time()
        for served in runs:
            served.desk.tick()
            if served.desk.run.linked:
                linked_at = now
        if orphan_after_s is not None and now - linked_at > orphan_after_s:
            log.warning("no daemon for %.0f s: this router ends itself", now - linked_at)
            on_orphaned()
            return


async def _keep_sweeping(runs: Runs) -> None:
    while True:
        await anyio.sleep(SWEEP_S)
        for served in runs:
            try:
                await _sweep(served)
            except OSError as exc:  # also `NoThread`; next time is soon enough
                ids = {"label": served.label}
                log.warning("forgotten uploads could not be looked for: %s", exc, extra=ids)


async def _sweep(served: Served) -> None:
    folder, run = served.folder, served.desk.run
    stale = await in_thread(folder.stale_uploads)
    folder.drop_uploads(name for name in stale if not run.wants_file(name))
    run.outbox.set_aside = await in_thread(folder.spool.count_set_aside)


async def show_document(_: Request) -> Response:
    """What can be asked over HTTP, as an OpenAPI document."""
    return ok(openapi_document())


async def _http_error(_: Request, exc: Exception) -> Response:
    status = exc.status_code if isinstance(exc, HTTPException) else 500
    return error(
        status, "method_not_allowed" if status == 405 else "not_found", "There is nothing at this address."
    )


async def _sorry(_: Request, exc: Exception) -> Response:
    return sorry(exc)
