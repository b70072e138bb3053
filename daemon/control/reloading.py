"""The endpoint that has the daemon read its configuration again."""

import logging

from starlette.requests import Request
from starlette.responses import Response

from ..structuring import Faults
from .answers import json_answer
from .errors import ControlError
from .questions import json_body, no_other_keys, operator_of, who_asks
from .shapes.service import ReloadedView

log = logging.getLogger(__name__)


async def reload_configuration(request: Request) -> Response:
    """Read crowdd.toml and routers.toml again, and take up what a running daemon can; answered when done.

    With a fault anywhere everything stays as it was.
    """
    log.info("told to reload by %s", who_asks(request))
    no_other_keys(await json_body(request), set())
    try:
        done = await operator_of(request).reload()
    except Faults as faults:
        message = "The configuration was not reloaded: everything stays as it was."
        raise ControlError(
            422, "reload_refused", message, "Mend this and ask again.", faults.problems
        ) from None
    view: ReloadedView = {
        "taken_up": list(done.taken_up),
        "needs_restart": list(done.needs_restart),
        "warnings": list(done.warnings),
    }
    return json_answer(view)
