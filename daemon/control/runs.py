"""Endpoints about runs as wholes: list, show, stop, expire, links, and the daemon's status."""

import secrets
from importlib.metadata import version
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from ...protocol.names import RunState
from ...storage.records import TaskRun
from .answers import json_answer
from .auditing import changed
from .errors import ControlError, bad_request
from .limits import LINKS_MAX, NAME_CHARACTERS_MAX
from .needs import LiveRun
from .pausing import pause_of
from .questions import (
    flag_of,
    json_body,
    no_other_keys,
    operator_of,
    refuse_if_ended,
    role_of,
    run_asked_for,
    statuses_asked_for,
    who_asks,
)
from .shapes.links import LinksView
from .shapes.runs import ExpiredView, RunDetailsView, RunsView
from .shapes.service import StatusView
from .views import owed_view, room_view, run_view, run_views


async def get_status(request: Request) -> Response:
    """What the daemon says of itself, and as whom it knows the peer."""
    held = operator_of(request).status()
    status: StatusView = {
        **held,
        "version": version("crowdd"),
        "you": who_asks(request),
        "role": role_of(request).value,
    }
    return json_answer(status)


async def list_runs(request: Request) -> Response:
    """All runs, or those in the states asked for."""
    operator = operator_of(request)
    found: RunsView = {"runs": await run_views(operator, statuses_asked_for(request, RunState))}
    return json_answer(found)


async def show_run(request: Request) -> Response:
    """One run with its resolved config."""
    operator, run = operator_of(request), await run_asked_for(request)
    last = await operator.storage.last_submission_at(run.id)
    live = operator.live(run.id)
    details: RunDetailsView = {
        **await run_view(operator, run),
        "last_submission_at": last,
        "pause": await pause_of(operator.storage, run),
        "rooms": [] if live is None else [room_view(room) for room in await live.rooms()],
        "owed": [owed_view(errand) for errand in operator.owed(run.id)],
        "late": await operator.storage.late_count(run.id),
        "counters": {} if live is None else dict(live.counters()),
        "config": run.config,
    }
    return json_answer(details)


async def stop_run(request: Request) -> Response:
    """Let no more workers in; with `now`, end those at work, too."""
    operator, run = operator_of(request), await run_asked_for(request)
    body = await json_body(request)
    no_other_keys(body, {"now"})
    now = flag_of(body, "now")
    refuse_if_ended(run)
    await operator.stop(run.id, now, who_asks(request))
    stopped = await operator.storage.run(run.id)
    changed(request, run.state.value, stopped.state.value + (", at once" if now else ""))
    return json_answer(await run_view(operator, stopped))


async def expire_run(request: Request) -> Response:
    """Take the units that nobody has begun off the queue."""
    operator, run = operator_of(request), await run_asked_for(request)
    no_other_keys(await json_body(request), set())
    refuse_if_ended(run)
    expired: ExpiredView = {"expired": await operator.expire(run.id, who_asks(request))}
    changed(request, None, f"{expired['expired']} units expired")
    return json_answer(expired)


async def make_links(request: Request) -> Response:
    """A personal link for each worker name, or for `count` new workers."""
    operator, run = operator_of(request), await run_asked_for(request)
    workers = _workers_asked_for(await json_body(request))
    refuse_if_ended(run)
    _refuse_if_nowhere(operator.live(run.id), run)
    links = await operator.links(run.id, workers)
    if not links:
        raise ControlError(
            409,
            "no_links",
            f"The provider {run.provider!r} has no personal links.",
            "Its workers come by themselves.",
        )
    changed(request, None, f"{len(links)} links told")
    made: LinksView = {"links": [{"worker_name": name, "url": url} for name, url in links]}
    return json_answer(made, 201)


def _workers_asked_for(body: dict[str, Any]) -> list[str]:
    no_other_keys(body, {"workers", "count"})
    match body.get("workers"), body.get("count"):
        case [*names], None if 0 < len(names) <= LINKS_MAX:
            return list(dict.fromkeys(map(_worker_name, names)))
        case None, int(count) if count is not True and 0 < count <= LINKS_MAX:
            return [f"guest-{secrets.token_hex(4)}" for _ in range(count)]
        case _:
            raise bad_request(f"Give either `workers`, a list of names, or `count`, 1 to {LINKS_MAX}.")


def _worker_name(name: object) -> str:
    if not isinstance(name, str) or not name.strip() or not name.isprintable():
        raise bad_request(f"{name!r} is no worker name: it must be text that can be printed.")
    if len(name) > NAME_CHARACTERS_MAX:
        raise bad_request(f"A worker name has at most {NAME_CHARACTERS_MAX} characters.")
    return name.strip()


def _refuse_if_nowhere(live: LiveRun | None, run: TaskRun) -> None:
    hint = f"`crowdctl show {run.label}` says how it stands."
    if live is None:
        message = f"Run {run.label!r} is not being carried out" + (f": {run.trouble}" if run.trouble else ".")
        raise ControlError(409, "run_not_live", message, hint)
    if live.address is None:
        raise ControlError(409, "not_deployed", f"Run {run.label!r} has no address yet: try again.", hint)
