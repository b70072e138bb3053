"""Takes in what workers hand over: final answers, metadata, units given back. Save first, answer then."""

import logging
import re
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import attrs
import trio

from ..protocol.documents import canonical_json, content_digest
from ..protocol.ids import verify_wire_id
from ..protocol.names import LIVE_AGENT, ONBOARDING_PREFIX, AgentId, AgentStatus, Outcome, Reason, WireId
from ..protocol.packets import Answer, FileNote, ReturnUnit, SubmitMetadata, SubmitUnit
from ..storage.contract import Storage
from ..storage.errors import Duplicate, NotFound
from ..storage.records import Agent, TaskRun, Unit
from ..storage.writes import AddSubmission
from . import lifecycle
from .admission_replies import sentence
from .clock import Wall
from .follow_ups import FollowUps
from .late_answers import OTHER_CONTENT, OTHER_TYPE, UNKNOWN, LateAnswers
from .lifecycle import AgentEvent, GaveBack, IllegalEvent, Submitted, SubmittedLate
from .lifecycle.onboarding import shown_status
from .log_ids import ids_of
from .task_runner import Seat, TaskRunner
from .upload_types import UploadTypes

log = logging.getLogger(__name__)

METADATA_KINDS = ("tips", "feedback", "worker_opinion", "post_task", "log")
_DIGEST = re.compile(r"[0-9a-f]{64}")
Fetch = Callable[[str, Path], Awaitable[None]]
"""Bring the uploaded file with this sha256 to this path, complete and fsynced."""


@attrs.frozen
class IntakeTools:
    """What the intake works with."""

    run: TaskRun
    texts: dict[str, str]
    storage: Storage
    runner: TaskRunner
    wall: Wall
    files: Path
    """Where uploaded files of the run are kept, by sha256."""
    types: UploadTypes
    follow_ups: FollowUps
    late: LateAnswers


class Intake:
    """One per run. Holds no state but which files it is fetching."""

    def __init__(self, tools: IntakeTools) -> None:
        self._t = tools
        self._fetching: WeakValueDictionary[str, trio.Lock] = WeakValueDictionary()

    async def submit_unit(self, packet: SubmitUnit, fetch: Fetch) -> Answer:
        """Store a final answer, once: `ok` only after the commit; the same again gets the same answer.

        What was `answered` by the router is never refused: where it cannot count it is kept as a late answer.
        """
        data = canonical_json(packet.final_data)
        digest = content_digest(packet.final_data, packet.files)
        at_once = await self._at_once(packet, data, digest)
        if at_once is not None:
            return at_once
        seat = await self._seat(packet.subject)
        if seat is None:
            return await self._unknown(packet, fetch)
        agent = seat[0]
        if not _are_digests(packet.files):
            return self._answer(packet.request, Reason.BAD_REQUEST, agent.status)
        # The transaction that stores an answer ends its agent: a live one has none.
        known = None if agent.status in LIVE_AGENT else await self._known(agent, digest)
        if known is True or (known is False and not packet.answered):
            return self._repeat(packet.request, agent, known)
        why_not = await self._take_files(packet, fetch)
        if why_not is not None:
            return await self._other_type(packet, agent, agent.status, why_not)
        answer = AddSubmission(agent.id, data, packet.files, digest)
        try:
            agent = await self._save(seat, answer, packet.answered)
        except (IllegalEvent, Duplicate):
            return await self._too_late(packet, agent, digest)
        return self._submitted(packet, agent, data)

    async def _at_once(self, packet: SubmitUnit, data: bytes, digest: str) -> Answer | None:
        """Save an answer that has no files to be fetched, and from which nothing follows.

        None: there is more to it, and nothing was done.
        """
        if packet.files or packet.answered or self._t.follow_ups.wanted:
            return None
        with self._t.follow_ups.coming():
            agent = await self._t.runner.submit(
                packet.subject, lambda agent_id: AddSubmission(agent_id, data, (), digest)
            )
        return None if agent is None else self._submitted(packet, agent, data)

    def _submitted(self, packet: SubmitUnit, agent: Agent, data: bytes) -> Answer:
        log.info("submitted %d bytes, %d files", len(data), len(packet.files), extra=ids_of(agent))
        return self._answer(packet.request, None, agent.status)

    async def _save(self, seat: Seat, answer: AddSubmission, answered: bool) -> Agent:
        agent, follow_ups = seat[0], self._t.follow_ups
        takes_back = answered and await self._t.late.bars(agent) is None
        with follow_ups.awaiting(agent.worker_id):
            choose = _choice(answer, takes_back)
            # What was read of a live agent is as true as what is read now: the commit sees whether it is so
            # still. One that has ended may have come back since.
            known = seat if agent.status in LIVE_AGENT else None
            saved = await self._t.runner.decide(agent.id, choose, follow_ups.mark(agent.id), known)
            follow_ups.submitted(saved)
        return saved

    async def _too_late(self, packet: SubmitUnit, agent: Agent, digest: str) -> Answer:
        """The agent has ended, or has an answer; another copy of this one may have been quicker."""
        known = await self._known(agent, digest)
        agent = await self._t.storage.agent(agent.id)
        if known is True or (known is False and not packet.answered):
            return self._repeat(packet.request, agent, known)
        if not packet.answered:
            return await self._refuse_ended(packet.request, agent)
        why = OTHER_CONTENT if known is False else await self._t.late.why_late(agent)
        await self._t.late.keep(packet, agent, why)
        return self._answer(packet.request, None, agent.status)

    async def _unknown(self, packet: SubmitUnit | SubmitMetadata, fetch: Fetch) -> Answer:
        """No agent of ours. An id of this run that a router answered for is from before a restored copy."""
        is_genuine = verify_wire_id(self._t.run.key, packet.subject) and _are_digests(packet.files)
        if not packet.answered or not is_genuine:
            return self._answer(packet.request, Reason.UNKNOWN_AGENT, None)
        await self._take_files(packet, fetch)
        await self._t.late.keep(packet, None, UNKNOWN)
        return self._answer(packet.request, None, None)

    async def _refuse_ended(self, request: str, agent: Agent) -> Answer:
        reason = lifecycle.refusal_of_ended(agent, await self._t.storage.unit(agent.unit_id))
        return self._answer(request, reason, agent.status)

    async def _known(self, agent: Agent, digest: str) -> bool | None:
        """Whether the stored answer is this one; None when there is none."""
        try:
            return (await self._t.storage.submission(agent.id)).digest == digest
        except NotFound:
            return None

    def _repeat(self, request: str, agent: Agent, same: bool) -> Answer:
        return self._answer(request, None if same else Reason.ALREADY_SUBMITTED, agent.status)

    async def submit_metadata(self, packet: SubmitMetadata, fetch: Fetch) -> Answer:
        """Store what was told beside the answer; the same told twice is stored once."""
        if packet.subject.startswith(ONBOARDING_PREFIX):
            return await self._submit_onboarding_metadata(packet, fetch)
        agent = await self._find(packet.subject)
        if agent is None:
            return await self._unknown(packet, fetch)
        if not _are_digests(packet.files):
            return self._answer(packet.request, Reason.BAD_REQUEST, agent.status)
        why_not = await self._take_files(packet, fetch)
        if why_not is not None:
            return await self._other_type(packet, agent, agent.status, why_not)
        kind = _kind(packet.metadata)
        digest = content_digest([kind, packet.metadata], packet.files)
        await self._t.storage.add_metadata(
            agent.id, kind, packet.metadata, packet.files, digest, self._t.wall()
        )
        return self._answer(packet.request, None, agent.status)

    async def _submit_onboarding_metadata(self, packet: SubmitMetadata, fetch: Fetch) -> Answer:
        """What is told during an onboarding is kept as facts of its agent."""
        try:
            agent = await self._t.storage.onboarding_by_wire_id(packet.subject)
        except NotFound:
            return await self._unknown(packet, fetch)
        if agent.run_id != self._t.run.id:
            return self._answer(packet.request, Reason.UNKNOWN_AGENT, None)
        if not _are_digests(packet.files):
            return self._answer(packet.request, Reason.BAD_REQUEST, shown_status(agent))
        why_not = await self._take_files(packet, fetch)
        if why_not is not None:
            return await self._other_type(packet, None, shown_status(agent), why_not)
        kind = _kind(packet.metadata)
        told = {
            "kind": kind,
            "data": packet.metadata,
            "files": [attrs.asdict(note) for note in packet.files],
            "at": self._t.wall().isoformat(),
        }
        digest = content_digest([kind, packet.metadata], packet.files)
        await self._t.storage.put_fact(onboarding_metadata_scope(agent.id), digest, told)
        return self._answer(packet.request, None, shown_status(agent))

    async def return_unit(self, packet: ReturnUnit) -> Answer:
        """Free the unit; given back twice is given back once."""
        agent = await self._find(packet.subject)
        if agent is None:
            return self._answer(packet.request, Reason.UNKNOWN_AGENT, None)
        try:
            agent = await self._t.runner.decide(agent.id, _give_back)
        except IllegalEvent:
            return await self._refuse_ended(packet.request, await self._t.storage.agent(agent.id))
        return self._answer(packet.request, None, agent.status)

    async def _seat(self, wire_id: WireId) -> Seat | None:
        try:
            agent, unit = await self._t.storage.agent_with_unit(wire_id)
        except NotFound:
            return None
        return (agent, unit) if agent.run_id == self._t.run.id else None

    async def _find(self, wire_id: WireId) -> Agent | None:
        try:
            agent = await self._t.storage.agent_by_wire_id(wire_id)
        except NotFound:
            return None
        return agent if agent.run_id == self._t.run.id else None

    async def _take_files(self, packet: SubmitUnit | SubmitMetadata, fetch: Fetch) -> str | None:
        """Fetch the files. Not None: one is of a type that the run does not take, for this reason."""
        found = [await self._take_file(note, fetch, packet.answered) for note in packet.files]
        return next((why_not for why_not in found if why_not is not None), None)

    async def _take_file(self, note: FileNote, fetch: Fetch, answered: bool) -> str | None:
        """Two who send the same contents at once would write the same file at once: one after the other."""
        path = self._t.files / note.sha256
        async with self._fetching.setdefault(note.sha256, trio.Lock()):
            is_new = not path.exists()
            if is_new:
                await fetch(note.sha256, path)
            why_not = await self._t.types.why_not(note, path)
            if why_not is not None and is_new and not answered:
                path.unlink()
        return why_not

    async def _other_type(
        self,
        packet: SubmitUnit | SubmitMetadata,
        agent: Agent | None,
        status: AgentStatus,
        why_not: str,
    ) -> Answer:
        """The router would have said so, unless it is of a version that does not look into files."""
        if packet.answered:
            await self._t.late.keep(packet, agent, OTHER_TYPE)
            return self._answer(packet.request, None, status)
        # The version before knows this word for it, and no better one.
        refusal = self._answer(packet.request, Reason.BAD_REQUEST, status)
        return attrs.evolve(refusal, text=why_not)

    def _answer(self, request: str, refused: Reason | None, status: AgentStatus | None) -> Answer:
        if refused is None:
            return Answer(request, Outcome.OK, status=status)
        return Answer(request, Outcome.REFUSED, refused, sentence(self._t.texts, refused), status=status)


def onboarding_metadata_scope(agent_id: AgentId) -> str:
    """Under which scope of facts it is kept what was told during an onboarding, by its digest."""
    return f"onboarding {agent_id}: metadata"


def _choice(answer: AddSubmission, takes_back: bool) -> Callable[[Agent, Unit], list[AgentEvent]]:
    def choose(agent: Agent, unit: Unit) -> list[AgentEvent]:
        if lifecycle.may_rejoin(agent, unit) or (takes_back and lifecycle.may_take_back(agent, unit)):
            return [SubmittedLate(attrs.evolve(answer, late=True))]
        return [Submitted(answer)]

    return choose


def _are_digests(files: Sequence[FileNote]) -> bool:
    """A router that says otherwise might mean a file of ours."""
    return all(_DIGEST.fullmatch(note.sha256) for note in files)


def _give_back(agent: Agent, unit: Unit) -> list[AgentEvent]:
    return [] if agent.status is AgentStatus.RETURNED else [GaveBack()]


def _kind(metadata: Any) -> str:
    """The first known key names the kind; anything else is stored whole as `default`."""
    if isinstance(metadata, dict):
        return next((kind for kind in METADATA_KINDS if kind in metadata), "default")
    return "default"
