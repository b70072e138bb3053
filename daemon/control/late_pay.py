"""The endpoint that pays for answers that came too late to count."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from ...storage.contract import Storage
from ...storage.errors import NotFound
from ...storage.records import TaskRun
from ..late_pay import LatePaid
from ..structuring import Fault
from ..task_config import Pay
from ..task_fields import reward
from ..verdict import NOTE_CHARACTERS_MAX
from .answers import json_answer
from .auditing import about, changed
from .errors import ControlError, bad_request
from .limits import REVIEWS_MAX
from .questions import json_body, no_other_keys, note_of, numbers_of, operator_of, run_asked_for, who_asks
from .shapes.late import LatePaidView, LatesPaidView


async def pay_late(request: Request) -> Response:
    """Pay for answers that came too late to count, as a bonus, each once; runs may have ended.

    Without `amount` each is paid what its unit is worth. Nothing is done when one of them is not there; else
    each is decided by itself, and the answer says what became of it. What was decided before stays. The
    provider is told once that is stored, until it takes it.
    """
    operator, run = operator_of(request), await run_asked_for(request)
    body = await json_body(request)
    no_other_keys(body, {"late", "amount", "note"})
    numbers, cents, note = numbers_of(body, "late"), _cents(body), note_of(body, NOTE_CHARACTERS_MAX)
    if not 0 < len(numbers) <= REVIEWS_MAX:
        raise bad_request(f"Give `late`: 1 to {REVIEWS_MAX} numbers.")
    for number in numbers:
        await _refuse_unknown(operator.storage, run, number)
    about(request, f"{run.label}, late answers {', '.join(map(str, numbers))}")
    paid = await operator.pay_late([*dict.fromkeys(numbers)], cents, note, who_asks(request))
    changed(request, None, _words(list(paid)))
    done: LatesPaidView = {"late": [_view(each) for each in paid]}
    return json_answer(done)


def _cents(body: dict[str, Any]) -> int | None:
    if "amount" not in body:
        return None
    try:
        cents = Pay(reward(body["amount"], None)).cents
    except Fault as exc:
        raise bad_request(f"`amount` {exc}.") from None
    if cents == 0:
        raise bad_request("`amount` must be more than nothing.")
    return cents


async def _refuse_unknown(storage: Storage, run: TaskRun, number: int) -> None:
    try:
        is_here = (await storage.late_answer(number)).run_id == run.id
    except NotFound:
        is_here = False
    if not is_here:
        message = f"Run {run.label!r} has no late answer {number}. Nothing was done."
        raise ControlError(404, "no_such_late_answer", message, f"`crowdctl late {run.label}` lists them.")


def _words(paid: list[LatePaid]) -> str:
    done = [f"{each.late_id}: {each.cents} cents" for each in paid if each.changed]
    return ", ".join(done) or "nothing is paid that was not before"


def _view(paid: LatePaid) -> LatePaidView:
    return {
        "id": paid.late_id,
        "cents": paid.cents,
        "changed": paid.changed,
        "refused": paid.refused,
        "owed": paid.owed,
    }
