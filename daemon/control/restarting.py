"""The endpoint that lets the daemon go away for a restart, so that nobody at work notices."""

import logging

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response

from ..departure import Departure, Manner
from .answers import json_answer
from .errors import ControlError, bad_request
from .questions import json_body, no_other_keys, operator_of, who_asks
from .shapes.service import RestartView

log = logging.getLogger(__name__)


async def restart_daemon(request: Request) -> Response:
    """Let the daemon go away: nobody is disconnected, and routers keep pages calm for `for_s`.

    `epoch` is that of the daemon that is meant, so that asking again never restarts twice. It ends, with exit
    status 75, once this is answered. `restarts`: whoever started it starts it again at once.
    """
    body = await json_body(request)
    no_other_keys(body, {"epoch"})
    operator = operator_of(request)
    departure, epoch = operator.departure, operator.storage.epoch
    _refuse_another(body.get("epoch"), epoch)
    if departure.manner is Manner.STOP:
        hint = "Start it again once it has ended; it goes on where it was."
        raise ControlError(409, "stopping", "The daemon is stopping; everybody is told goodbye.", hint)
    view: RestartView = {"epoch": epoch, "for_s": operator.suspend_s, "restarts": departure.restarts}
    answer = json_answer(view)
    answer.background = BackgroundTask(_leave, departure, who_asks(request))
    return answer


def _refuse_another(meant: object, epoch: int) -> None:
    if isinstance(meant, bool) or not isinstance(meant, int):
        raise bad_request("`epoch` is missing, or no whole number.", "The status says the daemon's epoch.")
    if meant != epoch:
        message = f"The daemon of epoch {meant} is gone already: this is the one of epoch {epoch}."
        raise ControlError(409, "restarted_already", message)


async def _leave(departure: Departure, who: str) -> None:
    """Only now: a daemon that has left its runs cuts answers that are under way."""
    if departure.leave(Manner.SUSPEND):
        log.info("told to restart by %s", who)
