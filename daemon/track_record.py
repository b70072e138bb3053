"""How a worker did so far: how much, how long, how it was judged, and how often they were right.

That is known where a row of the data has `_truth`, which pages never see: an object is compared field by
field with the answer, anything else with the answer's `label`, or with its only field.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

import attrs
import orjson

from ..protocol.names import SUBMITTED_AGENT, AgentStatus, WorkerId
from ..storage.contract import Storage
from ..storage.paging import every
from ..storage.records import Agent

COMPARED_MAX = 2000  # of the newest answers; each costs two reads
TRUTH = "_truth"
ANSWER = "label"


@attrs.frozen
class TrackRecord:
    """Over all runs. `time_spent_s` is from getting a unit to its end, given back or not."""

    submitted: int
    approved: int
    soft_rejected: int
    rejected: int
    time_spent_s: float
    truth_known: int
    """How many of the newest answers could be compared with the truth."""
    truth_agreed: int


async def track_record(storage: Storage, worker_id: WorkerId) -> TrackRecord:
    """Read it all; cost grows with what the worker did."""
    agents = [agent async for agent in every(partial(storage.agents_of_worker, worker_id))]
    submitted = [agent for agent in agents if agent.status in SUBMITTED_AGENT]
    compared = [await _compared(storage, agent) for agent in submitted[-COMPARED_MAX:]]
    return TrackRecord(
        submitted=len(submitted),
        approved=_count(agents, AgentStatus.APPROVED),
        soft_rejected=_count(agents, AgentStatus.SOFT_REJECTED),
        rejected=_count(agents, AgentStatus.REJECTED),
        time_spent_s=sum((a.ended_at - a.created_at).total_seconds() for a in agents if a.ended_at),
        truth_known=sum(each is not None for each in compared),
        truth_agreed=compared.count(True),
    )


def agrees(truth: Any, answer: Any) -> bool | None:
    """Whether an answer says the truth; None: that cannot be told. Forms send text, so 7 is "7"."""
    match truth, answer:
        case None, _:
            return None
        case {**wanted}, {**fields}:
            return all(name in fields and _same(fields[name], value) for name, value in wanted.items())
        case {}, _:
            return None
        case _, {**fields}:
            if ANSWER in fields:
                return _same(fields[ANSWER], truth)
            return _same(next(iter(fields.values())), truth) if len(fields) == 1 else None
        case _:
            return _same(answer, truth)


def _same(said: Any, truth: Any) -> bool:
    return bool(said == truth) or str(said) == str(truth)


async def _compared(storage: Storage, agent: Agent) -> bool | None:
    unit = await storage.unit(agent.unit_id)
    assignment = await storage.assignment(agent.assignment_id)
    own: Mapping[str, Any] = assignment.unit_data[unit.unit_index] if unit.unit_index >= 0 else {}
    truth = {**assignment.shared, **own}.get(TRUTH)
    if truth is None:
        return None
    submission = await storage.submission(agent.id)
    return agrees(truth, orjson.loads(submission.data))


def _count(agents: list[Agent], status: AgentStatus) -> int:
    return sum(agent.status is status for agent in agents)
