"""Endpoints about qualifications: what there is, who has it, and giving and taking it."""

from collections import deque
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from ...protocol.names import WorkerId
from ...storage.contract import Storage
from ...storage.errors import Duplicate, NotFound
from ...storage.paging import every
from ...storage.records import HistoryEntry, Qualification, Worker
from ...storage.writes import SetGrant, TakeGrant, Write
from .answers import json_answer
from .auditing import about, changed
from .errors import ControlError, bad_request, near_hint
from .limits import NAME_CHARACTERS_MAX
from .questions import flag_of, json_body, line_of, no_other_keys, operator_of, page_asked_for, who_asks
from .shapes.qualifications import (
    DeletedQualificationView,
    GrantChangeView,
    GrantedListView,
    HoldersView,
    HolderView,
    NamedWorkerView,
    QualificationDetailsView,
    QualificationsView,
    QualificationView,
)
from .views import history_view
from .worker_words import make_known, workers_of_body

VALUE_MAX = 2**63 - 1  # what an integer column holds
CHANGES_MAX = 1000  # of one qualification; `crowdctl worker` has all of one worker


async def list_qualifications(request: Request) -> Response:
    """All qualifications, in the order in which they were made."""
    storage = operator_of(request).storage
    views = [await _view(storage, each) for each in await storage.qualifications()]
    found: QualificationsView = {"qualifications": views}
    return json_answer(found)


async def create_qualification(request: Request) -> Response:
    """Make a qualification; workers get it by grants, and runs ask for it in task.toml."""
    storage = operator_of(request).storage
    body = await json_body(request)
    no_other_keys(body, {"name", "description"})
    name = _name(body.get("name"))
    description = line_of(body, "description") or None
    try:
        made = await storage.create_qualification(
            name, description, operator_of(request).wall(), who_asks(request)
        )
    except Duplicate:
        hint = "`crowdctl qualifications describe` says who has it."
        raise ControlError(409, "duplicate", f"There is a qualification {name!r} already.", hint) from None
    about(request, name)
    changed(request, None, "created")
    return json_answer(await _view(storage, made), 201)


async def show_qualification(request: Request) -> Response:
    """One qualification with its newest changes: who gave whom which value, when and why."""
    storage = operator_of(request).storage
    qualification = await _asked_for(request)
    details: QualificationDetailsView = {
        **await _view(storage, qualification),
        "history": await _history(storage, qualification),
    }
    return json_answer(details)


async def list_holders(request: Request) -> Response:
    """Who has it, by worker number; `next` is the `after` of the following page, or null."""
    storage = operator_of(request).storage
    qualification = await _asked_for(request)
    after, limit = page_asked_for(request)
    grants = await storage.grants(qualification=qualification.name)
    page = [grant for grant in grants if grant.worker_id > after][:limit]
    holders: list[HolderView] = []
    for grant in page:
        worker = await storage.worker(grant.worker_id)
        holders.append({**_named(worker), "value": grant.value, "at": grant.updated_at})
    found: HoldersView = {"workers": holders, "next": page[-1].worker_id if len(page) == limit else None}
    return json_answer(found)


async def delete_qualification(request: Request) -> Response:
    """Remove a qualification and take it from everybody. Runs that ask for it let nobody pass any more."""
    operator = operator_of(request)
    qualification = await _asked_for(request)
    revoked = len(await operator.storage.grants(qualification=qualification.name))
    await operator.storage.delete_qualification(qualification.name, operator.wall(), who_asks(request))
    about(request, qualification.name)
    changed(request, f"held by {revoked}", "deleted")
    deleted: DeletedQualificationView = {"revoked": revoked}
    return json_answer(deleted)


async def grant(request: Request) -> Response:
    """Give workers a value of a qualification (1, unless said), all or none; it replaces what they had.

    `ahead`: also those who never came, written PROVIDER:NAME; they are known from now on.
    """
    body = await json_body(request)
    no_other_keys(body, {"qualification", "workers", "value", "why", "ahead"})
    value = body.get("value", 1)
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > VALUE_MAX:
        raise bad_request("`value` must be a whole number.")
    ahead = flag_of(body, "ahead")
    await _find(operator_of(request).storage, _name(body.get("qualification")))
    if ahead:
        await make_known(operator_of(request), body.get("workers"))
    return await _change(request, body, value, line_of(body, "why") or "granted by staff")


async def revoke(request: Request) -> Response:
    """Take a qualification away from workers; who does not have it stays as they are."""
    body = await json_body(request)
    no_other_keys(body, {"qualification", "workers", "why"})
    return await _change(request, body, None, line_of(body, "why") or "revoked by staff")


async def _change(request: Request, body: dict[str, Any], value: int | None, why: str) -> Response:
    operator, who = operator_of(request), who_asks(request)
    qualification = await _find(operator.storage, _name(body.get("qualification")))
    workers = await workers_of_body(operator.storage, body.get("workers"))
    held = {
        each.worker_id: each.value for each in await operator.storage.grants(qualification=qualification.name)
    }
    writes: list[Write] = []
    for worker in workers:
        if value is not None:
            writes.append(SetGrant(qualification.name, worker.id, value, who, why))
        elif worker.id in held:
            writes.append(TakeGrant(qualification.name, worker.id, who, why))
    await operator.storage.commit(writes, operator.wall())
    about(request, qualification.name)
    changed(request, _words(workers, held), f"{'none' if value is None else value}: {why}")
    granted: GrantedListView = {
        "grants": [{**_named(worker), "before": held.get(worker.id), "after": value} for worker in workers]
    }
    return json_answer(granted)


def _words(workers: Sequence[Worker], held: Mapping[WorkerId, int]) -> str:
    return ", ".join(f"worker {worker.id}: {held.get(worker.id, 'none')}" for worker in workers)


async def _asked_for(request: Request) -> Qualification:
    """The `name=` of the query, whose names hold any characters."""
    return await _find(operator_of(request).storage, request.query_params.get("name", ""))


async def _find(storage: Storage, name: str) -> Qualification:
    try:
        return await storage.qualification(name)
    except NotFound:
        near = near_hint(name, [each.name for each in await storage.qualifications()])
        raise ControlError(
            404,
            "no_such_qualification",
            f"There is no qualification {name!r}.",
            near + "`crowdctl qualifications` lists them, `crowdctl qualifications create` makes one.",
        ) from None


def _name(name: object) -> str:
    if not isinstance(name, str) or not name.strip() or not name.isprintable():
        raise bad_request("A qualification's name is one line of text, not empty.")
    if len(name) > NAME_CHARACTERS_MAX:
        raise bad_request(f"A qualification's name has at most {NAME_CHARACTERS_MAX} characters.")
    return name.strip()


async def _view(storage: Storage, qualification: Qualification) -> QualificationView:
    return {
        "name": qualification.name,
        "description": qualification.description,
        "created_at": qualification.created_at,
        "workers": len(await storage.grants(qualification=qualification.name)),
    }


def _named(worker: Worker) -> NamedWorkerView:
    return {"worker_id": worker.id, "provider": worker.provider, "worker_name": worker.name}


async def _history(storage: Storage, qualification: Qualification) -> list[GrantChangeView]:
    entries = deque[HistoryEntry](
        await storage.history("qualification", qualification.id), maxlen=CHANGES_MAX
    )
    after, name = entries[-1].id if entries else 0, qualification.name
    async for entry in every(partial(storage.history, "grant"), after=after):
        if entry.after == f"{name} revoked" or _value_of(entry, name):
            entries.append(entry)
    return [await _change_view(storage, entry) for entry in entries]


def _value_of(entry: HistoryEntry, name: str) -> bool:
    """`trained=3` is of `trained`; names may hold `=`, values do not."""
    return entry.after.rpartition("=")[0] == name


async def _change_view(storage: Storage, entry: HistoryEntry) -> GrantChangeView:
    if entry.kind != "grant":
        return {**history_view(entry), "worker_id": None, "worker_name": None}
    worker = await storage.worker(WorkerId(entry.subject_id))
    return {**history_view(entry), "worker_id": worker.id, "worker_name": worker.name}
