"""Workers, qualifications and grants, in memory."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import attrs

from ...protocol.names import WorkerId
from .. import admission_rules, rules
from ..errors import Duplicate
from ..hand import Hand
from ..records import Grant, Qualification, Worker
from ..rows import fresh
from .body import MemoryBody, copies, note, page
from .tables import Tables


class MemoryPeople(MemoryBody):
    """What `Storage` says about workers and what they are qualified for."""

    async def register_worker(
        self, provider: str, name: str, provider_data: dict[str, Any], now: datetime
    ) -> Worker:
        async with self._write() as tables:
            return register_worker(tables, provider, name, provider_data, now)[0]

    async def set_blocked(
        self, worker_id: WorkerId, blocked: bool, now: datetime, who: str, why: str
    ) -> None:
        async with self._write() as tables:
            set_blocked(tables, worker_id, blocked, Hand(who, why, rules.moment(now)))

    async def create_qualification(
        self, name: str, description: str | None, now: datetime, who: str = "daemon"
    ) -> Qualification:
        async with self._write() as tables:
            return _add_qualification(tables, name, description, Hand(who, "created", rules.moment(now)))

    async def ensure_qualifications(self, descriptions: Mapping[str, str | None], now: datetime) -> None:
        async with self._write() as tables:
            for name, description in descriptions.items():
                if tables.qualifications.the("name", name) is None:
                    hand = Hand("daemon", "created", rules.moment(now))
                    _add_qualification(tables, name, description, hand)

    async def delete_qualification(self, name: str, now: datetime, who: str) -> None:
        async with self._write() as tables:
            qualification = _qualification(tables, name)
            hand = Hand(who, "qualification deleted", rules.moment(now))
            grants = tables.grants.having("qualification", qualification.id)
            for grant in sorted(grants, key=lambda each: each.worker_id):
                _drop(tables, qualification, grant, hand)
            tables.qualifications.drop(qualification.id)
            note(tables, hand.qualification(qualification.id, name, None))

    async def grant(
        self, name: str, worker_id: WorkerId, value: int, now: datetime, who: str, why: str
    ) -> Grant:
        async with self._write() as tables:
            return set_grant(tables, name, worker_id, value, Hand(who, why, rules.moment(now)))

    async def revoke(self, name: str, worker_id: WorkerId, now: datetime, who: str, why: str) -> None:
        async with self._write() as tables:
            take_grant(tables, name, worker_id, Hand(who, why, rules.moment(now)))

    async def worker(self, worker_id: WorkerId) -> Worker:
        tables = await self._read()
        return fresh(rules.found(tables.workers.get(worker_id), "worker", worker_id))

    async def worker_by_name(self, provider: str, name: str) -> Worker:
        worker = (await self._read()).workers.the("name", (provider, name))
        return fresh(rules.found(worker, "worker", f"{provider}:{name}"))

    async def workers(self, provider: str | None = None, after: int = 0, limit: int = 1000) -> list[Worker]:
        tables = await self._read()
        chosen = [worker for worker in tables.workers if provider in (None, worker.provider)]
        return page(chosen, after, limit)

    async def workers_among(self, numbers: Collection[WorkerId], names: Collection[str]) -> list[Worker]:
        tables = await self._read()
        ids, called = frozenset(numbers), frozenset(names)
        return copies(worker for worker in tables.workers if worker.id in ids or worker.name in called)

    async def qualifications(self) -> list[Qualification]:
        return copies((await self._read()).qualifications)

    async def qualification(self, name: str) -> Qualification:
        return _qualification(await self._read(), name)

    async def grants(
        self, worker_id: WorkerId | None = None, qualification: str | None = None
    ) -> list[Grant]:
        tables = await self._read()
        named = None if qualification is None else _qualification(tables, qualification).id
        chosen = [
            grant
            for grant in tables.grants
            if worker_id in (None, grant.worker_id) and named in (None, grant.qualification_id)
        ]
        return sorted(chosen, key=lambda grant: (grant.qualification_id, grant.worker_id))


def register_worker(
    tables: Tables, provider: str, name: str, provider_data: dict[str, Any], now: datetime
) -> tuple[Worker, bool]:
    """The worker, found or made; and whether it was made."""
    rules.check_name("worker", name)
    known = tables.workers.the("name", (provider, name))
    if known:
        return fresh(known), False
    number = WorkerId(tables.workers.next_id())
    worker = Worker(number, provider, name, False, provider_data, rules.moment(now))
    return fresh(tables.workers.put(number, worker)), True


def _add_qualification(tables: Tables, name: str, description: str | None, hand: Hand) -> Qualification:
    rules.check_qualification(name, description)
    if tables.qualifications.the("name", name):
        raise Duplicate(f"there is a qualification {name!r}")
    number = tables.qualifications.next_id()
    note(tables, hand.qualification(number, None, name))
    return tables.qualifications.put(number, Qualification(number, name, description, hand.at))


def set_blocked(tables: Tables, worker_id: WorkerId, blocked: bool, hand: Hand) -> None:
    """Stage a block, or its end."""
    worker = rules.found(tables.workers.get(worker_id), "worker", worker_id)
    if worker.blocked is not blocked:
        tables.workers.put(worker_id, attrs.evolve(worker, blocked=blocked))
        note(tables, hand.block(worker_id, blocked))


def set_grant(tables: Tables, name: str, worker_id: WorkerId, value: int, hand: Hand) -> Grant:
    """Stage a grant, or its new value."""
    rules.check_value(value)
    qualification = _qualification(tables, name)
    rules.found(tables.workers.get(worker_id), "worker", worker_id)
    old = tables.grants.get((qualification.id, worker_id))
    new = Grant(qualification.id, worker_id, value, old.created_at if old else hand.at, hand.at)
    note(tables, hand.grant(name, worker_id, old.value if old else None, value))
    return tables.grants.put((qualification.id, worker_id), new)


def add_to_grant(tables: Tables, name: str, worker_id: WorkerId, by: int, hand: Hand) -> None:
    """Stage a grant that has grown by so much."""
    old = tables.grants.get((_qualification(tables, name).id, worker_id))
    set_grant(tables, name, worker_id, (old.value if old else 0) + by, hand)


def change_grants(
    tables: Tables, worker_id: WorkerId, grants: Mapping[str, int | None], at: datetime
) -> None:
    """Write what admission grants and (None) takes away."""
    hand = Hand(admission_rules.GRANTED_WHO, admission_rules.GRANTED_WHY, at)
    for name, value in grants.items():
        if value is None:
            take_grant(tables, name, worker_id, hand)
        else:
            set_grant(tables, name, worker_id, value, hand)


def take_grant(tables: Tables, name: str, worker_id: WorkerId, hand: Hand) -> None:
    """Stage the end of a grant."""
    qualification = _qualification(tables, name)
    grant = tables.grants.get((qualification.id, worker_id))
    _drop(tables, qualification, rules.found(grant, f"grant of {name!r} to worker", worker_id), hand)


def _qualification(tables: Tables, name: str) -> Qualification:
    return rules.found(tables.qualifications.the("name", name), "qualification", repr(name))


def _drop(tables: Tables, qualification: Qualification, grant: Grant, hand: Hand) -> None:
    tables.grants.drop((qualification.id, grant.worker_id))
    note(tables, hand.grant(qualification.name, grant.worker_id, grant.value, None))
