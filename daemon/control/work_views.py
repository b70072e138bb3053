"""Units and agents as the control API shows them: who works on what, and how it was judged."""

import orjson

from ...protocol.names import REVIEWED_UNIT, AgentId
from ...protocol.packets import FileNote
from ...storage.contract import Storage
from ...storage.records import GOLD_UNIT_INDEX, SCREENING_UNIT_INDEX, Agent, LateAnswer, Review, Unit
from ...storage.rules import REVIEWS
from .shapes.late import LatePaymentView, LateView
from .shapes.reviews import ReviewView
from .shapes.work import AgentView, FileView, UnitView
from .views import WorkerNames

_SPECIAL = {SCREENING_UNIT_INDEX: "screening", GOLD_UNIT_INDEX: "gold"}


class WorkViews:
    """Shows units and agents with what belongs to them, which storage is asked for."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._names = WorkerNames(storage)

    async def unit(self, unit: Unit) -> UnitView:
        """A unit and who has it."""
        reviewed = unit.agent_id if unit.status in REVIEWED_UNIT else None
        return {
            "id": unit.id,
            "assignment_id": unit.assignment_id,
            "unit_index": unit.unit_index,
            "special": special_of(unit),
            "status": unit.status.value,
            "agent_id": unit.agent_id,
            "worker_id": unit.worker_id,
            "worker_name": await self._names.of(unit),
            "pay_cents": unit.pay_cents,
            "review": None if reviewed is None else await self._review(reviewed),
        }

    async def late(self, late: LateAnswer) -> LateView:
        """What came too late to count, and whose it was. The agent's wire id is its own."""
        agent = None if late.agent_id is None else await self._storage.agent(late.agent_id)
        unit = None if agent is None else await self._storage.unit(agent.unit_id)
        return {
            "id": late.id,
            "at": late.received_at,
            "kind": "answer" if late.is_answer else "metadata",
            "agent_id": late.agent_id,
            "unit_id": None if unit is None else unit.id,
            "worker_id": None if agent is None else agent.worker_id,
            "worker_name": None if agent is None else await self._names.of(agent),
            "status": None if agent is None else agent.status.value,
            "pay_cents": None if unit is None else unit.pay_cents,
            "payment": late_payment_view(late),
            "why": late.why,
            "data": orjson.loads(late.data),
            "files": [file_view(note) for note in late.files],
        }

    async def agent(self, agent: Agent) -> AgentView:
        """An agent by its number. Its wire id, and that of the agent before it (`after`), are its own."""
        return {
            "id": agent.id,
            "unit_id": agent.unit_id,
            "assignment_id": agent.assignment_id,
            "special": special_of(await self._storage.unit(agent.unit_id)),
            "worker_id": agent.worker_id,
            "worker_name": await self._names.of(agent),
            "status": agent.status.value,
            "reason": agent.reason,
            "created_at": agent.created_at,
            "due_at": agent.due_at,
            "ended_at": agent.ended_at,
            "review": await self._review(agent.id) if agent.status in REVIEWS else None,
        }

    async def _review(self, agent_id: AgentId) -> ReviewView | None:
        reviews = await self._storage.reviews(agent_id)
        return review_view(reviews[-1]) if reviews else None


def special_of(unit: Unit) -> str | None:
    """What a unit is for that was made for one worker alone; None for the run's own units."""
    return _SPECIAL.get(unit.unit_index)


def review_view(review: Review) -> ReviewView:
    """A verdict: what, by whom, with which words."""
    return {
        "status": review.status.value,
        "note": review.note,
        "who": review.who,
        "at": review.created_at,
    }


def late_payment_view(late: LateAnswer) -> LatePaymentView | None:
    """What is paid for a late answer; None: nothing, as for most."""
    if late.owed_cents is None or late.owed_at is None:
        return None
    return {
        "cents": late.owed_cents,
        "note": late.owed_note,
        "who": late.owed_by or "",
        "at": late.owed_at,
        "paid_at": late.paid_at,
    }


def file_view(note: FileNote) -> FileView:
    """An uploaded file."""
    return {
        "sha256": note.sha256,
        "size": note.size,
        "fieldname": note.fieldname,
        "originalname": note.originalname,
        "mimetype": note.mimetype,
    }
