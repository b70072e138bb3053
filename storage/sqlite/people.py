"""Workers, qualifications and grants, in SQLite."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import attrs

from ...protocol.names import WorkerId
from .. import admission_rules, rules
from ..errors import Duplicate
from ..hand import Hand
from ..records import Grant, Qualification, Worker
from ..sql import statements
from .ask import Db, add, do, every, keep, note, one, page, save
from .body import SqliteBody


class SqlitePeople(SqliteBody):
    """What `Storage` says about workers and what they are qualified for."""

    async def register_worker(
        self, provider: str, name: str, provider_data: dict[str, Any], now: datetime
    ) -> Worker:
        return await self._engine.write(_register_worker, provider, name, provider_data, now)

    async def set_blocked(
        self, worker_id: WorkerId, blocked: bool, now: datetime, who: str, why: str
    ) -> None:
        await self._engine.write(_set_blocked, worker_id, blocked, now, who, why)

    async def create_qualification(
        self, name: str, description: str | None, now: datetime, who: str = "daemon"
    ) -> Qualification:
        return await self._engine.write(_create_qualification, name, description, now, who)

    async def ensure_qualifications(self, descriptions: Mapping[str, str | None], now: datetime) -> None:
        await self._engine.write(_ensure_qualifications, descriptions, now)

    async def delete_qualification(self, name: str, now: datetime, who: str) -> None:
        await self._engine.write(_delete_qualification, name, now, who)

    async def grant(
        self, name: str, worker_id: WorkerId, value: int, now: datetime, who: str, why: str
    ) -> Grant:
        return await self._engine.write(_grant, name, worker_id, value, now, who, why)

    async def revoke(self, name: str, worker_id: WorkerId, now: datetime, who: str, why: str) -> None:
        await self._engine.write(_revoke, name, worker_id, now, who, why)

    async def worker(self, worker_id: WorkerId) -> Worker:
        return await self._engine.read(_the_worker, worker_id)

    async def worker_by_name(self, provider: str, name: str) -> Worker:
        worker = await self._engine.read(one, Worker, statements.WORKER_OF_NAME, provider=provider, name=name)
        return rules.found(worker, "worker", f"{provider}:{name}")

    async def workers(self, provider: str | None = None, after: int = 0, limit: int = 1000) -> list[Worker]:
        return await self._engine.read_long(page, Worker, after, limit, provider=provider)

    async def workers_among(self, numbers: Collection[WorkerId], names: Collection[str]) -> list[Worker]:
        return await self._engine.read_long(_workers_among, numbers, names)

    async def qualifications(self) -> list[Qualification]:
        everything = statements.select(Qualification, "ORDER BY id")
        return await self._engine.read_long(every, Qualification, everything)

    async def qualification(self, name: str) -> Qualification:
        return await self._engine.read(_the_qualification, name)

    async def grants(
        self, worker_id: WorkerId | None = None, qualification: str | None = None
    ) -> list[Grant]:
        return await self._engine.read_long(_grants, worker_id, qualification)


def _register_worker(
    db: Db, provider: str, name: str, provider_data: dict[str, Any], now: datetime
) -> Worker:
    return register_worker(db, provider, name, provider_data, now)[0]


def register_worker(
    db: Db, provider: str, name: str, provider_data: dict[str, Any], now: datetime
) -> tuple[Worker, bool]:
    """The worker, found or made; and whether it was made."""
    rules.check_name("worker", name)
    known = one(db, Worker, statements.WORKER_OF_NAME, provider=provider, name=name)
    if known:
        return known, False
    worker = Worker(WorkerId(0), provider, name, False, provider_data, rules.moment(now))
    return keep(db, worker), True


def _set_blocked(db: Db, worker_id: WorkerId, blocked: bool, now: datetime, who: str, why: str) -> None:
    set_blocked(db, worker_id, blocked, Hand(who, why, rules.moment(now)))


def set_blocked(db: Db, worker_id: WorkerId, blocked: bool, hand: Hand) -> None:
    """Block a worker, or end a block."""
    worker = _the_worker(db, worker_id)
    if worker.blocked is not blocked:
        save(db, statements.SAVE_WORKER, attrs.evolve(worker, blocked=blocked))
        note(db, hand.block(worker_id, blocked))


def _create_qualification(
    db: Db, name: str, description: str | None, now: datetime, who: str
) -> Qualification:
    rules.check_qualification(name, description)
    if one(db, Qualification, statements.QUALIFICATION_OF_NAME, name=name):
        raise Duplicate(f"there is a qualification {name!r}")
    qualification = Qualification(0, name, description, rules.moment(now))
    qualification = attrs.evolve(qualification, id=add(db, qualification))
    note(db, Hand(who, "created", qualification.created_at).qualification(qualification.id, None, name))
    return qualification


def _ensure_qualifications(db: Db, descriptions: Mapping[str, str | None], now: datetime) -> None:
    for name, description in descriptions.items():
        if one(db, Qualification, statements.QUALIFICATION_OF_NAME, name=name) is None:
            _create_qualification(db, name, description, now, "daemon")


def _delete_qualification(db: Db, name: str, now: datetime, who: str) -> None:
    qualification = _the_qualification(db, name)
    hand = Hand(who, "qualification deleted", rules.moment(now))
    for grant in every(db, Grant, statements.GRANTS_OF_QUALIFICATION, qualification_id=qualification.id):
        _drop(db, qualification, grant, hand)
    do(db, statements.DROP_QUALIFICATION, id=qualification.id)
    note(db, hand.qualification(qualification.id, name, None))


def _grant(db: Db, name: str, worker_id: WorkerId, value: int, now: datetime, who: str, why: str) -> Grant:
    return set_grant(db, name, worker_id, value, Hand(who, why, rules.moment(now)))


def set_grant(db: Db, name: str, worker_id: WorkerId, value: int, hand: Hand) -> Grant:
    """Give a worker a value, or another one."""
    rules.check_value(value)
    qualification = _the_qualification(db, name)
    _the_worker(db, worker_id)
    old = _grant_of(db, qualification, worker_id)
    new = Grant(qualification.id, worker_id, value, old.created_at if old else hand.at, hand.at)
    note(db, hand.grant(name, worker_id, old.value if old else None, value))
    save(db, statements.SAVE_GRANT, new)
    return new


def _revoke(db: Db, name: str, worker_id: WorkerId, now: datetime, who: str, why: str) -> None:
    take_grant(db, name, worker_id, Hand(who, why, rules.moment(now)))


def add_to_grant(db: Db, name: str, worker_id: WorkerId, by: int, hand: Hand) -> None:
    """Write a grant that has grown by so much."""
    old = _grant_of(db, _the_qualification(db, name), worker_id)
    set_grant(db, name, worker_id, (old.value if old else 0) + by, hand)


def change_grants(db: Db, worker_id: WorkerId, grants: Mapping[str, int | None], at: datetime) -> None:
    """Write what admission grants and (None) takes away."""
    hand = Hand(admission_rules.GRANTED_WHO, admission_rules.GRANTED_WHY, at)
    for name, value in grants.items():
        if value is None:
            take_grant(db, name, worker_id, hand)
        else:
            set_grant(db, name, worker_id, value, hand)


def take_grant(db: Db, name: str, worker_id: WorkerId, hand: Hand) -> None:
    """End a grant."""
    qualification = _the_qualification(db, name)
    grant = rules.found(_grant_of(db, qualification, worker_id), f"grant of {name!r} to worker", worker_id)
    _drop(db, qualification, grant, hand)


def _drop(db: Db, qualification: Qualification, grant: Grant, hand: Hand) -> None:
    do(db, statements.DROP_GRANT, qualification_id=qualification.id, worker_id=grant.worker_id)
    note(db, hand.grant(qualification.name, grant.worker_id, grant.value, None))


def _grants(db: Db, worker_id: WorkerId | None, name: str | None) -> list[Grant]:
    named = None if name is None else _the_qualification(db, name)
    if named is None and worker_id is None:
        return every(db, Grant, statements.GRANTS)
    if named is None:
        return every(db, Grant, statements.GRANTS_OF_WORKER, worker_id=worker_id)
    grants = every(db, Grant, statements.GRANTS_OF_QUALIFICATION, qualification_id=named.id)
    return [grant for grant in grants if worker_id in (None, grant.worker_id)]


def _workers_among(db: Db, numbers: Collection[WorkerId], names: Collection[str]) -> list[Worker]:
    found = [worker for number in numbers for worker in every(db, Worker, statements.WORKER, id=number)]
    found += [worker for name in names for worker in every(db, Worker, statements.WORKERS_OF_NAME, name=name)]
    by_id = {worker.id: worker for worker in found}
    return [by_id[number] for number in sorted(by_id)]


def _the_worker(db: Db, worker_id: WorkerId) -> Worker:
    return rules.found(one(db, Worker, statements.WORKER, id=worker_id), "worker", worker_id)


def _the_qualification(db: Db, name: str) -> Qualification:
    found = one(db, Qualification, statements.QUALIFICATION_OF_NAME, name=name)
    return rules.found(found, "qualification", repr(name))


def _grant_of(db: Db, qualification: Qualification, worker_id: WorkerId) -> Grant | None:
    return one(db, Grant, statements.GRANT, qualification_id=qualification.id, worker_id=worker_id)
