"""The endpoint that takes verdicts on the work of agents."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from ...protocol.names import AgentId, UnitId
from ...storage.contract import Storage
from ...storage.errors import NotFound
from ..review import Reviewed
from ..verdict import NOTE_CHARACTERS_MAX, Verdict
from .answers import json_answer
from .auditing import about, changed
from .errors import ControlError, bad_request
from .limits import REVIEWS_MAX
from .questions import json_body, no_other_keys, note_of, numbers_of, operator_of, who_asks
from .shapes.reviews import ReviewedView, ReviewsView


async def review(request: Request) -> Response:
    """Judge the work of agents, or what was submitted for units; runs may have ended.

    Nothing is done when one of them is not there; else each is judged by itself, and the answer says of
    each what became of it. The provider is told once a verdict is stored, until it takes it.
    """
    operator = operator_of(request)
    body = await json_body(request)
    no_other_keys(body, {"verdict", "agents", "units", "note"})
    verdict, note = _verdict(body.get("verdict")), note_of(body, NOTE_CHARACTERS_MAX)
    numbers, units = numbers_of(body, "agents"), numbers_of(body, "units")
    if not 0 < len(numbers) + len(units) <= REVIEWS_MAX:
        raise bad_request(f"Give `agents`, `units` or both: 1 to {REVIEWS_MAX} numbers.")
    if verdict is Verdict.REJECT and not note:
        raise bad_request("A rejection needs a reason.", "Say it in `note` (--note): the worker reads it.")
    agents = [*await _agents(operator.storage, numbers), *await _agents_of(operator.storage, units)]
    outcomes = await operator.review([*dict.fromkeys(agents)], verdict, note, who_asks(request))
    about(request, "agents " + ", ".join(str(outcome.agent_id) for outcome in outcomes))
    changed(request, None, f"{verdict.value}: {sum(outcome.changed for outcome in outcomes)} changed")
    found: ReviewsView = {"reviews": [_view(outcome) for outcome in outcomes]}
    return json_answer(found)


def _verdict(word: object) -> Verdict:
    known = [verdict.value for verdict in Verdict]
    if word not in known:
        raise bad_request(f"`verdict` must be one of {', '.join(known)}.")
    return Verdict(word)


async def _agents(storage: Storage, numbers: Sequence[int]) -> list[AgentId]:
    for number in numbers:
        try:
            await storage.agent(AgentId(number))
        except NotFound:
            message = f"There is no agent {number}. Nothing was done."
            raise ControlError(404, "no_such_agent", message, "`crowdctl agents RUN` lists them.") from None
    return [AgentId(number) for number in numbers]


async def _agents_of(storage: Storage, numbers: Sequence[int]) -> list[AgentId]:
    agents: list[AgentId] = []
    for number in numbers:
        try:
            unit = await storage.unit(UnitId(number))
        except NotFound:
            message = f"There is no unit {number}. Nothing was done."
            raise ControlError(404, "no_such_unit", message, "`crowdctl units RUN` lists them.") from None
        if unit.agent_id is None:
            message = f"Nobody has submitted unit {number}: it is {unit.status.value}. Nothing was done."
            raise ControlError(409, "nothing_to_review", message, "`crowdctl units RUN` lists who has what.")
        agents.append(unit.agent_id)
    return agents


def _view(outcome: Reviewed) -> ReviewedView:
    return {
        "agent_id": outcome.agent_id,
        "status": outcome.status.value,
        "changed": outcome.changed,
        "refused": outcome.refused,
        "blocks": outcome.blocks,
        "owed": outcome.owed,
    }
